// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a client goes where it goes: what is known about the name, and what the pool makes of it.

#include <redial/core/abi.hpp>
#include <redial/pool/explanation.hpp>
#include <redial/watch/explanation.hpp>

#include <string>

namespace redial::inline REDIAL_ABI {

/// Everything about one client, at one instant.
struct client_explanation {
  client_explanation() = default;

  explanation name;       ///< As the discovery sees it; for all its clients.
  pool_explanation pool;  ///< What its pool makes of that.
};

/// The text of both.
[[nodiscard]] REDIAL_API std::string to_string(const client_explanation& e);

}  // namespace redial::inline REDIAL_ABI
