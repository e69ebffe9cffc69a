// SPDX-License-Identifier: Apache-2.0
// What is opened, and for whom. Runs after everything that may have changed the need.

#include "pool/last_try.hpp"
#include "pool/pool_core_hot.hpp"

#include <algorithm>
#include <vector>

// Sources and reasons:
//
// - Connects belong to the pool. What counts is how many waiters no opening connection covers, not
//   who asked for which one (design, Choosing and waiting).
// - A connect that takes longer than `warm_stagger` covers nobody any more, provided that another
//   endpoint can be tried: a silent address must not hold callers for `connect_timeout` (RFC 8305
//   §5, fault 97). With one endpoint only, a second connect beside a slow one would gain nothing.
// - While callers wait and another endpoint can be tried, such slow connects keep three quarters of
//   the `max_connecting` places: else silent endpoints would hold all of them for
//   `connect_timeout`. Where every connect is slow, because the way is long, those three quarters
//   get through. With less than four places nothing makes way.
// - When the lighter of the two picked endpoints has no idle connection, the call takes an idle one
//   of the other. The lighter one gets a connection for the next call, one at a time, if it has
//   none or two leases less. Otherwise a new or restarted backend would stay without its share
//   until all others are busy, and a dead one would not be noticed.
// - At the total limit, an idle connection that nobody waiting wants makes room for one that is
//   needed: the first of a new endpoint, of a reset, or one to an untried endpoint. So does one
//   that comes back, when it is the longest waiting caller who needs it.
// - When no connection is open and every endpoint has refused since a caller came, it hears why at
//   once: its deadline may be far, and whether to try again is the caller's business. A refusal
//   from before its wait tells nothing of now, so that each caller waits for one more try.
// - At most `max_warming` connections are opened without demand at once, and spares at a bounded
//   rate, so that a mass drain is not followed by a rush (fault 148).

namespace redial::inline REDIAL_ABI::detail {

void pool_core::pump(time_point now, pool_actions& out) {
  if (closed_) return;
  coarse_now_ = now;
  backoff_end_ = never;
  short_of_room_ = false;
  spares_at_ = never;
  mark_overdue(now);
  serve_waiters(out);
  fail_waiters(out);
  if (!drain_.on || !waiters_.empty()) start_warming(now, out);
  start_renewal(now, out);
  start_demanded(now, out);
  if (drain_.on) {
    recovery_at_ = spares_at_ = probes_at_ = never;
  } else {
    start_recovery(now, out);
    start_spares(now, out);
    start_probes(now, out);
  }
  eager_ = !waiters_.empty() || short_of_room_ || drain_.on;
}

// Idle connections while somebody waits: what just became acceptable or usable.
void pool_core::serve_waiters(pool_actions& out) {
  if (waiters_.empty() || !is_anything_idle()) return;
  std::vector<std::pair<ticket, pool_slot*>> served;  // with room, since a lent one must get there
  const std::size_t most = std::min(waiters_.size(), count(slot_state::idle));
  served.reserve(most);
  out.waits_over.reserve(out.waits_over.size() + most);
  for (const auto& [t, w] : waiters_.in_order()) {
    endpoint_entry* home = home_of(w);
    if (home != nullptr && home->idle == 0) continue;
    pool_slot* s = home != nullptr ? &lend_top(*home) : take_untried_idle(w.tried);
    if (s != nullptr) {
      served.emplace_back(t, s);
      if (!is_anything_idle()) break;
    }
  }
  for (const auto& [t, s] : served) {
    --found_idle_;  // not at once
    ++served_;
    histograms_.checkout.add(coarse_now_ - waiters_.in_order().at(t).queued_at);
    waiters_.remove(t);
    out.waits_over.push_back({t, {}, s});
  }
}

// Those for whom waiting longer does not help.
void pool_core::fail_waiters(pool_actions& out) {
  if (waiters_.empty()) return;
  const bool served = !table_.choice().usable().empty();
  const error_code verdict = served ? error_code() : table_.verdict();
  if (!verdict && table_.has_open()) return;
  const happening failed = table_.all_failed_by();
  error_code refused = refusal_ ? refusal_ : last_error_;
  const bool withheld = !served && table_.is_withholding();
  if (withheld || !refused) refused = errc::no_usable_endpoint;
  const endpoint_entry* out_of_use = table_.last_out();
  if (out_of_use != nullptr && !withheld) refused = out_of_use->record.why;
  std::vector<pool_actions::served> over;
  for (const auto& [t, w] : waiters_.in_order()) {
    if (verdict) {
      over.push_back({t, verdict, nullptr});
    } else if (failed > w.since || out_of_use != nullptr) {
      over.push_back({t, refused, nullptr});
    }
  }
  for (const auto& o : over) turn_away(o.who, o.error, out);
}

bool pool_core::make_room(time_point now, pool_actions& out) {
  if (has_room()) return true;
  const auto any = [](const endpoint_entry&) { return true; };
  endpoint_entry* e = table_.choice().idle_bystander();
  if (e == nullptr) e = table_.choice().pick_spare(any);
  if (e == nullptr) return false;
  close_slot(*e->idle_bottom, close_reason::idle, {}, now, out);
  return has_room();
}

void pool_core::start_warming(time_point now, pool_actions& out) {
  while (!is_crowded() && table_.warming().is_ready(now)) {
    if (!make_room(now, out)) {
      short_of_room_ = true;
      return;
    }
    endpoint_entry& e = table_.warming().take(now);
    if (e.connections < options_.max_connections) {
      start_opening(e, opening_for::warming, now, out);
    } else {  // ejected, and its leases go on
      table_.warming().again(e, after(now, options_.warm_backoff_base));
    }
  }
}

bool pool_core::is_connectable(const endpoint_entry& e, time_point now) const noexcept {
  return table_.may_connect(e) && e.connections < options_.max_connections && e.not_before <= now;
}

bool pool_core::is_opening_for_demand() const noexcept {
  return std::any_of(opening_.begin(), opening_.end(), [](const pool_slot* s) {
    return s->purpose == opening_for::demand && !s->overdue;
  });
}

// A reset under way needs one connection of the new generation.
void pool_core::start_renewal(time_point now, pool_actions& out) {
  if (!renewing_ || table_.choice().usable().empty() || is_opening_for_demand()) return;
  if (is_crowded()) return;
  const auto ready = [&](const endpoint_entry& e) {
    return table_.may_connect(e) && e.not_before <= now && e.overdue == 0;
  };
  const auto fits = [&](const endpoint_entry& e) { return ready(e) && is_connectable(e, now); };
  endpoint_entry* e = table_.choice().pick(fits);
  if (e == nullptr) {
    e = table_.choice().pick(ready);  // full of old ones
    if (e == nullptr) return note_backoff(now);
    if (e->idle_bottom != nullptr) close_slot(*e->idle_bottom, close_reason::reset, {}, now, out);
  }
  if (!is_connectable(*e, now) || !make_room(now, out)) {
    short_of_room_ = true;
    return;
  }
  start_opening(*e, opening_for::demand, now, out);
}

void pool_core::mark_overdue(time_point now) noexcept {
  for (pool_slot* s : opening_) {
    if (s->overdue || s->purpose != opening_for::demand) continue;
    if (after(s->opening_since, overdue_after_) > now) continue;
    s->overdue = true;
    ++s->home->overdue;
  }
}

// Callers for whom nothing is on its way, in their order, until `visit` has seen enough. Thousands
// may wait while only `max_connecting` can be helped at once.
template <class Visit>
void pool_core::for_each_uncovered(const Visit& visit) {
  std::vector<const pool_slot*> coming;
  for (const pool_slot* s : opening_) {
    if (s->purpose == opening_for::demand && !s->overdue) coming.push_back(s);
  }
  std::size_t back_soon = count(slot_state::checking);
  if (waiters_.picky() == 0) {
    const auto serves = [](const pool_slot* s) { return s->home->is_serving(); };
    std::size_t covered = back_soon;
    for (const pool_slot* s : coming) covered += serves(s) ? 1U : 0U;
    if (covered >= waiters_.size()) return;
    for (const auto& [t, w] : waiters_.in_order()) {
      if (covered > 0) {
        --covered;
      } else if (!visit(w)) {
        return;
      }
    }
    return;
  }
  for (const auto& [t, w] : waiters_.in_order()) {
    const endpoint_entry* home = home_of(w);
    const auto fits = [&, &w = w](const pool_slot* s) {  // named, for clang before 16
      if (home != nullptr) return s->home == home;
      if (!is_offered(*s->home, w.tried)) return false;
      return wants(w.tried, *s->home) || !reach(w.tried);
    };
    const auto it = std::find_if(coming.begin(), coming.end(), fits);
    if (it != coming.end()) {
      coming.erase(it);
    } else if (!w.is_picky() && back_soon > 0) {
      --back_soon;
    } else if (!visit(w)) {
      return;
    }
  }
}

void pool_core::start_demanded(time_point now, pool_actions& out) {
  if (waiters_.empty() || table_.choice().usable().empty()) return;
  if (is_crowded()) return make_way(now);
  selector& choice = table_.choice();
  if (!has_room() && !choice.has_idle() && choice.idle_bystander() == nullptr) return;
  const auto& usable = choice.usable();
  const auto ready = [&](const endpoint_entry* e) { return is_connectable(*e, now); };
  if (std::none_of(usable.begin(), usable.end(), ready)) return note_backoff(now);
  bool in_vain = false;
  for_each_uncovered([&](const waiter& w) {
    if (connect_for(w, now, out)) return !is_crowded();
    in_vain = true;
    return w.is_picky();
  });
  if (in_vain) note_backoff(now);
}

// The youngest go, and at the next turn, since this one is not over.
void pool_core::make_way(time_point now) noexcept {
  const auto is_overdue = [](const pool_slot* s) { return s->overdue; };
  const auto overdue = static_cast<std::size_t>(std::ranges::count_if(opening_, is_overdue));
  const std::size_t most = options_.max_connecting - options_.max_connecting / 4;
  if (overdue <= most || opening_.size() - overdue >= waiters_.size()) return;
  const auto is_promising = [&](const endpoint_entry* e) {
    return e->overdue == 0 && is_connectable(*e, now);
  };
  if (std::ranges::none_of(table_.choice().usable(), is_promising)) return;
  std::size_t excess = overdue - most;
  for (auto s = opening_.rbegin(); excess > 0; ++s) {
    if (!is_overdue(*s)) continue;
    (*s)->open_by = std::min((*s)->open_by, now);
    --excess;
  }
}

bool pool_core::connect_for(const waiter& w, time_point now, pool_actions& out) {
  if (is_crowded()) return false;
  if (endpoint_entry* home = home_of(w)) {
    if (!is_connectable(*home, now) || !make_room(now, out)) return false;
    start_opening(*home, opening_for::demand, now, out);
    return true;
  }
  const auto tier = reach(w.tried);
  const auto fits = [&](const endpoint_entry& e) {
    return is_connectable(e, now) && (!tier || wants(w.tried, e));
  };
  const auto prompt = [&](const endpoint_entry& e) { return e.overdue == 0 && fits(e); };
  selector& choice = table_.choice();
  const bool beyond = w.is_picky() && tier && !choice.range()->contains(*tier);
  endpoint_entry* e = beyond ? choice.pick_in(*tier, prompt) : choice.pick(prompt);
  if (e == nullptr) {
    // Only slow ones are left. They cover as many as they are.
    if (opening_but_probes() >= waiters_.size()) return false;
    e = beyond ? choice.pick_in(*tier, fits) : choice.pick(fits);
  }
  if (e != nullptr && !beyond && table_.is_ramping() && table_.is_over_share(*e, now)) {
    const auto settled = [&](const endpoint_entry& o) { return !o.record.ramping && prompt(o); };
    if (endpoint_entry* other = choice.pick(settled)) e = other;
  }
  if (e == nullptr || !make_room(now, out)) return false;
  start_opening(*e, opening_for::demand, now, out);
  return true;
}

// Somebody waits for an endpoint that pauses after a failure.
void pool_core::note_backoff(time_point now) noexcept {
  for (const endpoint_entry* e : table_.choice().usable()) {
    if (e->not_before > now) backoff_end_ = std::min(backoff_end_, e->not_before);
  }
}

void pool_core::refill(time_point now, pool_actions& out) {
  refill_ = true;
  pump(now, out);
}

// One that failed backs off; a departed one is about to go.
void pool_core::feed_starved(time_point now, pool_actions& out) {
  endpoint_entry* e = table_.choice().take_starved();
  if (closed_ || e == nullptr || e->has_departed()) return;
  if (e->idle != 0 || e->opening != 0) return;  // since then
  if (!is_connectable(*e, now) || !has_room() || is_crowded()) return;
  start_opening(*e, opening_for::demand, now, out);
}

// Connections back from `checking` would be missed by the count, so it waits for them.
void pool_core::start_spares(time_point now, pool_actions& out) {
  if (!refill_ || !waiters_.empty() || count(slot_state::checking) > 0) return;
  bool complete = true;
  for (endpoint_entry* e : table_.choice().usable()) {
    if (e->has_departed()) continue;
    while (e->idle + e->coming() < options_.min_idle) {
      if (!is_connectable(*e, now) || !has_room() || is_crowded() ||
          opening_but_probes() >= options_.max_warming) {
        complete = false;
        break;
      }
      if (!spares_pace_.take(now, jitter_)) {
        spares_at_ = spares_pace_.next();
        return;
      }
      start_opening(*e, opening_for::demand, now, out);
    }
  }
  if (!complete) note_backoff(now);
  refill_ = !complete;
}

}  // namespace redial::inline REDIAL_ABI::detail
