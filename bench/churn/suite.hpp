// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several scenarios, one after the other.

#include "churn/record.hpp"
#include "churn/runner.hpp"
#include "churn/scenario.hpp"

#include <string>
#include <vector>

namespace redial::churn {

/// Those with the given names, in the order of the catalogue; `all`: all of them.
/// \throws std::invalid_argument naming a name that none has.
[[nodiscard]] std::vector<scenario> scenarios_named(const std::vector<std::string>& names,
                                                    bool quick);

/// Plays each scenario that can be played with `options.means`, and says on standard output which
/// cannot and why. \throws As `run`.
[[nodiscard]] suite_record run_suite(const std::vector<scenario>& scenarios,
                                     const std::vector<entrant>& entrants,
                                     const run_options& options,
                                     const std::string& command);

}  // namespace redial::churn
