// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hard bound on how often we ask.

#include <redial/core/time.hpp>

#include <algorithm>
#include <cstddef>

namespace redial::inline REDIAL_ABI::detail {

/// A token bucket, kept as the instant at which it will be full again (GCRA, ITU-T I.371). In no
/// second are there more than `per_second` + `burst()` questions.
///
/// The burst is what comes due in 20 ms: timers fire on a grid of 10 ms and up to one step late, so
/// that a smaller one would lose tokens while we sleep and the bound would not be reached.
class query_rate {
 public:
  /// 0: no limit. At most 1 000 000 000.
  explicit query_rate(std::size_t per_second) noexcept
      : spacing_(per_second == 0 ? 0 : (one_second - 1) / static_cast<rep>(per_second) + 1),
        burst_(std::max<std::size_t>(1, per_second / 50)) {}

  /// True: one may be asked, and is counted.
  [[nodiscard]] bool take(time_point now) noexcept {
    if (now < next()) return false;
    full_at_ = after(std::max(full_at_, now), spacing_);
    return true;
  }

  /// The first instant at which `take` says yes.
  [[nodiscard]] time_point next() const noexcept {
    return after(full_at_, -spacing_ * static_cast<rep>(burst_ - 1));
  }

  [[nodiscard]] std::size_t burst() const noexcept { return burst_; }

 private:
  using rep = duration::rep;
  static constexpr rep one_second = duration{std::chrono::seconds{1}}.count();

  duration spacing_;  // rounded up: never faster than asked for
  std::size_t burst_;
  time_point full_at_ = time_point::min();
};

}  // namespace redial::inline REDIAL_ABI::detail
