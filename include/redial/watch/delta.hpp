// SPDX-License-Identifier: Apache-2.0
#pragma once

// What changed from one snapshot of a target to the next.

#include <redial/core/abi.hpp>
#include <redial/watch/snapshot.hpp>

#include <vector>

namespace redial::inline REDIAL_ABI {

/// What changed from one snapshot to another.
struct endpoint_delta {
  endpoint_delta() = default;

  std::vector<snapshot_entry> added;    ///< New lives: not there before, or departed in between.
  std::vector<snapshot_entry> removed;  ///< As they were.
  /// Presence, doubt, priority, weight or metadata are others now.
  std::vector<snapshot_entry> changed;

  /// True when no endpoint differs.
  [[nodiscard]] bool empty() const noexcept {
    return added.empty() && removed.empty() && changed.empty();
  }
};

/// `before` may be null: everything is new then. Linear in the number of endpoints.
[[nodiscard]] REDIAL_API endpoint_delta delta_between(const snapshot_ptr& before,
                                                      const snapshot& after);

}  // namespace redial::inline REDIAL_ABI
