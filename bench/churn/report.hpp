// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs as one HTML file that needs nothing else: pictures inline, no script, nothing fetched; light
// or dark as the reader's system is.

#include "churn/record.hpp"

#include <string>

namespace redial::churn {

/// The grid of scenarios and contestants, then each run in its own section, the first one open;
/// what a run is made of comes last. `old`: earlier results to compare with, or null.
[[nodiscard]] std::string html_report(const suite_record& suite, const suite_record* old = nullptr);

/// The same of a single run.
[[nodiscard]] std::string html_report(const run_record& run);

}  // namespace redial::churn
