// SPDX-License-Identifier: Apache-2.0
#include "pool/pool_core.hpp"

#include "pool/pool_core_hot.hpp"

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

namespace redial::inline REDIAL_ABI::detail {
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
  r.balance = o.balance;
  r.chooser = o.chooser;
  r.max_connections = o.max_connections;
  r.ejection.consecutive_failures = o.health.consecutive_failures;
  r.ejection.base = o.health.ejection_base;
  r.ejection.max = o.health.ejection_max;
  r.ejection.jitter = o.health.ejection_jitter;
  r.ejection.max_percent = o.health.max_ejected_percent;
  r.ejection.panic_percent = o.health.panic_threshold_percent;
  r.ejection.unhealthy_after = o.health.unhealthy_after;
  r.ejection.healthy_after = o.health.healthy_after;
  r.ejection.slow_start = o.health.slow_start;
  return r;
}

// Fine enough for what is measured with it, and never so fine that it costs.
duration tick_for(const pool_options& o) {
  duration fine = 250ms;
  if (o.idle_timeout > 0s) fine = std::min(fine, o.idle_timeout / 16);
  if (o.idle_check_after > 0s) fine = std::min(fine, o.idle_check_after / 4);
  return std::max<duration>(fine, 10ms);
}

}  // namespace

pool_core_data::pool_core_data(const pool_options& options, std::uint64_t seed, pool_state* owner)
    : idle_limited_(options.idle_timeout > 0s),
      options_(options),
      owner_(owner),
      tick_interval_(tick_for(options)),
      overdue_after_(std::max<duration>(options.warm_stagger, 10ms)),
      table_(rules_of(options), seed),
      jitter_(seed + 1),
      spares_pace_(options.spare_connects_per_second, options.max_warming) {}

pool_core::pool_core(const pool_options& options, std::uint64_t seed, pool_state* owner)
    : pool_core_data(options, seed, owner) {}

void pool_core::become(pool_slot& s, slot_state next) noexcept { shift(s, *s.home, s.state, next); }

BOOST_NOINLINE void pool_core::list_unwatched(pool_slot& s) noexcept {
  s.listed = true;
  unwatched_.push_back(&s);  // there is room
}

// The same with everything started that `give_back` wants to find started.
void pool_core::rest_and_watch(pool_slot& s, time_point since, time_point now) noexcept {
  coarse_now_ = now;
  if (tick_at_ == never) tick_at_ = after(now, tick_interval_);
  scan_at_ = std::min(scan_at_, s.expires_at);
  if (idle_limited_) scan_at_ = std::min(scan_at_, after(since, options_.idle_timeout));
  rest(s, s.state, since);
  if (s.listed) sweep_at_ = std::min(sweep_at_, after(now, sweep_delay));
}

pool_counters pool_core::counters() const noexcept {
  pool_counters all = counters_;
  all.checkouts_idle = found_idle_;
  all.checkouts = found_idle_ + served_;
  all.ejections = table_.sums().ejections;
  all.quarantines = table_.sums().quarantines;
  all.panics = table_.sums().panics;
  return all;
}

// Who found one idle at once is counted by the hot path already, and did not wait.
pool_histograms pool_core::histograms() const noexcept {
  pool_histograms all = histograms_;
  all.checkout.add({}, found_idle_);
  return all;
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
    if (e->state == health::ejected) ++g.endpoints_ejected;
    if (e->state == health::quarantined) ++g.endpoints_quarantined;
  }
  g.endpoints_departed = narrow(table_.departed().size());
  return g;
}

time_point pool_core::due() const noexcept {
  if (closed_) return never;
  time_point first =
      std::min({tick_at_, sweep_at_, scan_at_, backoff_end_, recovery_at_, spares_at_, probes_at_});
  first = std::min({first, drain_.by, drains_at_});
  const auto consider = [&first](const std::optional<time_point>& t) {
    if (t) first = std::min(first, *t);
  };
  consider(waiters_.next_deadline());
  consider(table_.next_retention_end());
  const bool may_warm = !short_of_room_ && !is_crowded() && (!drain_.on || !waiters_.empty());
  if (may_warm) consider(table_.warming().due());
  for (const pool_slot* s : opening_) {
    consider(s->open_by);
    const bool counted = s->purpose == opening_for::demand && !s->overdue;
    if (counted && !waiters_.empty()) consider(after(s->opening_since, overdue_after_));
  }
  return first;
}

}  // namespace redial::inline REDIAL_ABI::detail
