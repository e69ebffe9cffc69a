// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two suites side by side.

#include "churn/outcomes.hpp"
#include "churn/record.hpp"

#include <string>
#include <vector>

namespace redial::churn {

enum class change {
  none,    ///< The ranges overlap, or nothing differs.
  better,  ///< Every new run is below every old one.
  worse,   ///< Every new run is above every old one.
};

/// One figure of one contestant in one scenario, over the runs of either suite.
struct compared {
  std::string figure;  ///< `measure::title`
  range before;
  range now;
  change verdict = change::none;
};

struct comparison {
  struct row {
    std::string scenario;
    std::string contestant;  ///< Title.
    std::size_t runs_before = 0;
    std::size_t runs_now = 0;
    std::vector<compared> figures;  ///< Empty unless both suites have runs.
  };
  std::vector<row> rows;  ///< Of the new suite, then what only the old one has.
};

/// Contestants are matched by their ids, scenarios by their names. With single runs every
/// difference has a verdict: only several runs tell one from noise.
[[nodiscard]] comparison compare(const suite_record& old_suite, const suite_record& new_suite);

/// `old -> new` with spreads; figures that are equal are left out.
[[nodiscard]] std::string text_of(const comparison& c);
/// A part of a page, well-formed.
[[nodiscard]] std::string html_of(const comparison& c);

}  // namespace redial::churn
