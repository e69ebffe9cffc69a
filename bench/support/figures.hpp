// SPDX-License-Identifier: Apache-2.0
#pragma once

// Measured figures, for people and for docs/performance.md.

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace redial::bench {

/// One measured figure. Ratios are taken within a round, then the median over the rounds.
struct figure {
  std::string name;  ///< What was done: `http GET, 8 in flight, 1 thread`.
  std::string what;  ///< What the number is: `requests/s, redial : Beast`.
  std::string unit;  ///< `ratio`, `bytes`, `queries/s`, ...
  double value = 0;  ///< Median over the rounds.
  double low = 0;    ///< Least and ...
  double high = 0;   ///< ... greatest of the rounds.
  std::size_t rounds = 0;
  // The demanded range of `value`; infinities where there is no demand.
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool has_demand() const noexcept;
  [[nodiscard]] bool met() const noexcept { return value >= at_least && value <= at_most; }
  /// `>= 0.95`, `<= 1.5`; empty when nothing is demanded.
  [[nodiscard]] std::string demand() const;
};

/// \throws std::invalid_argument when `rounds` is empty.
[[nodiscard]] figure figure_of(std::string name,
                               std::string what,
                               std::string unit,
                               std::vector<double> rounds);
[[nodiscard]] figure at_least(double limit, figure f);
[[nodiscard]] figure at_most(double limit, figure f);

/// With three digits where they matter: `0.973`, `1840`.
[[nodiscard]] std::string number_text(double value);

/// One line per figure, with the spread and whether the demand was met.
[[nodiscard]] std::string table(const std::vector<figure>& figures);

/// Writes `{"program", "command", "figures": [...]}`, the fields named as in `figure`, with the
/// demand as text in `must` and its outcome in `met`.
/// \throws std::runtime_error when the file cannot be written.
void write_json(const std::string& path,
                const std::string& program,
                const std::string& command,
                const std::vector<figure>& figures);

}  // namespace redial::bench
