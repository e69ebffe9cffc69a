// SPDX-License-Identifier: Apache-2.0
#pragma once

// Other people's clients.

#include "churn/runner.hpp"

#include <vector>

namespace redial::churn {

/// libcurl, gRPC, cpp-httplib and Go's net/http, in all their settings. One that this program was
/// built without refuses everything, saying which package it takes.
[[nodiscard]] std::vector<entrant> peer_entrants();

}  // namespace redial::churn
