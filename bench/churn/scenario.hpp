// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens to a service during a run, and when.

#include <redial/core/time.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace redial::churn {

class stage;

/// Something that happens once. `action` runs on the harness's main thread.
struct step {
  duration at{};
  std::string text;   ///< As `event_record::text` ...
  std::string label;  ///< ... and its label.
  std::function<void(stage&)> action;
};

struct scenario {
  std::string name;          ///< One word.
  std::string title;         ///< One line: what happened.
  duration length{};         ///< Of the load.
  duration ttl{};            ///< Of the service's records.
  duration ttl_cap{};        ///< What redial is told to honour at most.
  std::size_t backends = 0;  ///< `A`, `B`, ... in order; all running at the start.
  std::string first;         ///< Letters of those in DNS at the start.
  std::vector<step> steps;   ///< In the order of `at`.

  /// Longest time on an address that left DNS: the TTL as redial honours it, and a second for a
  /// replacement to be proven.
  [[nodiscard]] duration allowed_stale() const noexcept;
};

/// A service moves, loses its old addresses, loses a new one, restarts while DNS is silent, grows.
/// `quick`: the same in 8 seconds, with a TTL cap of 1 s.
[[nodiscard]] scenario demo_scenario(bool quick);

}  // namespace redial::churn
