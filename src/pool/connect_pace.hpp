// SPDX-License-Identifier: Apache-2.0
#pragma once

// How fast connections are opened that nobody waits for.

#include <redial/core/time.hpp>

#include "endpoints/fast_random.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace redial::inline REDIAL_ABI::detail {

/// A leaky bucket (the generic cell rate algorithm of ITU-T I.371) whose every step is jittered, so
/// that clients who begin together do not keep step.
class connect_pace {
 public:
  /// `burst` at once after a rest. Both > 0.
  connect_pace(std::size_t per_second, std::size_t burst) noexcept
      : step_(duration{std::chrono::seconds{1}} / static_cast<duration::rep>(per_second)),
        slack_(step_ * static_cast<duration::rep>(burst - 1)) {}

  /// False when it is too early.
  [[nodiscard]] bool take(time_point now, fast_random& jitter) noexcept {
    if (now < next()) return false;
    due_ = after(std::max(due_, now), jitter.share(step_, 0.5, 1.5));
    return true;
  }
  /// The next one may begin then.
  [[nodiscard]] time_point next() const noexcept { return after(due_, -slack_); }

 private:
  duration step_;
  duration slack_;
  time_point due_ = time_point::min();  // of the next one, were there no burst
};

}  // namespace redial::inline REDIAL_ABI::detail
