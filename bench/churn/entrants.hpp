// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who can take part.

#include "churn/runner.hpp"

#include <string>
#include <vector>

namespace redial::churn {

/// Every client that this program knows. Those that it was built without refuse everything.
[[nodiscard]] const std::vector<entrant>& all_entrants();

/// Those with the given ids, in the order of `all_entrants`; all of them when there are none.
/// \throws std::invalid_argument naming an id that nobody has, and those there are.
[[nodiscard]] std::vector<entrant> entrants_named(const std::vector<std::string>& ids);

}  // namespace redial::churn
