// SPDX-License-Identifier: Apache-2.0
#include "pool/pool_core.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

// Slots:
//
//   vacant -> opening -> leased or idle          a connection opens, for whoever waits
//   opening -> vacant                            it fails, or is abandoned
//   idle <-> leased                              checkout and return
//   idle -> checking -> idle or leased           its notice is armed, or it stirred
//   leased -> draining                           its endpoint left, or the pool was reset
//   leased, draining, idle, checking -> vacant   closed
//
// `become` is the only writer of a slot's state and keeps every count that depends on it.

namespace redial::detail {
namespace {

using namespace std::chrono_literals;

endpoint_rules rules_of(const pool_options& o) {
  endpoint_rules r;
  r.max_warming = o.max_warming;
  r.warm_stagger = o.warm_stagger;
  r.backoff_base = o.warm_backoff_base;
  r.backoff_max = o.warm_backoff_max;
  r.replacement_deadline = o.replacement_deadline;
  r.exclusive = o.exclusive;
  r.identity_proven = o.identity_proven;
  return r;
}

// Fine enough for what is measured with it, and never so fine that it costs.
duration tick_for(const pool_options& o) {
  duration fine = 250ms;
  if (o.idle_timeout > 0s) fine = std::min(fine, o.idle_timeout / 16);
  if (o.idle_check_after > 0s) fine = std::min(fine, o.idle_check_after / 4);
  return std::max<duration>(fine, 10ms);
}

bool holds_lease(slot_state s) noexcept {
  return s == slot_state::leased || s == slot_state::draining;
}

}  // namespace

pool_core::pool_core(const pool_options& options, std::uint64_t seed)
    : options_(options),
      tick_interval_(tick_for(options)),
      overdue_after_(std::max<duration>(options.warm_stagger, 10ms)),
      idle_limited_(options.idle_timeout > 0s),
      table_(rules_of(options), seed),
      jitter_(seed + 1) {}

void pool_core::become(pool_slot& s, slot_state next) noexcept {
  endpoint_entry& e = *s.home;
  const slot_state last = s.state;
  --counts_[static_cast<std::size_t>(last)];
  ++counts_[static_cast<std::size_t>(next)];
  s.state = next;
  if (last == slot_state::idle) {
    remove_idle(e, s);
    if (e.idle == 0 && e.with_idle_at != endpoint_entry::nowhere) table_.choice().lost_idle(e);
  } else if (last == slot_state::opening) {
    --e.opening;
    if (std::exchange(s.overdue, false)) --e.overdue;
  } else if (last == slot_state::vacant) {
    ++e.connections;
  }
  if (holds_lease(last) != holds_lease(next)) e.leases += holds_lease(next) ? 1U : ~0U;
  if (next == slot_state::idle) {
    BOOST_ASSERT(e.is_usable());
    const bool rested_longer = e.idle_top != nullptr && e.idle_top->idle_since > s.idle_since;
    rested_longer ? push_idle_bottom(e, s) : push_idle(e, s);
    if (e.idle == 1) table_.choice().gained_idle(e);
  } else if (next == slot_state::opening) {
    ++e.opening;
  } else if (next == slot_state::vacant) {
    --e.connections;
  }
}

pool_slot& pool_core::lend_top(endpoint_entry& e) noexcept {
  pool_slot& s = *e.idle_top;
  ++counters_.checkouts_idle;
  lend(s);
  return s;
}

void pool_core::lend(pool_slot& s) noexcept {
  become(s, slot_state::leased);
  s.is_reused = s.was_leased;
  s.was_leased = true;
  s.keep_until.store(time_point::min().time_since_epoch().count(), std::memory_order_relaxed);
  ++counters_.checkouts;
  if (s.home->has_departed()) ++counters_.retained_leases;
}

void pool_core::rest(pool_slot& s, time_point since) noexcept {
  s.idle_since = since;
  if (!s.armed && !s.listed && s.watch != watching::no) {
    s.listed = true;
    unwatched_.push_back(&s);
  }
  active_ = true;
  become(s, slot_state::idle);
}

bool pool_core::give_back(pool_slot& s) noexcept {
  if (s.state != slot_state::leased || eager_) return false;
  if (tick_at_ == never || s.expires_at < scan_at_) return false;
  if (scan_at_ == never && idle_limited_) return false;
  if (sweep_at_ == never && !s.armed && s.watch != watching::no) return false;
  if (std::exchange(s.observed, false)) s.observer.reset();
  rest(s, coarse_now_);
  return true;
}

// The same with everything started that `give_back` wants to find started.
void pool_core::rest_and_watch(pool_slot& s, time_point since, time_point now) noexcept {
  coarse_now_ = now;
  if (tick_at_ == never) tick_at_ = after(now, tick_interval_);
  scan_at_ = std::min(scan_at_, s.expires_at);
  if (idle_limited_) scan_at_ = std::min(scan_at_, after(since, options_.idle_timeout));
  rest(s, since);
  if (s.listed) sweep_at_ = std::min(sweep_at_, after(now, sweep_delay));
}

pool_gauges pool_core::gauges() const noexcept {
  const auto narrow = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  pool_gauges g;
  g.connecting = narrow(count(slot_state::opening));
  g.idle = narrow(count(slot_state::idle) + count(slot_state::checking));
  g.leased = narrow(count(slot_state::leased));
  g.draining = narrow(count(slot_state::draining));
  g.waiting = narrow(waiters_.size());
  for (const endpoint_entry* e : table_.current()) {
    if (e->state == health::active) ++g.endpoints_active;
    if (e->state == health::warming) ++g.endpoints_warming;
  }
  g.endpoints_departed = narrow(table_.departed().size());
  return g;
}

time_point pool_core::due() const noexcept {
  if (closed_) return never;
  time_point first = std::min({tick_at_, sweep_at_, scan_at_, backoff_end_});
  const auto consider = [&first](const std::optional<time_point>& t) {
    if (t) first = std::min(first, *t);
  };
  consider(waiters_.next_deadline());
  consider(table_.next_retention_end());
  if (!short_of_room_) consider(table_.warming().due());
  for (const pool_slot* s : opening_) {
    consider(after(s->opening_since, options_.connect_timeout));
    const bool counted = s->purpose == opening_for::demand && !s->overdue;
    if (counted && !waiters_.empty()) consider(after(s->opening_since, overdue_after_));
  }
  for (const pool_slot* s : draining_) consider(drain_end(*s));
  return first;
}

}  // namespace redial::detail
