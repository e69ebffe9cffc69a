// SPDX-License-Identifier: Apache-2.0
#pragma once

// Decides everything about a pool: who gets which connection, what is opened, closed, drained.
// Takes `now`, returns actions; calls nobody.

#include <redial/core/histogram.hpp>
#include <redial/pool/options.hpp>
#include <redial/pool/pool.hpp>

#include "pool/drain_plan.hpp"
#include "pool/pool_actions.hpp"
#include "pool/pool_core_data.hpp"
#include "pool/pool_slot.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The state machine of one pool.
///
/// Invariants, after every call: each non-vacant slot is counted once, under its state; idle
/// connections are on the idle list of a usable endpoint; nobody waits who would take a connection
/// that is idle; a closed pool has no waiter and opens nothing.
///
/// \par Threads None of its own: one lock guards it.
class pool_core : private pool_core_data {
 public:
  /// `owner`: what its slots say they belong to.
  pool_core(const pool_options& options, std::uint64_t seed, pool_state* owner = nullptr);

  // The hot path: neither allocates nor asks for the time. Defined in pool_core_hot.hpp.
  /// An idle connection, leased. Null when there is none.
  [[nodiscard]] pool_slot* take_idle() noexcept;
  /// Takes a connection back that is all well. False when something must be decided first: then
  /// `end_lease`.
  [[nodiscard]] bool give_back(pool_slot& s) noexcept;
  /// It has rested long and cannot tell whether it is alive: ask it (`quiet()`) before lending it.
  [[nodiscard]] bool needs_check(const pool_slot& s) const noexcept;
  /// More is to be done after taking it than to lend it.
  [[nodiscard]] bool needs_attention(const pool_slot& s) const noexcept;
  /// When a lease on a missing endpoint began matters, and the coarse clock stands still.
  [[nodiscard]] bool is_undated(const pool_slot& s) const noexcept;
  void date_lease(pool_slot& s, time_point now) noexcept;
  [[nodiscard]] bool has_rested_too_long(const pool_slot& s, time_point now) const noexcept;
  /// The time as last heard, while something is going on (`is_ticking`).
  [[nodiscard]] time_point coarse_now() const noexcept { return coarse_now_; }
  [[nodiscard]] bool is_ticking() const noexcept { return tick_at_ != never; }

  // Callers.
  /// The same with conditions. Null when there is none.
  [[nodiscard]] pool_slot* take_idle(const tries& tried, const endpoint_key& key = {}) noexcept;
  /// Queues a caller for whom nothing is idle. A set code: it must not wait.
  [[nodiscard]] error_code enqueue(ticket t,
                                   const checkout_options& o,
                                   time_point now,
                                   pool_actions& out);
  /// False when it is not waiting any more.
  bool cancel(ticket t);
  /// `min_idle` is not met where `s` was taken from: `refill`.
  [[nodiscard]] bool is_short_of_spares(const pool_slot& s) const noexcept;
  void refill(time_point now, pool_actions& out);
  /// Connects to an endpoint that calls would go to if it had a connection.
  void feed_starved(time_point now, pool_actions& out);
  /// Why `take_idle` found nothing.
  [[nodiscard]] error_code why_nothing() const noexcept;
  /// A lease is over, however.
  void end_lease(
      pool_slot& s, lease_end how, const error_code& why, time_point now, pool_actions& out);
  /// A connection just taken is found dead; it was not lent.
  void drop_dead(pool_slot& s, close_reason why, time_point now, pool_actions& out);
  /// A step has thrown half way: what it has not come to is due at the next one, soon.
  void stopped_short(time_point now) noexcept;

  // Connections.
  void opened(pool_slot& s,
              std::shared_ptr<pooled_connection> connection,
              time_point now,
              pool_actions& out);
  /// For an endpoint or a pool that is gone, or after `connect_timeout`.
  void opened_too_late(const endpoint& where,
                       std::uint64_t number,
                       std::shared_ptr<pooled_connection> connection,
                       pool_actions& out);
  /// `answered`: it was open, and failed our own check.
  void open_failed(pool_slot& s,
                   const error_code& why,
                   time_point now,
                   pool_actions& out,
                   bool answered = false);
  /// The same, of one that was open.
  void check_failed(pool_slot& s,
                    std::shared_ptr<pooled_connection> connection,
                    const error_code& why,
                    time_point now,
                    pool_actions& out);
  /// An idle connection stirred. True: it is `checking` now, ask it.
  [[nodiscard]] bool stirred(pool_slot& s) noexcept;
  /// After `checking`. `dead`: why it is not as good as before.
  void checked(pool_slot& s, const doom_reason& dead, time_point now, pool_actions& out);

  // The world.
  void apply(const snapshot& s, time_point now, pool_actions& out);
  void on_time(time_point now, pool_actions& out);
  /// False when it is suppressed.
  bool reset(const error_code& cause, time_point now, pool_actions& out);
  void close(time_point now, pool_actions& out, const error_code& ends_drain = errc::closed);
  void drain(const drain_plan& plan, time_point now, pool_actions& out);
  void follow_drain(time_point now, pool_actions& out);
  [[nodiscard]] const error_code& drain_result() const noexcept { return drain_.result; }
  /// When `on_time` is due; `never` when nothing waits for time.
  [[nodiscard]] time_point due() const noexcept;
  using pool_core_data::never;
  /// How long a connection rests before its notice is armed, at least once it was lent, and twice
  /// as long at most: most are taken again sooner.
  static constexpr duration sweep_delay = std::chrono::milliseconds{10};

  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// Leases that are out.
  [[nodiscard]] std::size_t outstanding() const noexcept {
    return count(slot_state::leased) + count(slot_state::draining);
  }
  [[nodiscard]] pool_gauges gauges() const noexcept;
  [[nodiscard]] pool_counters counters() const noexcept;
  [[nodiscard]] pool_histograms histograms() const noexcept;
  [[nodiscard]] const error_code& last_connect_error() const noexcept { return last_error_; }
  [[nodiscard]] const endpoint_table& table() const noexcept { return table_; }
  [[nodiscard]] std::deque<pool_slot>& slots() noexcept { return slots_; }

 private:
  [[nodiscard]] std::size_t count(slot_state s) const noexcept {
    return counts_[static_cast<std::size_t>(s)];
  }
  [[nodiscard]] std::size_t total() const noexcept {
    return slots_.size() - count(slot_state::vacant);
  }
  void become(pool_slot& s, slot_state next) noexcept;
  void shift(pool_slot& s, endpoint_entry& e, slot_state last, slot_state next) noexcept;
  pool_slot& lend_top(endpoint_entry& e) noexcept;
  void lent(pool_slot& s, endpoint_entry& e) noexcept;
  void rest(pool_slot& s, slot_state last, time_point since) noexcept;
  void list_unwatched(pool_slot& s) noexcept;
  void rest_and_watch(pool_slot& s, time_point since, time_point now) noexcept;

  // pool_core_lease.cpp
  void hand_on(pool_slot& s, time_point now, pool_actions& out);
  [[nodiscard]] std::optional<ticket> first_taker(const pool_slot& s) noexcept;
  [[nodiscard]] bool takes(const waiter& w, const pool_slot& s) noexcept;
  [[nodiscard]] bool is_first_stranded(const pool_slot& s, time_point now) noexcept;
  [[nodiscard]] pool_slot* take_untried_idle(const tries& tried) noexcept;
  [[nodiscard]] endpoint_entry* home_of(const waiter& w, endpoint_entry* here = {}) noexcept;
  void lend_to(ticket t, pool_slot& s, pool_actions& out);
  void turn_away(ticket t, const error_code& why, pool_actions& out);
  void drop_idle(endpoint_entry& e, close_reason reason, pool_actions& out, time_point now);
  void report(const endpoint_entry& e, endpoint_outcome outcome, pool_actions& out) const;
  void judge_lease(
      pool_slot& s, lease_end how, const error_code& why, time_point now, pool_actions& out);

  // pool_core_health.cpp
  [[nodiscard]] duration time_to_open(opening_for purpose) const noexcept;
  void take_out_of_use(const table_changes& changes, time_point now, pool_actions& out);
  [[nodiscard]] endpoint_entry& ease_in(endpoint_entry& chosen) noexcept;
  void schedule_probe(endpoint_entry& e, double least, double most, time_point now) noexcept;
  void start_probes(time_point now, pool_actions& out);
  void end_probe(pool_slot& s, const error_code& why, time_point now, pool_actions& out);

  // pool_core_tiers.cpp
  [[nodiscard]] bool may_serve(const endpoint_entry& e) const noexcept;
  [[nodiscard]] std::optional<std::uint16_t> reach(const tries& tried) const noexcept;
  [[nodiscard]] bool is_offered(const endpoint_entry& e, const tries& tried) const noexcept;
  [[nodiscard]] endpoint_entry* pick_untried_idle(const tries& tried) noexcept;
  [[nodiscard]] bool is_anything_idle() noexcept;
  void start_recovery(time_point now, pool_actions& out);
  bool make_room_for_recovery(time_point now, pool_actions& out);

  // pool_core_connections.cpp
  void add_slot();
  void start_opening(endpoint_entry& e, opening_for purpose, time_point now, pool_actions& out);
  void abandon_opening(pool_slot& s, time_point now, pool_actions& out);
  void close_slot(
      pool_slot& s, close_reason reason, const error_code& why, time_point now, pool_actions& out);
  void begin_drain(pool_slot& s, close_reason reason, time_point now, pool_actions& out);
  void cancel_lease(
      pool_slot& s, close_reason reason, const error_code& why, time_point now, pool_actions& out);
  void vacate(pool_slot& s) noexcept;
  void leave_draining(const pool_slot& s) noexcept;
  void count_closed(close_reason why) noexcept;
  void tell(pool_actions& out, pool_news news) const;
  void tell_connection(const pool_slot& s,
                       connection_change change,
                       close_reason reason,
                       const error_code& why,
                       duration elapsed,
                       pool_actions& out) const;

  // pool_core_endpoints.cpp
  void carry_out(const table_changes& changes, time_point now, pool_actions& out);
  void finish_reset(time_point now, pool_actions& out);

  // pool_core_demand.cpp: after whatever happened
  void pump(time_point now, pool_actions& out);
  void serve_waiters(pool_actions& out);
  void fail_waiters(pool_actions& out);
  void start_warming(time_point now, pool_actions& out);
  void start_renewal(time_point now, pool_actions& out);
  void start_demanded(time_point now, pool_actions& out);
  void make_way(time_point now) noexcept;
  void start_spares(time_point now, pool_actions& out);
  void mark_overdue(time_point now) noexcept;
  template <class Visit>
  void for_each_uncovered(const Visit& visit);
  bool connect_for(const waiter& w, time_point now, pool_actions& out);
  [[nodiscard]] bool is_connectable(const endpoint_entry& e, time_point now) const noexcept;
  [[nodiscard]] bool has_room() const noexcept { return total() < options_.max_total_connections; }
  bool make_room(time_point now, pool_actions& out);
  [[nodiscard]] bool is_crowded() const noexcept {
    return opening_.size() >= options_.max_connecting;
  }
  [[nodiscard]] std::size_t opening_but_probes() const noexcept {
    return opening_.size() - probing_;
  }
  void note_backoff(time_point now) noexcept;
  [[nodiscard]] bool is_opening_for_demand() const noexcept;

  // pool_core_time.cpp
  [[nodiscard]] error_code timeout_error() const noexcept;
  void expire_waiters(time_point now, pool_actions& out);
  void time_out_openings(time_point now, pool_actions& out);
  void end_drains(time_point now, pool_actions& out);
  void close_rested(time_point now, pool_actions& out);
  void tick(time_point now) noexcept;
  void sweep(time_point now, pool_actions& out);
  [[nodiscard]] static time_point drain_end(const pool_slot& s) noexcept;
  void doom_checking(const endpoint_entry& e, close_reason reason) noexcept;
};

}  // namespace redial::inline REDIAL_ABI::detail
