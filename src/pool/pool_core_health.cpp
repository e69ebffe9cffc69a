// SPDX-License-Identifier: Apache-2.0
// What the health of endpoints does to connections, and health probes.

#include "pool/pool_core.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

// Reasons:
//
// - A probe opens a connection of its own: an idle one may be dead without any fault of the
// endpoint,
//   and opening is part of what has to work. It is closed afterwards, so that probes do not keep
//   connections open that nobody uses.
// - Leases on an ejected endpoint go on: they may be well, and no call fails because others did.
//   Those on a quarantined one are drained, since nobody knows who reads them.
// - Silent endpoints hold probes for long. So these take half of `max_connecting` at most. They
//   count neither as connections that somebody will get nor against `max_warming`.

namespace redial::inline REDIAL_ABI::detail {

duration pool_core::time_to_open(opening_for purpose) const noexcept {
  if (purpose == opening_for::probe) return options_.health.probe_timeout;
  if (purpose != opening_for::warming || options_.health.probe == nullptr) {
    return options_.connect_timeout;
  }
  return options_.connect_timeout + options_.health.probe_timeout;
}

void pool_core::take_out_of_use(const table_changes& changes, time_point now, pool_actions& out) {
  if (const auto& p = changes.turned) tell(out, panic_news{p->begun, p->healthy, p->endpoints});
  for (const endpoint_entry* e : changes.quarantined) {
    out.refresh = true;
    for (pool_slot& s : slots_) {
      if (s.home == e) begin_drain(s, close_reason::quarantined, now, out);
    }
  }
  for (endpoint_entry* e : changes.shunned) {
    drop_idle(*e, close_reason::ejected, out, now);
    for (pool_slot& s : slots_) {
      if (s.home != e || s.state != slot_state::opening) continue;
      if (s.purpose == opening_for::warming || s.purpose == opening_for::probe) continue;
      abandon_opening(s, now, out);
    }
  }
}

endpoint_entry& pool_core::ease_in(endpoint_entry& chosen) noexcept {
  if (table_.choice().is_moody()) return chosen;  // the user's word
  if (!table_.is_over_share(chosen, coarse_now_)) return chosen;
  endpoint_entry* other =
      table_.choice().pick_idle([](const endpoint_entry& e) { return !e.record.ramping; });
  return other != nullptr ? *other : chosen;
}

void pool_core::check_failed(pool_slot& s,
                             std::shared_ptr<pooled_connection> connection,
                             const error_code& why,
                             time_point now,
                             pool_actions& out) {
  ++counters_.opened;
  count_closed(close_reason::probed);
  out.to_close.push_back(std::move(connection));
  open_failed(s, why, now, out, true);
}

void pool_core::schedule_probe(endpoint_entry& e,
                               double least,
                               double most,
                               time_point now) noexcept {
  if (options_.health.probe == nullptr) return;
  e.record.next_probe = after(now, jitter_.share(options_.health.probe_interval, least, most));
  probes_at_ = std::min(probes_at_, e.record.next_probe);
}

// Newcomers and quarantined ones are probed by their warming.
void pool_core::start_probes(time_point now, pool_actions& out) {
  if (now < probes_at_) return;
  probes_at_ = never;
  for (endpoint_entry* e : table_.current()) {
    const bool proven = e->state == health::active || e->state == health::ejected;
    if (!proven || e->record.probing) continue;
    const bool possible = probing_ < std::max<std::size_t>(1, options_.max_connecting / 2) &&
                          has_room() && !is_crowded() && table_.may_connect(*e) &&
                          e->connections < options_.max_connections;
    if (e->record.next_probe <= now && !possible) {
      schedule_probe(*e, 0.9, 1.1, now);
    } else if (e->record.next_probe <= now) {
      e->record.probing = true;
      ++probing_;
      ++counters_.probes;
      start_opening(*e, opening_for::probe, now, out);
      continue;
    }
    probes_at_ = std::min(probes_at_, e->record.next_probe);
  }
}

void pool_core::end_probe(pool_slot& s, const error_code& why, time_point now, pool_actions& out) {
  BOOST_ASSERT(s.state == slot_state::opening && s.purpose == opening_for::probe);
  endpoint_entry& e = *s.home;  // not drained: its openings would have been abandoned
  s.operation = nullptr;
  const duration took = now - s.opening_since;
  if (why.failed()) {
    tell_connection(s, connection_change::failed, {}, why, took, out);
  } else {
    tell_connection(s, connection_change::opened, {}, {}, took, out);
    tell_connection(s, connection_change::closed, close_reason::probed, {}, {}, out);
  }
  vacate(s);
  schedule_probe(e, 0.9, 1.1, now);
  if (!(why == condition::local_fault)) {
    if (why.failed()) ++counters_.probe_failures;
    table_changes changes;
    table_.probed(e, why, now, changes);
    carry_out(changes, now, out);
  }
  pump(now, out);
}

}  // namespace redial::inline REDIAL_ABI::detail
