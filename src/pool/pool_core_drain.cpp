// SPDX-License-Identifier: Apache-2.0
// The end of a pool that lets go of what it has instead of taking it away.

#include "pool/pool_core.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

// Leased connections stay leased: a caller who waits already may still get one that comes back.
void pool_core::drain(const drain_plan& plan, time_point now, pool_actions& out) {
  if (closed_) return;
  drain_.refuses = drain_.refuses || plan.refuses;
  drain_.by = std::min(drain_.by, plan.by);
  drain_.on = true;
  renewing_ = false;
  recovery_at_ = never;
  // Again each time: who drained before may have run out of memory here.
  for (pool_slot& s : slots_) {
    if (s.state == slot_state::idle) close_slot(s, close_reason::shutdown, {}, now, out);
  }
  pump(now, out);
}

// After every step, since every step may be the last.
void pool_core::follow_drain(time_point now, pool_actions& out) {
  if (!drain_.on || closed_) return;
  if (drain_.refuses && waiters_.empty()) {
    while (!opening_.empty()) abandon_opening(*opening_.front(), now, out);
    if (total() == 0) return close(now, out, {});
  }
  if (drain_.by <= now) close(now, out, errc::deadline_exceeded);
}

}  // namespace redial::inline REDIAL_ABI::detail
