// SPDX-License-Identifier: Apache-2.0
#pragma once

// When a call of this client is slow enough for a second attempt, and how many may have one.

#include <redial/client/options.hpp>
#include <redial/core/time.hpp>

#include "client/retry_budget.hpp"

#include <array>
#include <cstddef>

namespace redial::inline REDIAL_ABI::detail {

/// \par Threads None of its own: the client's lock guards it.
class hedge_trigger {
 public:
  static constexpr duration never = duration::max();

  explicit hedge_trigger(const hedge_policy& policy) noexcept;

  [[nodiscard]] bool is_on() const noexcept { return policy_.when != hedge_policy::trigger::off; }
  void call_started(time_point now) noexcept { cap_.call_started(now); }
  /// How long an attempt runs alone; `never`: to its end.
  [[nodiscard]] duration delay() const noexcept { return delay_; }
  /// A call has succeeded in that time, or would have needed at least that long without its second
  /// attempt.
  void succeeded(duration latency) noexcept;
  /// True, and one second attempt is spent.
  [[nodiscard]] bool try_spend(time_point now) noexcept { return cap_.try_spend(now); }

 private:
  static constexpr std::size_t kept = 256;
  static constexpr std::size_t step = 16;  // successes from one look at the percentile to the next

  void look() noexcept;

  hedge_policy policy_;
  retry_budget cap_;
  duration delay_ = never;
  std::size_t seen_ = 0;
  std::array<duration, kept> last_{};  // a ring
};

}  // namespace redial::inline REDIAL_ABI::detail
