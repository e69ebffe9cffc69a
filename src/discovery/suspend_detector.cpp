// SPDX-License-Identifier: Apache-2.0

// Source: clock_gettime(2). CLOCK_MONOTONIC "does not count time that the system is suspended",
// CLOCK_BOOTTIME does; elsewhere the monotonic clock either goes on or there is nothing to ask.

#include "discovery/suspend_detector.hpp"

#include <chrono>
#include <ctime>

namespace redial::inline REDIAL_ABI::detail {

namespace {

// The two clocks are read one after the other, so small differences are noise.
constexpr duration noise = std::chrono::seconds{1};

#ifdef CLOCK_BOOTTIME
duration read(clockid_t id) noexcept {
  timespec t{};
  if (::clock_gettime(id, &t) != 0) return duration::zero();
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}
#endif

}  // namespace

duration time_asleep() noexcept {
#ifdef CLOCK_BOOTTIME
  return read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC);
#else
  return duration::zero();
#endif
}

bool suspend_detector::has_slept() {
  const duration now = asleep_();
  if (now - last_ <= noise) return false;
  last_ = now;
  return true;
}

}  // namespace redial::inline REDIAL_ABI::detail
