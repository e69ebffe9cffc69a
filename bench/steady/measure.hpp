// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the lanes of two or more contestants in turn, on as many threads as the cell wants.

#include "steady/contestant.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace redial::steady {

struct cell {
  std::size_t in_flight = 1;  ///< Of each thread.
  std::size_t threads = 1;
  std::chrono::milliseconds slice{60};
  std::size_t rounds = 7;
  bool pin = true;
};

/// What one contestant did in one round.
struct effort {
  std::uint64_t requests = 0;
  double seconds = 0;      ///< Of the clock.
  double cpu_seconds = 0;  ///< Of the client threads, user and system.
  double allocations = 0;  ///< Calls of operator new.

  [[nodiscard]] double rate() const noexcept { return static_cast<double>(requests) / seconds; }
  [[nodiscard]] double cpu() const noexcept { return cpu_seconds / static_cast<double>(requests); }
  [[nodiscard]] double news() const noexcept { return allocations / static_cast<double>(requests); }
};

/// `[round][contestant]`. Within a round each has four slices, in the order ABC CBA ABC CBA, so
/// that what drifts weighs on all alike.
[[nodiscard]] std::vector<std::vector<effort>> compare(const std::vector<contestant>& who,
                                                       const lane_options& options,
                                                       const cell& c);

/// True when the client's first thread may be, and now is, on the first CPU and `server` on the
/// last one.
bool keep_apart(pid_t server);
/// Both wherever the system likes.
void let_roam(pid_t server);

/// Calls of operator new in this process.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace redial::steady
