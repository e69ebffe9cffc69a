// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the backends' logs to what a run shows.

#include "churn/record.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redial::churn {

/// One line of a backend's log: `<nanoseconds of the monotonic clock> <contestant> <request>
/// <connection>`.
struct log_line {
  time_point at{};
  std::string contestant;
  std::uint64_t id = 0;
  std::uint64_t connection = 0;  ///< A number that no other connection of the run has.
};

[[nodiscard]] std::string to_string(const log_line& line);

struct backend_log {
  std::vector<log_line> lines;
  std::size_t broken = 0;  ///< Lines that could not be read.
};

/// Reads what a backend wrote. A last line without its end is broken.
[[nodiscard]] backend_log parse_backend_log(std::string_view text);

/// Puts the requests of `log` among the servings of the run's contestants. `backend` is its index.
/// Lines of unknown contestants are left out.
void add_servings(run_record& run, std::size_t backend, const backend_log& log, time_point start);

/// Connections on which a backend heard a request of `contestant`.
[[nodiscard]] std::size_t connections_of(const std::string& contestant,
                                         const std::vector<backend_log>& logs);

/// How long and how much a contestant used addresses that had left DNS. Backends that share an
/// address share the time that it is in DNS.
struct stale_use {
  /// Longest time from an address leaving DNS to a request arriving there. Zero: none did.
  duration last{};
  std::size_t requests = 0;  ///< That arrived at an address after it had left DNS.
  std::size_t late = 0;      ///< Of those, later than `run_settings::allowed_stale`.
  std::size_t strays = 0;    ///< At a backend that DNS had not named yet, or never did.
};
[[nodiscard]] stale_use stale_use_of(const run_record& run, const contestant_record& c);

/// True when `backend` was in DNS at `at`.
[[nodiscard]] bool in_dns(const backend_record& backend, duration at) noexcept;

/// Answers for which no backend has logged a request: the harness itself would be wrong then.
[[nodiscard]] std::size_t unlogged_answers(const contestant_record& c);

}  // namespace redial::churn
