// SPDX-License-Identifier: Apache-2.0
#pragma once

// What joins a pool to a discovery.

#include <redial/core/abi.hpp>
#include <redial/core/target.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/watch/feed.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

/// The endpoints of `t` as `names` sees them, from `start()` to `stop()`. Keeps `names` alive.
/// \throws std::invalid_argument when `names` is null.
[[nodiscard]] REDIAL_API std::unique_ptr<endpoint_feed> make_feed(std::shared_ptr<discovery> names,
                                                                  const target& t);

}  // namespace redial::inline REDIAL_ABI
