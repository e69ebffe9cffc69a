// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens to a service during a run, and when.

#include <redial/core/time.hpp>

#include "churn/plan.hpp"

#include <cstddef>
#include <functional>
#include <optional>
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
  /// An unplanned death: latency in the next 3 s is another matter.
  bool sudden = false;
};

/// From `from` on, the load is so many times the rate of the run.
struct load_change {
  duration from{};
  double factor = 1;
};

struct scenario {
  scenario() = default;

  std::string name;          ///< One word.
  std::string title;         ///< One line: what happened.
  duration length{};         ///< Of the load.
  duration ttl{};            ///< Of the service's records.
  duration ttl_cap{};        ///< What redial is told to honour at most.
  std::size_t backends = 0;  ///< `A`, `B`, ... in order.
  std::string first;         ///< Letters of those in DNS at the start.
  std::vector<step> steps;   ///< In the order of `at`.

  std::string later;      ///< Letters of those that do not run at the start.
  std::string strangers;  ///< Letters of those that are another service.
  /// Machines, an address each, that the backends share in turn: with three of them, D is on A's.
  /// Zero: one for each backend.
  std::size_t machines = 0;
  std::size_t addresses_each = 1;  ///< Addresses of one backend. More than one: `machines` is zero.
  bool tls = false;
  /// Clients that can are told how to recognise the service (`service_address::identity_path`).
  bool identity = false;
  /// Every backend has a port of its own, which SRV records name.
  bool srv = false;
  bool in_hosts_file = false;  ///< The names are there and in no DNS.
  bool behind_cache = false;   ///< The clients ask Unbound, which asks the authority.
  std::size_t sample = 0;      ///< Random records per answer. Zero: all.
  bool dns_faults = false;     ///< The name server fails at some time.
  bool filters_packets = false;
  /// Something happens that backends do in HTTP/1.1 only.
  bool http_faults = false;
  /// By what the rate is multiplied, from the start on. Empty: by nothing.
  std::vector<load_change> load;
  /// Where it is not the usual `allowed_stale()`.
  std::optional<duration> stale_limit;

  /// Longest time on an address that left DNS: the TTL as redial honours it, and a second for a
  /// replacement to be proven. For other sources of names, see their scenarios.
  [[nodiscard]] duration allowed_stale() const noexcept;
  /// Least time between two questions for one name and family that the TTL asks for.
  [[nodiscard]] duration effective_ttl() const noexcept;
};

/// A service moves, loses its old addresses, loses a new one, restarts while DNS is silent, grows.
/// `quick`: the same in 8 seconds, with a TTL cap of 1 s.
[[nodiscard]] scenario demo_scenario(bool quick);

/// The catalogue. `quick`: each in less than 10 seconds or little more, with a TTL cap of 1 s.
[[nodiscard]] std::vector<scenario> all_scenarios(bool quick);

/// The same service under the same load, and nothing happens to it. Named `<name>_without_fault`.
[[nodiscard]] scenario without_fault(scenario s);

/// The same with another length.
/// \throws std::invalid_argument when something would happen after its end.
[[nodiscard]] scenario with_length(scenario s, duration length);

}  // namespace redial::churn
