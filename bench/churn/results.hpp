// SPDX-License-Identifier: Apache-2.0
#pragma once

// The figures of a run, and the run as a file.

#include "churn/histogram.hpp"
#include "churn/record.hpp"
#include "churn/recorder.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace redial::churn {

struct summary {
  std::size_t requests = 0;
  std::size_t failed = 0;
  std::size_t retried = 0;  ///< Answered, and not by the first attempt.
  stale_use stale;
  std::uint64_t connections = 0;
  std::uint64_t dns_queries = 0;
  histogram latency;   ///< From planned time to the end, failures included.
  histogram lateness;  ///< Of the load generator: from planned to sent.
};
[[nodiscard]] summary summarize(const run_record& run, const contestant_record& c);

/// One row of the table: a value per contestant.
struct figure {
  std::string title;
  std::vector<std::string> values;
};
[[nodiscard]] std::vector<figure> figures(const run_record& run);

/// The table of all contestants, in plain text.
[[nodiscard]] std::string table(const run_record& run);

/// In one sentence, what became of `c`'s requests.
[[nodiscard]] std::string verdict(const run_record& run, const contestant_record& c);

/// What a run promised and did not keep; empty when all is well. The promise is redial's: nobody
/// else is judged, except the harness.
[[nodiscard]] std::vector<std::string> broken_promises(const run_record& run);

/// The raw run. Times are microseconds from its start; an open end is null. `requests` are columns
/// of equal length: `planned`, `waited` (planned to sent), `took` (planned to done), `ok`,
/// `attempts`, `backend` or -1, `error` or -1 with `errors` as the table of texts. `servings` are,
/// by backend, the columns `request` and `at`. Who did not take part has `absent` instead.
[[nodiscard]] nlohmann::json to_json(const run_record& run);
/// \throws nlohmann::json::exception, std::invalid_argument when `j` is no such run.
[[nodiscard]] run_record run_from_json(const nlohmann::json& j);

/// `{"format", "command", "runs": [...]}`, each run as above.
[[nodiscard]] nlohmann::json to_json(const suite_record& suite);
/// A single run is a suite of one.
/// \throws nlohmann::json::exception, std::invalid_argument when `j` is neither.
[[nodiscard]] suite_record suite_from_json(const nlohmann::json& j);

}  // namespace redial::churn
