// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long to wait before a retry.

#include <redial/core/time.hpp>

#include "watch/random_source.hpp"

namespace redial::inline REDIAL_ABI::detail {

/// `delay`, varied by up to `share` (0 to 1) of it in both directions, so that the clients that one
/// failure has hit do not come back in step. Never negative, at most `longest_duration`.
[[nodiscard]] duration spread(duration delay, double share, random_source& chance) noexcept;

/// The wait after `delay`: `factor` times as long, at most `longest`. Neither shrinks.
[[nodiscard]] duration grown(duration delay, double factor, duration longest) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
