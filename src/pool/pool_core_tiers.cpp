// SPDX-License-Identifier: Apache-2.0
// Which endpoints a caller may be served by, and the way back to a better tier.

#include "pool/last_try.hpp"
#include "pool/pool_core.hpp"

#include <algorithm>
#include <vector>

// Rules and reasons:
//
// - The serving tier serves (tiers.hpp). A caller that has tried all of it goes on to the next one,
//   rather than fail or meet the same endpoints again; only who has tried everything does that.
// - While a worse tier serves, nobody asks for the better ones, so the pool does, on the schedule
// of
//   warming: what cannot be reached for long is asked every `warm_backoff_max`. One that answers
//   makes its tier serve again. Connections of the worse tier then rest until `idle_timeout`.

namespace redial::inline REDIAL_ABI::detail {

// One that refuses, is slow to answer or may not be connected to is worth no wait as long as one
// that was tried can be connected to.
bool pool_core::may_serve(const endpoint_entry& e) const noexcept {
  if (e.idle > 0 || e.connections >= options_.max_connections) return true;
  return table_.may_connect(e) && e.failures == 0 && e.overdue == 0;
}

// The best tier, from the serving one on, in which this caller has something left to try.
std::optional<std::uint16_t> pool_core::reach(const tries& tried) const noexcept {
  std::optional<std::uint16_t> found;
  const auto& range = table_.choice().range();
  if (!range) return found;
  for (const endpoint_entry* e : table_.choice().usable()) {
    if (e->priority < range->best || (found && *found <= e->priority)) continue;
    if (!wants(tried, *e) || !may_serve(*e)) continue;
    found = e->priority;
    if (*found == range->best) break;
  }
  return found;
}

bool pool_core::is_offered(const endpoint_entry& e, const tries& tried) const noexcept {
  if (e.is_serving()) return true;
  const auto& range = table_.choice().range();
  if (tried.empty() || !range || e.priority < range->best) return false;
  const auto tier = reach(tried);
  return !tier || e.priority <= *tier;
}

endpoint_entry* pool_core::pick_untried_idle(const tries& tried) noexcept {
  const auto untried = [&](const endpoint_entry& e) { return e.idle != 0 && wants(tried, e); };
  selector& choice = table_.choice();
  if (endpoint_entry* e = choice.pick_idle(untried)) return e;
  const auto tier = reach(tried);
  if (!tier || choice.range()->contains(*tier)) return nullptr;
  return choice.pick_in(*tier, untried);
}

// For anybody who waits: those who were failed may go further than others.
bool pool_core::is_anything_idle() noexcept {
  selector& choice = table_.choice();
  return choice.has_idle() || (waiters_.picky() > 0 && choice.idle_bystander() != nullptr);
}

// Who has been due for longest goes first, or the silent ones of a large tier, due again soon,
// would keep others of it from ever being asked.
void pool_core::start_recovery(time_point now, pool_actions& out) {
  recovery_at_ = never;
  const selector& choice = table_.choice();
  if (!choice.is_degraded()) return;
  std::vector<endpoint_entry*> due;
  for (endpoint_entry* e : choice.usable()) {
    if (e->priority >= choice.range()->best || e->coming() > 0) continue;
    if (e->has_departed() || !table_.may_connect(*e)) continue;
    if (e->state == health::ejected) continue;  // has its own way back
    if (e->probe_at > now) {
      recovery_at_ = std::min(recovery_at_, e->probe_at);
    } else {
      due.push_back(e);
    }
  }
  std::ranges::stable_sort(due, {}, &endpoint_entry::probe_at);
  for (endpoint_entry* e : due) {
    if (opening_but_probes() >= options_.max_warming || is_crowded()) return;
    if (!choice.is_degraded()) return;
    if (make_room_for_recovery(now, out)) start_opening(*e, opening_for::recovery, now, out);
  }
}

// Not by the last idle connection of what serves. Else at the next return.
bool pool_core::make_room_for_recovery(time_point now, pool_actions& out) {
  const auto spare = [](const endpoint_entry& e) { return e.idle > 1; };
  if (has_room()) return true;
  selector& choice = table_.choice();
  const endpoint_entry* e = choice.idle_bystander();
  if (e == nullptr) e = choice.pick_spare(spare);
  if (e != nullptr) close_slot(*e->idle_bottom, close_reason::idle, {}, now, out);
  short_of_room_ = short_of_room_ || !has_room();
  return has_room();
}

}  // namespace redial::inline REDIAL_ABI::detail
