// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is measured, each time in a process of its own that does nothing else: one thread, one
// client, default options but for the limits that the number of connections needs.

#include "scale/peer.hpp"

#include <cstddef>

namespace redial::bench {

struct trial {
  const peer* other = nullptr;
  std::size_t connections = 1;
  std::size_t endpoints = 1;  ///< A power of ten; the connections are spread evenly.
  bool tls = false;
  double seconds = 1;  ///< How long nothing happens while CPU time is taken.
  std::size_t requests = 1000;
};

/// Per connection (the client's own share is in it), but for the last four.
struct idle_cost {
  double heap = 0;         ///< Bytes, without OpenSSL's.
  double tls_heap = 0;     ///< Bytes of OpenSSL.
  double blocks = 0;       ///< Allocations that make up the heap.
  double resident = 0;     ///< Bytes.
  double cpu = 0;          ///< Of the process, microseconds per second, while nothing happens.
  double wakes = 0;        ///< Times per second that it woke.
  double request_cpu = 0;  ///< Microseconds per request of one byte, one at a time.
  double peak = 0;         ///< Most heap bytes at once.
};
[[nodiscard]] idle_cost measure_idle(const trial& t);

struct drain_cost {
  double idle_seconds = 0;    ///< From `async_drain` to its completion, all connections idle.
  double leased_seconds = 0;  ///< The same, all of them leased and returned right after.
  double leased_cpu = 0;      ///< Microseconds per connection of it.
};
[[nodiscard]] drain_cost measure_drain(const trial& t);

/// `connections` does not matter: each endpoint gets its first one.
struct start_cost {
  double first = 0;  ///< Seconds from the client's construction to the first answered request.
  double warm = 0;   ///< ... to a connection to every endpoint.
  double cpu = 0;    ///< Microseconds per endpoint, until then.
  double peak = 0;   ///< Most heap bytes at once, per endpoint.
};
[[nodiscard]] start_cost measure_start(const trial& t);

}  // namespace redial::bench
