// SPDX-License-Identifier: Apache-2.0
// What snapshots, resets and the end of the pool do to connections.

#include "pool/pool_core.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

void pool_core::apply(const snapshot& s, time_point now, pool_actions& out) {
  if (closed_) return;
  expire_waiters(now, out);
  table_changes changes;
  if (!table_.apply(s, now, changes)) return;
  carry_out(changes, now, out);
  pump(now, out);
}

// One pass over the slots, however many endpoints are drained at once.
void pool_core::carry_out(const table_changes& changes, time_point now, pool_actions& out) {
  for (const auto& c : changes.told) {
    ++counters_.changes[static_cast<std::size_t>(c.what)];
    tell(out, endpoint_news{c.where, c.what, c.error});
  }
  for (std::size_t i = 0; i < changes.seen.size(); ++i) counters_.changes[i] += changes.seen[i];
  take_out_of_use(changes, now, out);
  if (changes.drained.empty()) return;
  bool any_connection = false;
  for (endpoint_entry* e : changes.drained) {
    if (e->state != health::warming) {
      const bool used = e->last_leased > e->missing_since;
      histograms_.departed_use.add(used ? e->last_leased - e->missing_since : duration::zero());
    }
    if (e->connections == 0) {
      table_.release(*e);
    } else {
      any_connection = true;
    }
  }
  if (!any_connection) return;
  for (pool_slot& s : slots_) {
    if (s.home != nullptr && s.home->presence == standing::drained) {
      begin_drain(s, close_reason::departed, now, out);
    }
  }
}

bool pool_core::reset(const error_code& cause, time_point now, pool_actions& out) {
  const bool too_soon = ever_reset_ && now < after(last_reset_, options_.min_reset_interval);
  if (closed_ || drain_.on || renewing_ || too_soon) {
    if (!closed_ && !drain_.on) {
      ++counters_.resets_suppressed;
      tell(out, reset_news{true, cause});
    }
    return false;
  }
  ever_reset_ = true;
  last_reset_ = now;
  ++counters_.resets;
  ++generation_;
  // With nothing open there is nothing to replace.
  renewing_ = total() > count(slot_state::opening);
  out.refresh = true;
  tell(out, reset_news{false, cause});
  pump(now, out);
  return true;
}

// The first connection of the new generation is open: the old ones go.
void pool_core::finish_reset(time_point now, pool_actions& out) {
  renewing_ = false;
  for (pool_slot& s : slots_) {
    if (s.state == slot_state::vacant || s.state == slot_state::opening) continue;
    if (s.generation < generation_) begin_drain(s, close_reason::reset, now, out);
  }
}

void pool_core::close(time_point now, pool_actions& out, const error_code& ends_drain) {
  if (closed_) return;
  // All the memory first, so that it is closed or not.
  out.waits_over.reserve(out.waits_over.size() + waiters_.size());
  out.leases_cancelled.reserve(out.leases_cancelled.size() + slots_.size());
  out.to_close.reserve(out.to_close.size() + slots_.size());
  out.to_cancel.reserve(out.to_cancel.size() + slots_.size());
  if (options_.listener != nullptr) out.news.reserve(out.news.size() + slots_.size());
  closed_ = true;
  drain_.result = ends_drain;
  renewing_ = false;
  while (!waiters_.empty()) {
    const ticket first = waiters_.in_order().begin()->first;  // not told: its owner closes it
    waiters_.remove(first);
    out.waits_over.push_back({first, errc::closed, nullptr});
  }
  for (pool_slot& s : slots_) {
    if (s.state == slot_state::leased || (s.state == slot_state::draining && !s.cancelled)) {
      cancel_lease(s, close_reason::shutdown, errc::closed, now, out);
    } else {
      begin_drain(s, close_reason::shutdown, now, out);
    }
  }
  tick_at_ = sweep_at_ = scan_at_ = backoff_end_ = recovery_at_ = spares_at_ = probes_at_ = never;
  eager_ = true;
  // Last: without the memory for it, entries are all that stays.
  table_changes changes;
  table_.drain_all(changes);
  for (endpoint_entry* e : changes.drained) {
    if (e->connections == 0) table_.release(*e);
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
