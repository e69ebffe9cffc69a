// SPDX-License-Identifier: Apache-2.0
// What time does to a pool, by one coarse timer.

#include "pool/pool_core.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// - The scan closes idle connections that have rested for `idle_timeout` or lived for
//   `max_lifetime`. It looks at every slot, so it runs at most once per 1/64 of the timeout.
// - The tick keeps the coarse clock of the hot path fresh while connections come and go, and stops
//   when none came back since the last one.
// - The sweep arms the notices of connections that came back without one and were not lent since
//   the last sweep: arming costs more than a checkout and return, and those in use need none.

namespace redial::inline REDIAL_ABI::detail {

using namespace std::chrono_literals;

error_code pool_core::timeout_error() const noexcept {
  if (!table_.is_resolved()) return errc::unresolved;
  if (table_.is_withholding() && table_.choice().usable().empty()) return errc::no_usable_endpoint;
  return errc::checkout_timeout;
}

void pool_core::expire_waiters(time_point now, pool_actions& out) {
  coarse_now_ = now;
  while (const auto t = waiters_.expired(now)) {
    ++counters_.checkout_timeouts;
    turn_away(*t, timeout_error(), out);
  }
}

void pool_core::stopped_short(time_point now) noexcept {
  backoff_end_ = std::min(backoff_end_, after(now, 100ms));  // leads to `pump`
}

void pool_core::on_time(time_point now, pool_actions& out) {
  if (closed_) return;
  coarse_now_ = now;
  expire_waiters(now, out);
  time_out_openings(now, out);
  table_changes changes;
  table_.on_time(now, changes);
  carry_out(changes, now, out);
  end_drains(now, out);
  if (scan_at_ <= now) close_rested(now, out);
  if (sweep_at_ <= now) sweep(now, out);
  if (tick_at_ <= now) tick(now);
  pump(now, out);
}

// The connector is told, but not waited for: it may be what hangs.
void pool_core::time_out_openings(time_point now, pool_actions& out) {
  const auto is_late = [now](const pool_slot* s) { return s->open_by <= now; };
  for (;;) {
    const auto it = std::ranges::find_if(opening_, is_late);
    if (it == opening_.end()) return;
    pool_slot& s = **it;
    if (s.operation != nullptr) out.to_cancel.push_back(std::move(s.operation));
    open_failed(s, errc::connect_timeout, now, out);
  }
}

time_point pool_core::drain_end(const pool_slot& s) noexcept {
  const time_point kept{duration{s.keep_until.load(std::memory_order_relaxed)}};
  return std::max(s.drain_end, kept);
}

// Holders may put the end of theirs off at any time, so what was noted may be too early.
void pool_core::end_drains(time_point now, pool_actions& out) {
  if (drains_at_ > now) return;
  time_point next = never;
  const auto all = draining_;
  for (pool_slot* s : all) {
    const time_point end = drain_end(*s);
    if (end > now) {
      next = std::min(next, end);
    } else {
      cancel_lease(*s, close_reason::drain_deadline, errc::connection_drained, now, out);
    }
  }
  drains_at_ = next;
}

void pool_core::close_rested(time_point now, pool_actions& out) {
  time_point next = never;
  for (pool_slot& s : slots_) {
    if (s.state != slot_state::idle) continue;
    const time_point rested = idle_limited_ ? after(s.idle_since, options_.idle_timeout) : never;
    if (rested <= now) {
      close_slot(s, close_reason::idle, {}, now, out);
    } else if (s.expires_at <= now) {
      close_slot(s, close_reason::lifetime, {}, now, out);
    } else {
      next = std::min({next, rested, s.expires_at});
    }
  }
  const duration step = std::clamp<duration>(options_.idle_timeout / 64, 10ms, 1s);
  scan_at_ = next == never ? never : std::max(next, after(now, step));
}

void pool_core::sweep(time_point now, pool_actions& out) {
  const auto is_done = [&](pool_slot* s) {
    const bool may_arm = s->state == slot_state::idle && !s->armed && s->watch != watching::no;
    if (may_arm && std::exchange(s->swept, s->leases) != s->leases) return false;  // in use
    s->listed = false;
    if (!may_arm) return true;
    become(*s, slot_state::checking);
    s->armed = true;  // before it is: the notice may come before the call returns
    out.watches.push_back({s, s->number, s->connection, s->watcher});
    return true;
  };
  std::erase_if(unwatched_, is_done);
  sweep_at_ = unwatched_.empty() ? never : after(now, sweep_delay);
}

void pool_core::tick(time_point now) noexcept {
  tick_at_ = std::exchange(active_, false) ? after(now, tick_interval_) : never;
  refill_ = options_.min_idle > 0;
}

}  // namespace redial::inline REDIAL_ABI::detail
