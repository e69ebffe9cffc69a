// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures as files of their own (SVG), for the README.

#include "churn/record.hpp"

#include <string>

namespace redial::churn {

/// The lanes of all clients, one below the other.
[[nodiscard]] std::string lead_picture(const run_record& run);

/// The same of one run of the suite and two of its clients: redial, and the first other one. The
/// run is the demo's if there is one, otherwise that in which most requests of the other one
/// failed, of those that both played.
/// \throws std::invalid_argument when there is no such run.
[[nodiscard]] std::string lead_picture(const suite_record& suite);

/// Scenarios x contestants: what failed, and how long old addresses were used.
[[nodiscard]] std::string grid_picture(const suite_record& suite);

}  // namespace redial::churn
