// SPDX-License-Identifier: Apache-2.0
// How connections begin and end.

#include "pool/pool_core.hpp"

#include <boost/asio/error.hpp>
#include <boost/assert.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

void forget(std::vector<pool_slot*>& in, const pool_slot& s) noexcept {
  const auto it = std::find(in.begin(), in.end(), &s);
  if (it != in.end()) in.erase(it);
}

}  // namespace

void pool_core::count_closed(close_reason why) noexcept {
  ++counters_.closed;
  ++counters_.closed_by[static_cast<std::size_t>(why)];
}

void pool_core::tell(pool_actions& out, pool_news news) const {
  if (options_.listener != nullptr) out.news.push_back(std::move(news));
}

void pool_core::tell_connection(const pool_slot& s,
                                connection_change change,
                                close_reason reason,
                                const error_code& why,
                                duration elapsed,
                                pool_actions& out) const {
  if (options_.listener == nullptr) return;
  out.news.push_back(connection_news{s.home->where, s.number, change, reason, why, elapsed});
}

// Every list has room for every slot, so that none of them allocates later.
void pool_core::add_slot() {
  for (auto* list : {&vacant_, &opening_, &draining_, &unwatched_}) {
    if (list->capacity() > slots_.size()) continue;
    list->reserve(std::max<std::size_t>(16, 2 * slots_.size()));
  }
  vacant_.push_back(&slots_.emplace_back());
  slots_.back().pool = owner_;
  ++counts_[static_cast<std::size_t>(slot_state::vacant)];
}

void pool_core::start_opening(endpoint_entry& e,
                              opening_for purpose,
                              time_point now,
                              pool_actions& out) {
  if (vacant_.empty()) add_slot();
  room_for_one_more(out.openings);
  if (options_.listener != nullptr) out.news.reserve(out.news.size() + 2);
  pool_slot& s = *vacant_.back();
  vacant_.pop_back();
  s.home = &e;
  s.number = ++numbers_;
  s.purpose = purpose;
  s.opening_since = now;
  s.open_by = after(now, time_to_open(purpose));
  become(s, slot_state::opening);
  opening_.push_back(&s);
  ++counters_.connects;
  if (purpose == opening_for::warming) {
    ++counters_.changes[static_cast<std::size_t>(endpoint_change::warming)];
    tell(out, endpoint_news{e.where, endpoint_change::warming, {}});
  }
  tell_connection(s, connection_change::opening, {}, {}, {}, out);
  const bool checked = options_.health.probe != nullptr &&
                       (purpose == opening_for::warming || purpose == opening_for::probe);
  out.openings.push_back({&s, s.number, e.where, s.open_by, checked});
}

// Back to how `start_opening` wants it, and the endpoint goes with its last connection.
void pool_core::vacate(pool_slot& s) noexcept {
  endpoint_entry& e = *s.home;
  if (s.state == slot_state::opening) forget(opening_, s);
  if (s.state == slot_state::draining) leave_draining(s);
  if (s.state == slot_state::opening && s.purpose == opening_for::probe) {
    e.record.probing = false;
    --probing_;
  }
  become(s, slot_state::vacant);
  s.home = nullptr;
  s.retained = false;
  s.number = 0;
  s.watch = watching::unknown;
  s.leases = s.swept = 0;
  s.armed = s.stirred = s.cancelled = false;
  s.doom.reset();
  s.cancelled_for = {};
  s.observed = false;
  s.observer.reset();
  s.watcher = nullptr;
  vacant_.push_back(&s);
  if (e.failures > 0) table_.choice().judge(e);
  if (e.presence == standing::drained && e.connections == 0) table_.release(e);
}

// Thousands may drain at once, so nothing looks for it.
void pool_core::leave_draining(const pool_slot& s) noexcept {
  if (s.draining_at >= draining_.size() || draining_[s.draining_at] != &s) return;  // cancelled
  draining_[s.draining_at] = draining_.back();
  draining_[s.draining_at]->draining_at = s.draining_at;
  draining_.pop_back();
  if (draining_.empty()) drains_at_ = never;
}

void pool_core::abandon_opening(pool_slot& s, time_point now, pool_actions& out) {
  BOOST_ASSERT(s.state == slot_state::opening);
  if (s.operation != nullptr) out.to_cancel.push_back(std::move(s.operation));
  s.operation = nullptr;
  tell_connection(s,
                  connection_change::failed,
                  {},
                  boost::asio::error::operation_aborted,
                  now - s.opening_since,
                  out);
  vacate(s);
}

void pool_core::close_slot(
    pool_slot& s, close_reason reason, const error_code& why, time_point now, pool_actions& out) {
  BOOST_ASSERT(s.connection != nullptr);
  room_for_one_more(out.to_close);
  tell_connection(s, connection_change::closed, reason, why, now - s.opened_at, out);
  count_closed(reason);
  refill_ = options_.min_idle > 0;
  out.to_close.push_back(std::move(s.connection));
  vacate(s);
}

void pool_core::begin_drain(pool_slot& s, close_reason reason, time_point now, pool_actions& out) {
  switch (s.state) {
    case slot_state::opening:
      return abandon_opening(s, now, out);
    case slot_state::idle:
      return close_slot(s, reason, {}, now, out);
    case slot_state::checking:
      if (!s.doom) s.doom = reason;
      return;
    case slot_state::leased:
      become(s, slot_state::draining);
      s.doom = reason;
      s.drain_end = after(now, options_.drain_deadline);
      s.draining_at = static_cast<std::uint32_t>(draining_.size());
      draining_.push_back(&s);
      drains_at_ = std::min(drains_at_, s.drain_end);
      return;
    case slot_state::draining:
    case slot_state::vacant:
      return;
  }
}

void pool_core::cancel_lease(
    pool_slot& s, close_reason reason, const error_code& why, time_point now, pool_actions& out) {
  if (s.state == slot_state::leased) become(s, slot_state::draining);
  BOOST_ASSERT(s.state == slot_state::draining && !s.cancelled);
  leave_draining(s);
  s.cancelled = true;
  s.cancelled_for = why;
  count_closed(reason);
  refill_ = options_.min_idle > 0;
  tell_connection(s, connection_change::closed, reason, why, now - s.opened_at, out);
  out.leases_cancelled.push_back({s.connection, s.observer, why});
  if (std::exchange(s.observed, false)) s.observer.reset();
}

void pool_core::opened(pool_slot& s,
                       std::shared_ptr<pooled_connection> connection,
                       time_point now,
                       pool_actions& out) {
  BOOST_ASSERT(s.state == slot_state::opening);
  expire_waiters(now, out);
  if (s.purpose == opening_for::probe) {
    ++counters_.opened;
    count_closed(close_reason::probed);
    out.to_close.push_back(std::move(connection));
    return end_probe(s, {}, now, out);
  }
  endpoint_entry& e = *s.home;
  s.connection = std::move(connection);
  s.operation = nullptr;
  s.opened_at = now;
  s.idle_since = now;
  s.opened = table_.happen();
  s.generation = generation_;
  s.expires_at = never;
  if (options_.max_lifetime > duration::zero()) {
    const double spread = options_.lifetime_jitter;
    s.expires_at = after(now, jitter_.share(options_.max_lifetime, 1 - spread, 1 + spread));
  }
  ++counters_.opened;
  histograms_.connect.add(now - s.opening_since);
  last_error_ = refusal_ = {};
  refill_ = options_.min_idle > 0;
  forget(opening_, s);
  tell_connection(s, connection_change::opened, {}, {}, now - s.opening_since, out);
  report(e, endpoint_outcome::connected, out);

  table_changes changes;
  table_.opened(e, s.purpose == opening_for::warming, now, changes);
  // Out of `opening` before others are looked at, and with its endpoint usable.
  become(s, slot_state::checking);
  carry_out(changes, now, out);
  if (renewing_) finish_reset(now, out);
  if (e.record.next_probe == time_point{}) schedule_probe(e, 0, 1, now);
  if (options_.health.probe != nullptr) probes_at_ = std::min(probes_at_, e.record.next_probe);
  hand_on(s, now, out);
  pump(now, out);
}

void pool_core::opened_too_late(const endpoint& where,
                                std::uint64_t number,
                                std::shared_ptr<pooled_connection> connection,
                                pool_actions& out) {
  ++counters_.opened;
  count_closed(close_reason::abandoned);
  tell(out,
       connection_news{where, number, connection_change::closed, close_reason::abandoned, {}, {}});
  out.to_close.push_back(std::move(connection));
}

void pool_core::open_failed(
    pool_slot& s, const error_code& why, time_point now, pool_actions& out, bool answered) {
  BOOST_ASSERT(s.state == slot_state::opening);
  expire_waiters(now, out);
  if (s.purpose == opening_for::probe) return end_probe(s, why, now, out);
  endpoint_entry& e = *s.home;  // not drained: its openings would have been abandoned
  const bool local = why == condition::local_fault || lacks_family(e.where, why);
  ++counters_.connect_failures;
  refill_ = options_.min_idle > 0;
  last_error_ = why;
  if (!local) {
    refusal_ = why;
    const bool slow = why == errc::connect_timeout || why == boost::asio::error::timed_out;
    // What failed only our check is there all the same.
    if (!answered || is_stranger(why)) {
      report(e, slow ? endpoint_outcome::timed_out : endpoint_outcome::connect_refused, out);
    }
  }
  const opening_for purpose = s.purpose;
  s.operation = nullptr;
  tell_connection(s, connection_change::failed, {}, why, now - s.opening_since, out);
  vacate(s);
  table_changes changes;
  table_.connect_failed(
      e,
      {why, local, purpose == opening_for::warming, purpose == opening_for::recovery},
      now,
      changes);
  carry_out(changes, now, out);
  pump(now, out);
}

bool pool_core::stirred(pool_slot& s) noexcept {
  s.armed = false;
  if (s.state == slot_state::checking) s.stirred = true;
  if (s.state != slot_state::idle) return false;
  become(s, slot_state::checking);
  return true;
}

void pool_core::checked(pool_slot& s, const doom_reason& dead, time_point now, pool_actions& out) {
  BOOST_ASSERT(s.state == slot_state::checking);
  expire_waiters(now, out);
  if (!s.doom) s.doom = dead;
  hand_on(s, now, out);
  pump(now, out);
}

}  // namespace redial::inline REDIAL_ABI::detail
