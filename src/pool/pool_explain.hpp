// SPDX-License-Identifier: Apache-2.0
#pragma once

// Says of each endpoint of a pool what it is, why, and what would change that.

#include <redial/pool/explanation.hpp>
#include <redial/pool/options.hpp>

#include "pool/pool_core.hpp"

namespace redial::inline REDIAL_ABI::detail {

/// Pure, and linear in slots and endpoints. Without `pool_explanation::name`.
[[nodiscard]] pool_explanation explain(pool_core& core, const pool_options& o, time_point now);

}  // namespace redial::inline REDIAL_ABI::detail
