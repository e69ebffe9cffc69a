// SPDX-License-Identifier: Apache-2.0
#pragma once

// The run as one HTML file that needs nothing else.

#include "churn/record.hpp"

#include <string>

namespace redial::churn {

/// Pictures inline, no script, nothing fetched; light or dark as the reader's system is.
[[nodiscard]] std::string html_report(const run_record& run);

}  // namespace redial::churn
