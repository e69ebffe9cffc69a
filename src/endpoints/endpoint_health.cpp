// SPDX-License-Identifier: Apache-2.0
// The health of endpoints that are behind the name (design, Health):
//
//   active  --failures in a row, or failed probes--> ejected      out of the choice, but for a
//   panic any     --somebody else answers----------------> quarantined  out of the choice, whatever
//   comes ejected, quarantined --time--> a warming attempt --succeeds--> active, on probation
//                                                    --fails-----> a longer time
//
// While out of use an endpoint waits in the warming queue; its state tells it from a newcomer.

#include "endpoints/endpoint_table.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

/// Where a slow start begins: with less, an endpoint that is asked seldom would learn nothing about
/// itself.
constexpr double first_share = 0.1;

bool is_out(const endpoint_entry& e) noexcept {
  return e.state == health::ejected || e.state == health::quarantined;
}

}  // namespace

void endpoint_table::lease_failed(endpoint_entry& e,
                                  const lease_failure& f,
                                  time_point now,
                                  table_changes& out) {
  if (is_stranger(f.why) && e.state != health::quarantined) {
    if (e.has_departed()) return drain(e, out);
    e.last_failure = ++happenings_;
    return quarantine(e, f.why, now, out);
  }
  if (f.reset) {
    if (f.opened != 0 && f.opened <= e.record.last_reset) return;
    e.record.last_reset = ++happenings_;
  }
  ++e.record.failed_leases;
  strike(e, f.why, now, out);
}

void endpoint_table::lease_succeeded(endpoint_entry& e) noexcept {
  e.record.failed_leases = e.record.refusals = 0;
  if (e.state == health::active) e.record.why = {};
  e.suspect = is_out(e);
}

void endpoint_table::strike(endpoint_entry& e,
                            const error_code& why,
                            time_point now,
                            table_changes& out) {
  if (e.state != health::active || e.has_departed()) return;
  e.suspect = true;
  e.record.why = why;
  const std::uint32_t limit = rules_.ejection.consecutive_failures;
  if (limit == 0 || strikes(e.record) < limit) return;
  if (!may_eject(rules_.ejection, current_.size(), ejected_)) return;
  e.record.by_leases = e.record.failed_leases > 0;
  eject(e, why, now, out);
}

void endpoint_table::eject(endpoint_entry& e,
                           const error_code& why,
                           time_point now,
                           table_changes& out) {
  end_ramp(e);
  begin_outage(rules_.ejection, e.record, why, now, sentences_);
  e.state = health::ejected;
  e.suspect = true;
  e.last_failure = ++happenings_;
  ++ejected_;
  ++sums_.ejections;
  choice_.judge(e);
  warming_.again(e, e.record.until);
  out.told.push_back({e.where, endpoint_change::ejected, why});
  settle_panic(out);
}

void endpoint_table::quarantine(endpoint_entry& e,
                                const error_code& why,
                                time_point now,
                                table_changes& out) {
  const bool again = e.state == health::quarantined;
  if (e.state == health::ejected) --ejected_;
  end_ramp(e);
  if (is_out(e)) {
    prolong_outage(rules_.ejection, e.record, why, now, sentences_);
  } else {
    begin_outage(rules_.ejection, e.record, why, now, sentences_);
  }
  if (e.is_usable()) choice_.remove(e);
  e.state = health::quarantined;
  e.suspect = true;
  warming_.again(e, e.record.until);
  if (!again) ++sums_.quarantines;
  out.told.push_back({e.where, endpoint_change::quarantined, why});
  out.quarantined.push_back(&e);
  settle_panic(out);
}

// A new one as well.
void endpoint_table::come_back(endpoint_entry& e, time_point now, table_changes& out) {
  const bool was_out = is_out(e);
  if (e.state == health::ejected) --ejected_;
  e.state = health::active;
  if (was_out) end_outage(rules_.ejection, e.record);
  e.suspect = was_out && e.record.failed_leases > 0;
  begin_ramp(e, now);
  settle_hold();  // before it serves: a better one may be pending
  e.is_usable() ? choice_.judge(e) : choice_.admit(e);
  out.told.push_back({e.where, was_out ? endpoint_change::recovered : endpoint_change::active, {}});
}

// A fault of this machine says nothing, so the attempt is only put off.
void endpoint_table::rewarming_failed(endpoint_entry& e,
                                      const connect_failure& f,
                                      time_point now,
                                      table_changes& out) {
  if (f.local) {
    e.record.until = after(now, backoff(rules_.backoff_base, rules_.backoff_max, 1, sentences_));
  } else {
    prolong_outage(rules_.ejection, e.record, f.why, now, sentences_);
  }
  warming_.again(e, e.record.until);
  out.told.push_back({e.where, endpoint_change::warm_failed, f.why});
}

void endpoint_table::settle_panic(table_changes& out) {
  if (ejected_ == 0 && !panic_) return;
  const auto healthy = static_cast<std::size_t>(
      std::count_if(current_.begin(), current_.end(), [](const endpoint_entry* e) {
        return e->state == health::active;
      }));
  const bool panic = is_panic(rules_.ejection, current_.size(), healthy, ejected_);
  if (panic != panic_) {
    panic_ = panic;
    sums_.panics += panic ? 1U : 0U;
    out.turned = {
        panic, static_cast<std::uint32_t>(healthy), static_cast<std::uint32_t>(current_.size())};
  }
  for (endpoint_entry* e : current_) {
    if (e->state != health::ejected || e->is_usable() == panic) continue;
    if (panic) {
      choice_.admit(*e);
    } else {
      choice_.remove(*e);
      out.shunned.push_back(e);
    }
  }
}

// Lets an early end come by way of a connection that can be leased, which is proven like any other.
void endpoint_table::probed(endpoint_entry& e,
                            const error_code& why,
                            time_point now,
                            table_changes& out) {
  health_record& r = e.record;
  if (e.has_departed()) return;
  if (is_stranger(why)) {
    e.last_failure = ++happenings_;
    return quarantine(e, why, now, out);
  }
  if (why.failed()) {
    r.probes_passed = 0;
    ++r.probes_failed;
    if (e.state == health::active && r.probes_failed >= rules_.ejection.unhealthy_after) {
      eject(e, why, now, out);
    }
    return;
  }
  r.probes_failed = 0;
  ++r.probes_passed;
  // What fails the calls and pleases the probe sits its time out.
  if (e.state != health::ejected || r.by_leases || e.warming_now) return;
  if (r.probes_passed >= rules_.ejection.healthy_after && r.until > now) {
    r.until = now;
    warming_.again(e, now);
  }
}

// Not at a cold start: where all are new, nobody can take the rest of the load.
void endpoint_table::begin_ramp(endpoint_entry& e, time_point now) noexcept {
  e.record.back_since = now;
  const duration slow_start = rules_.ejection.slow_start;
  if (slow_start == duration::zero()) return;
  const bool relieved = std::any_of(current_.begin(), current_.end(), [&](const auto* other) {
    return other != &e && other->state == health::active &&
           after(other->record.back_since, slow_start) <= now;
  });
  if (!relieved) return;
  e.record.ramping = true;
  ++ramping_;
}

void endpoint_table::end_ramp(endpoint_entry& e) noexcept {
  if (std::exchange(e.record.ramping, false)) --ramping_;
}

bool endpoint_table::is_over_share(endpoint_entry& e, time_point now) noexcept {
  if (!e.record.ramping) return false;
  const duration passed = now - e.record.back_since;
  if (passed >= rules_.ejection.slow_start) {
    end_ramp(e);
    return false;
  }
  const double share =
      static_cast<double>(passed.count()) / static_cast<double>(rules_.ejection.slow_start.count());
  const double dice = static_cast<double>(sentences_.next() >> 11U) * 0x1.0p-53;
  return dice >= std::max(share, first_share);
}

const endpoint_entry* endpoint_table::last_out() const noexcept {
  if (!choice_.usable().empty()) return nullptr;
  const endpoint_entry* last = nullptr;
  for (const endpoint_entry* e : current_) {
    if (!is_out(*e) || e->warming_now) return nullptr;
    if (last == nullptr || e->last_failure > last->last_failure) last = e;
  }
  return last;
}

}  // namespace redial::inline REDIAL_ABI::detail
