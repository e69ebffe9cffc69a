// SPDX-License-Identifier: Apache-2.0
#pragma once

// Snapshots that no DNS answer stands behind.

#include <redial/core/target.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include <string>

namespace redial::inline REDIAL_ABI::detail {

/// The only snapshot of a literal, of `static://`, and of `localhost` (in the families that are
/// on): fresh for ever.
[[nodiscard]] snapshot_ptr fixed_snapshot(const target& t, const watch_options& options);

/// The same, explained.
void explain_fixed(const target& t, const watch_options& options, explanation& e);

/// For a subscriber that waits for a first snapshot when the discovery is closed.
[[nodiscard]] snapshot_ptr closed_snapshot(const std::string& name);

}  // namespace redial::inline REDIAL_ABI::detail
