// SPDX-License-Identifier: Apache-2.0
#pragma once

// A suite at a glance: scenarios x contestants, and its figures as numbers.

#include "churn/record.hpp"
#include "churn/results.hpp"

#include <string>
#include <vector>

namespace redial::churn {

/// A figure of a contestant as a number; NaN when nobody has counted. Less is better, except of
/// `requests`.
struct measure {
  std::string column;  ///< In CSV: `latency_p99_ms`.
  std::string title;   ///< For people: `latency p99, ms`.
  double (*of)(const summary&);
};
[[nodiscard]] const std::vector<measure>& measures();

/// Median and extremes over the runs of one scenario.
struct range {
  double median = 0;
  double low = 0;
  double high = 0;
};
/// \throws std::invalid_argument when `values` is empty.
[[nodiscard]] range range_of(std::vector<double> values);

/// `12`, `0.5`; with a spread `12 (3 to 40)`.
[[nodiscard]] std::string text_of(const range& r);

enum class grade {
  good,     ///< Nothing failed; no address was used for longer than allowed after it left DNS.
  fair,     ///< Nothing failed.
  bad,      ///< Requests failed.
  missing,  ///< It did not take part.
};

/// What became of one contestant in one scenario.
struct outcome {
  std::string absent;  ///< Why it took part in no run.
  bool complete_answers = true;
  std::vector<summary> rounds;  ///< One per run in which it took part.
};
[[nodiscard]] grade grade_of(const outcome& o);
/// Failed requests, and seconds from an address leaving DNS to the last request there.
/// \throws std::invalid_argument when it was missing.
[[nodiscard]] range failed_in(const outcome& o);
[[nodiscard]] range stale_in(const outcome& o);
/// `0 failed`. Empty when it was missing.
[[nodiscard]] std::string failed_text(const outcome& o);
/// `old address 2.1 s`, `no old address`. Empty when it was missing.
[[nodiscard]] std::string stale_text(const outcome& o);

/// Scenarios and contestants in the order of their first run.
struct grid {
  struct head {
    std::string id;
    std::string title;
  };
  std::vector<head> scenarios;
  std::vector<head> contestants;
  std::vector<std::vector<outcome>> cells;  ///< By scenario, then by contestant.
};
[[nodiscard]] grid grid_of(const suite_record& suite);

/// The grid for a terminal, with a line for each that was absent.
[[nodiscard]] std::string table(const suite_record& suite);

}  // namespace redial::churn
