// SPDX-License-Identifier: Apache-2.0
#pragma once

// One run as a part of a page.

#include "churn/record.hpp"

#include <string>

namespace redial::churn {

/// What happened, the pictures, the figures and the settings. Well-formed XML.
[[nodiscard]] std::string html_of(const run_record& run);

/// `<td class="css">text</td>`
[[nodiscard]] std::string html_cell(const std::string& text, const std::string& css);

}  // namespace redial::churn
