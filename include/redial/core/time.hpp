// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one clock of the library and arithmetic on it that cannot overflow.

#include <redial/core/abi.hpp>

#include <chrono>
#include <optional>

namespace redial::inline REDIAL_ABI {

/// Monotonic time. The wall clock is never read, so its jumps have no effect.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;  ///< An instant of it.
using duration = clock::duration;      ///< A time between two.

/// The longest duration that any option or deadline stands for. Longer ones are cut to it, because
/// Asio's timers overflow on values such as 400 years and then fire at once.
inline constexpr duration longest_duration = std::chrono::hours{24 * 365};

/// `d` cut to [0, longest_duration].
[[nodiscard]] constexpr duration clamped(duration d) noexcept {
  // By hand: <algorithm> is a fifteenth of what <redial/redial.hpp> would cost to compile.
  if (d < duration::zero()) return duration::zero();
  return d < longest_duration ? d : longest_duration;
}

/// The same of any unit. In floating point, since 400 years do not fit into `duration`; a NaN is no
/// time.
template <class Rep, class Period>
[[nodiscard]] constexpr duration clamped(std::chrono::duration<Rep, Period> d) noexcept {
  const std::chrono::duration<double> seconds(d);
  if (!(seconds.count() > 0)) return duration::zero();
  if (seconds >= longest_duration) return longest_duration;
  return std::chrono::duration_cast<duration>(d);
}

/// `start + d` without overflow: `time_point::max()` and `time_point::min()` are the ends.
[[nodiscard]] constexpr time_point after(time_point start, duration d) noexcept {
  if (d > duration::zero() && start > time_point::max() - d) return time_point::max();
  if (d < duration::zero() && start < time_point::min() - d) return time_point::min();
  return start + d;
}

/// When something has to be over for which a caller gave an instant, or else a time, or neither.
[[nodiscard]] constexpr time_point deadline_of(std::optional<time_point> deadline,
                                               std::optional<duration> timeout,
                                               duration otherwise,
                                               time_point now) noexcept {
  if (deadline) return *deadline;
  return after(now, timeout ? clamped(*timeout) : otherwise);
}

/// Time left from `now` to `deadline`; zero when it has passed, at most `longest_duration`.
[[nodiscard]] constexpr duration remaining(time_point now, time_point deadline) noexcept {
  if (deadline <= now) return duration::zero();
  if (deadline == time_point::max() || deadline > after(now, longest_duration)) {
    return longest_duration;
  }
  return deadline - now;
}

}  // namespace redial::inline REDIAL_ABI
