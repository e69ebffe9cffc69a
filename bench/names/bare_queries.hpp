// SPDX-License-Identifier: Apache-2.0
#pragma once

// The least that the same DNS questions cost: c-ares in an epoll loop, answers thrown away.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::names_bench {

class bare_queries {
 public:
  /// `server` as `address:port`. \throws std::runtime_error when c-ares or epoll refuse.
  explicit bare_queries(const std::string& server);
  ~bare_queries();
  bare_queries(const bare_queries&) = delete;
  bare_queries& operator=(const bare_queries&) = delete;

  /// Asks `count` questions (A and AAAA of each name in turn), evenly over `span` in steps of 10
  /// ms, never more than `most_in_flight` at once, and waits for their answers. Returns how many
  /// were answered.
  std::uint64_t run(const std::vector<std::string>& names,
                    std::uint64_t count,
                    std::chrono::milliseconds span,
                    std::size_t most_in_flight);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::names_bench
