// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where and with what a run was made.

#include <string>
#include <utility>
#include <vector>

namespace redial::churn {

/// Machine, versions and `command`, for people.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> facts_of_this_machine(
    const std::string& command);

}  // namespace redial::churn
