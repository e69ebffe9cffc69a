// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the pool itself does while many callers wait: with connections to nowhere that open at once,
// so that no socket, server or clock is in the figures.

#include <redial/endpoints/balancing.hpp>

#include <cstddef>

namespace redial::bench {

/// Microseconds of CPU per caller when `callers` ask at once and nothing is open yet but one
/// connection to each of ten endpoints: each gets a connection of its own.
[[nodiscard]] double measure_burst(std::size_t callers);

/// Microseconds of CPU per connection when an endpoint leaves while all of its connections are
/// leased, and they come back after it was replaced.
[[nodiscard]] double measure_departure(std::size_t leased);

struct queue {
  std::size_t waiting = 1000;
  std::size_t endpoints = 1000;
  balancing balance = balancing::least_loaded;
  bool full = false;  ///< No endpoint may have another connection; else only the pool may not.
};
/// Microseconds of CPU per returned connection, which one of those who wait gets, and the new
/// caller who queues instead.
[[nodiscard]] double measure_return(const queue& q);

}  // namespace redial::bench
