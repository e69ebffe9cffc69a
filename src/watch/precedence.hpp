// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several sources of endpoints for one target, the most trusted first: who serves, who is asked.

#include <redial/watch/snapshot.hpp>

#include <cstddef>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

struct precedence {
  std::size_t needed = 0;  ///< So many sources, from the first, are to be asked.
  snapshot_ptr serving;    ///< Null while the first has not said anything.
};

/// `known` holds the last snapshot of each source; null: none yet. The first with endpoints serves.
/// The next one is needed when all before it have spoken and have none.
[[nodiscard]] inline precedence decide(const std::vector<snapshot_ptr>& known) {
  precedence p;
  for (const snapshot_ptr& s : known) {
    ++p.needed;
    if (!s) return p;  // Wait: what it says may be better than what is below.
    p.serving = s;
    if (!s->endpoints.empty()) return p;
  }
  return p;
}

}  // namespace redial::inline REDIAL_ABI::detail
