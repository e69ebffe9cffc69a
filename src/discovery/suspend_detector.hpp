// SPDX-License-Identifier: Apache-2.0
#pragma once

// Notices that the machine slept: the monotonic clock stands still then, and old answers look new.

#include <redial/core/time.hpp>

#include <functional>

namespace redial::inline REDIAL_ABI::detail {

/// How long the machine has slept since it was booted; always zero where nobody can say.
[[nodiscard]] duration time_asleep() noexcept;

/// \par Threads One at a time.
class suspend_detector {
 public:
  using clock_function = std::function<duration()>;

  explicit suspend_detector(clock_function asleep = time_asleep)
      : asleep_(std::move(asleep)), last_(asleep_()) {}

  /// True once after a sleep of more than a second.
  [[nodiscard]] bool has_slept();

 private:
  clock_function asleep_;
  duration last_;
};

}  // namespace redial::inline REDIAL_ABI::detail
