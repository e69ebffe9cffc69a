// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is measured, and what it is measured against. Google Benchmark shows each alone; the ratios
// (ratios.hpp) come from both in turn.

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace redial::micro {

/// What something took.
struct spent {
  double cpu_ns = 0;   ///< Of the threads that did it; blind to who else is on the machine.
  double wall_ns = 0;  ///< Where waiting is part of the cost.
};

/// Does its operation `n` times, on each of its threads.
using work = std::function<spent(std::size_t n)>;

/// One side of a comparison.
struct subject {
  std::string name;
  /// Sets everything up; what it returns holds it.
  std::function<work()> make;
  /// False: the program fails if it does once it is set up.
  bool allocates = true;
};

/// `candidate : baseline`, of what one operation takes.
struct comparison {
  std::string name;
  std::string what;
  subject candidate;
  subject baseline;
  double spent::*by = &spent::cpu_ns;
  double at_most = std::numeric_limits<double>::infinity();
  double at_least = -std::numeric_limits<double>::infinity();
};

/// Allocations of the whole process until now.
[[nodiscard]] std::size_t allocations() noexcept;

// One file each. What is to be measured without a second thread in the process comes first, and
// those who start threads before anything is measured come last.
[[nodiscard]] std::vector<comparison> checkout_comparisons();
[[nodiscard]] std::vector<comparison> pick_comparisons();
[[nodiscard]] std::vector<comparison> snapshot_comparisons();
[[nodiscard]] std::vector<comparison> completion_comparisons();
[[nodiscard]] std::vector<comparison> call_comparisons();
/// None, and `why_not` says why, when the process is not in a network of its own.
[[nodiscard]] std::vector<comparison> lookup_comparisons(std::string& why_not);

/// Moves the process, which has one thread, into a network and a view of the file system of its
/// own, where the C library's resolver asks 127.0.0.1. Empty, or why that is not possible.
[[nodiscard]] std::string enter_own_resolver_settings();

/// A checkout and return, over and over, where any system call kills.
struct silence {
  bool checked = false;
  std::string why_not;  ///< Why it was not checked.
  bool kept = false;    ///< No system call was made.
};
[[nodiscard]] silence check_checkout_makes_no_system_call(std::size_t times);

}  // namespace redial::micro
