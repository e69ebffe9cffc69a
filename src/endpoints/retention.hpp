// SPDX-License-Identifier: Apache-2.0
#pragma once

// Make before break: when a departed endpoint may be let go.

#include <redial/core/time.hpp>

#include "endpoints/endpoint_entry.hpp"

#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// True when what came in place of an endpoint that left at `departure` is proven: half of the
/// newly present endpoints have finished their first warming attempt, and some endpoint that has
/// not departed is active. Newly present are those that had not finished their first attempt then,
/// so also those that DNS showed shortly before it took the old ones out. `current`: all endpoints
/// that have not departed.
[[nodiscard]] bool is_replaced(const std::vector<endpoint_entry*>& current, happening departure);

}  // namespace redial::inline REDIAL_ABI::detail
