// SPDX-License-Identifier: Apache-2.0
// Who gets a connection, and what becomes of one that comes back.

#include "pool/last_try.hpp"
#include "pool/pool_core_hot.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

close_reason reason_of(lease_end how) noexcept {
  switch (how) {
    case lease_end::poisoned:
      return close_reason::poisoned;
    case lease_end::moved:
      return close_reason::moved;
    case lease_end::spent:
      return close_reason::spent;
    case lease_end::returned:
    case lease_end::reset:
    case lease_end::timed_out:
    case lease_end::failed:
    case lease_end::unwell:
      break;
  }
  return close_reason::error;
}

// What an endpoint is held to have done, for a holder who does not say.
error_code cause_of(lease_end how, const error_code& why) noexcept {
  if (why.failed()) return why;
  switch (how) {
    case lease_end::reset:
      return errc::peer_closed;
    case lease_end::timed_out:
      return errc::attempt_timeout;
    case lease_end::unwell:
      return errc::unavailable_status;
    default:
      return make_error_code(boost::system::errc::io_error);
  }
}

bool is_failure(lease_end how) noexcept {
  return how == lease_end::reset || how == lease_end::timed_out || how == lease_end::failed ||
         how == lease_end::unwell;
}

}  // namespace

// An endpoint that was tried is asked again only when there is no other, and then only by a
// connection that was opened after the failure.
bool pool_core::takes(const waiter& w, const pool_slot& s) noexcept {
  if (const endpoint_entry* home = home_of(w, s.home)) return s.home == home;
  if (!is_offered(*s.home, w.tried)) return false;
  const tried_endpoint* last = last_try(w.tried, s.home->id);
  if (last == nullptr) return true;
  return s.home->is_serving() && (s.opened > w.since || s.opened_at >= last->failed_at) &&
         !reach(w.tried);
}

// What a user's policy has said holds as long as the waiter can be served there: what is opened for
// it must not be somebody else's when it is open. Where a key belongs is noted too: all who wait
// are asked at every return, and finding it takes a look at every endpoint. `here` has a connection
// that is none of the idle ones yet. Null: the policy does not care, or nobody can serve, so that
// any connection will do.
endpoint_entry* pool_core::home_of(const waiter& w, endpoint_entry* here) noexcept {
  if (!w.is_guided) return nullptr;
  selector& choice = table_.choice();
  const auto fits = [&](const endpoint_entry& e) {
    return e.is_serving() && (&e == here || choice.can_serve(e));
  };
  endpoint_entry* noted = nullptr;
  if (choice.is_moody()) {
    noted = table_.find(w.home);
  } else if (w.first_as_of == choice.changes()) {
    noted = w.first;
  }
  if (noted != nullptr && fits(*noted)) return noted;
  const auto untried = [&w](const endpoint_entry& e) { return wants(w.tried, e); };
  endpoint_entry* home = choice.pick_home(w.key, untried, here, &w.first);
  w.first_as_of = choice.changes();
  w.home = home != nullptr ? home->id : 0;
  return home;
}

pool_slot* pool_core::take_idle(const tries& tried, const endpoint_key& key) noexcept {
  selector& choice = table_.choice();
  if (choice.guides(key)) {
    const auto untried = [&tried](const endpoint_entry& e) { return wants(tried, e); };
    endpoint_entry* home = choice.pick_home(key, untried);
    if (home != nullptr) return home->idle != 0 ? &lend_top(*home) : nullptr;
  }
  return take_untried_idle(tried);
}

pool_slot* pool_core::take_untried_idle(const tries& tried) noexcept {
  if (tried.empty()) {
    if (!table_.choice().is_moody()) return take_idle();
    const auto anybody = [](const endpoint_entry&) { return true; };
    endpoint_entry* e = table_.choice().pick_spare(anybody);  // it was asked, and has no opinion
    return e != nullptr ? &lend_top(*e) : nullptr;
  }
  if (endpoint_entry* e = pick_untried_idle(tried)) return &lend_top(*e);
  if (reach(tried)) return nullptr;
  pool_slot* found = nullptr;
  const auto fresh = [&](const endpoint_entry& e) {
    const time_point since = last_try(tried, e.id)->failed_at;
    for (found = e.idle_top; found != nullptr; found = found->below) {
      if (found->opened_at >= since) return true;
    }
    return false;
  };
  endpoint_entry* e = table_.choice().pick_idle(fresh);
  if (e == nullptr || !fresh(*e)) return nullptr;
  ++found_idle_;
  become(*found, slot_state::leased);
  lent(*found, *found->home);
  return found;
}

error_code pool_core::why_nothing() const noexcept {
  if (closed_ || drain_.refuses) return errc::closed;
  return table_.choice().usable().empty() ? errc::no_usable_endpoint : errc::no_idle_connection;
}

error_code pool_core::enqueue(ticket t,
                              const checkout_options& o,
                              time_point now,
                              pool_actions& out) {
  if (closed_ || drain_.refuses) return errc::closed;
  const auto refused = [&](const error_code& why) {
    tell(out, checkout_news{why, {}});
    return why;
  };
  if (table_.verdict() && table_.choice().usable().empty()) return refused(table_.verdict());
  const time_point deadline = deadline_of(o.deadline, o.timeout, options_.checkout_timeout, now);
  if (deadline <= now) {
    ++counters_.checkout_timeouts;
    return refused(timeout_error());
  }
  expire_waiters(now, out);
  if (waiters_.size() >= options_.queue_limit) {
    ++counters_.queue_rejections;
    return refused(errc::queue_full);
  }
  const bool guided = table_.choice().guides(o.key);
  waiters_.add(t, waiter{deadline, o.tried, table_.last_happening(), now, o.key, guided});
  pump(now, out);
  return {};
}

bool pool_core::cancel(ticket t) {
  if (!waiters_.remove(t)) return false;
  eager_ = !waiters_.empty() || short_of_room_ || drain_.on;
  return true;
}

std::optional<ticket> pool_core::first_taker(const pool_slot& s) noexcept {
  for (const auto& [t, w] : waiters_.in_order()) {
    if (takes(w, s)) return t;
  }
  return std::nullopt;
}

// At the total limit, who waits longest would be passed over as long as others queue: nothing that
// it takes is open, so nothing that comes back is for it. Then what comes back makes room.
bool pool_core::is_first_stranded(const pool_slot& s, time_point now) noexcept {
  if (waiters_.picky() == 0 || has_room() || is_crowded()) return false;
  const waiter& w = waiters_.in_order().begin()->second;
  if (!w.is_picky() || takes(w, s)) return false;
  if (const endpoint_entry* home = home_of(w, s.home)) {
    return home->connections == 0 && is_connectable(*home, now);
  }
  bool connectable = false;
  for (const endpoint_entry* e : table_.choice().usable()) {
    if (!e->is_serving() || !wants(w.tried, *e)) continue;
    if (e->connections > 0) return false;
    connectable = connectable || is_connectable(*e, now);
  }
  return connectable;
}

void pool_core::lend_to(ticket t, pool_slot& s, pool_actions& out) {
  out.waits_over.push_back({t, {}, &s});
  histograms_.checkout.add(coarse_now_ - waiters_.in_order().at(t).queued_at);
  waiters_.remove(t);
  become(s, slot_state::leased);
  lent(s, *s.home);
  table_.choice().lent_directly(*s.home);
  ++served_;
}

// Out of the queue without a connection.
void pool_core::turn_away(ticket t, const error_code& why, pool_actions& out) {
  room_for_one_more(out.waits_over);
  tell(out, checkout_news{why, coarse_now_ - waiters_.in_order().at(t).queued_at});
  waiters_.remove(t);
  out.waits_over.push_back({t, why, nullptr});
}

// A connection is free: to who waits longest, else to rest.
void pool_core::hand_on(pool_slot& s, time_point now, pool_actions& out) {
  coarse_now_ = now;
  if (s.doom) return close_slot(s, *s.doom, {}, now, out);
  if (!s.home->is_usable()) return close_slot(s, close_reason::ejected, {}, now, out);
  if (s.expires_at <= now) return close_slot(s, close_reason::lifetime, {}, now, out);
  if (short_of_room_) {
    // What must be opened would never find room as long as callers queue for the old ones.
    const bool outdated = renewing_ && s.generation < generation_;
    if (outdated) return close_slot(s, close_reason::reset, {}, now, out);
    if (s.home->has_departed()) return close_slot(s, close_reason::departed, {}, now, out);
  }
  if (is_first_stranded(s, now)) return close_slot(s, close_reason::idle, {}, now, out);
  if (const auto t = first_taker(s)) return lend_to(*t, s, out);
  if (drain_.on) return close_slot(s, close_reason::shutdown, {}, now, out);
  rest_and_watch(s, s.state == slot_state::checking ? s.idle_since : now, now);
}

void pool_core::report(const endpoint_entry& e, endpoint_outcome outcome, pool_actions& out) const {
  out.reports.push_back({e.where, outcome, table_.is_last_usable(e)});
}

void pool_core::drop_idle(endpoint_entry& e,
                          close_reason reason,
                          pool_actions& out,
                          time_point now) {
  while (e.idle_top != nullptr) close_slot(*e.idle_top, reason, {}, now, out);
  doom_checking(e, reason);
}

void pool_core::doom_checking(const endpoint_entry& e, close_reason reason) noexcept {
  if (count(slot_state::checking) == 0) return;
  for (pool_slot& s : slots_) {
    if (s.state == slot_state::checking && s.home == &e && !s.doom) s.doom = reason;
  }
}

void pool_core::end_lease(
    pool_slot& s, lease_end how, const error_code& why, time_point now, pool_actions& out) {
  if (s.observed) s.forget_observer();
  if (s.kept) s.forget_kept();
  expire_waiters(now, out);
  if (s.cancelled) {
    out.to_drop.push_back(std::move(s.connection));
    vacate(s);
  } else if (how == lease_end::returned) {
    if (s.home->suspect) table_.lease_succeeded(*s.home);
    hand_on(s, now, out);
  } else if (how == lease_end::unwell) {
    judge_lease(s, how, why, now, out);
    hand_on(s, now, out);
  } else {
    endpoint_entry& e = *s.home;  // not released before `s` is closed
    const bool charged = !(why == condition::local_fault);
    if (charged && how == lease_end::reset) {
      report(e, endpoint_outcome::connection_reset, out);
      table_changes changes;
      table_.connection_reset(e, changes);
      carry_out(changes, now, out);
    } else if (charged && how == lease_end::timed_out) {
      report(e, endpoint_outcome::timed_out, out);
    } else if (how == lease_end::poisoned || how == lease_end::moved) {
      report(e, endpoint_outcome::moved, out);
    } else if (charged && how == lease_end::failed) {
      out.refresh = true;
    }
    if (charged && reason_of(how) == close_reason::error) {
      drop_idle(e, close_reason::endpoint_failed, out, now);
    }
    judge_lease(s, how, why, now, out);
    close_slot(s, reason_of(how), why, now, out);
  }
  pump(now, out);
}

void pool_core::judge_lease(
    pool_slot& s, lease_end how, const error_code& why, time_point now, pool_actions& out) {
  if (why == condition::local_fault || !(is_failure(how) || is_stranger(why))) return;
  table_changes changes;
  table_.lease_failed(
      *s.home, {cause_of(how, why), s.opened, how == lease_end::reset}, now, changes);
  carry_out(changes, now, out);
}

// For a checkout that must not throw: the connection is out before memory is needed.
void pool_core::drop_dead(pool_slot& s, close_reason why, time_point now, pool_actions& out) {
  --found_idle_;
  if (s.retained) --counters_.retained_leases;
  const bool told = s.cancelled;  // while it was asked; counted then, and closed
  if (!told) count_closed(why);
  refill_ = options_.min_idle > 0;
  const endpoint where = s.home->where;
  const connection_news gone{
      where, s.number, connection_change::closed, why, {}, now - s.opened_at};
  out.found_dead = std::move(s.connection);
  vacate(s);
  if (!told) tell(out, gone);
  pump(now, out);
}

}  // namespace redial::inline REDIAL_ABI::detail
