// SPDX-License-Identifier: Apache-2.0
#include "endpoints/endpoint_table.hpp"

#include "endpoints/endpoint_hash.hpp"
#include "endpoints/retention.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

// Steps of one entry (design, Membership and Make before break):
//
//   warming --opened--> active            departs while warming: drained (its connect is abandoned)
//   active  --departs-> retained --replaced-----------------> drained
//                          |      --replacement_deadline----> drained when another one is active,
//                          |                                  else last_resort
//                       last_resort --another active, own connect failure or reset--> drained
//   active  --departs, exclusive, or the name is definitely gone--> drained
//
// "Replaced" is decided in retention.cpp. Happenings are numbered, because many share one instant.

namespace redial::inline REDIAL_ABI::detail {
namespace {

std::vector<const snapshot_entry*> sorted(const snapshot& s) {
  std::vector<const snapshot_entry*> all;
  all.reserve(s.endpoints.size());
  for (const snapshot_entry& e : s.endpoints) all.push_back(&e);
  const auto less = [](const snapshot_entry* a, const snapshot_entry* b) {
    return a->where < b->where;
  };
  if (!std::is_sorted(all.begin(), all.end(), less)) std::stable_sort(all.begin(), all.end(), less);
  const auto same = [](const snapshot_entry* a, const snapshot_entry* b) {
    return a->where == b->where;
  };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

// What a snapshot says about the presence of one that it knew before.
void note_presence(endpoint_entry& e,
                   const snapshot_entry& seen,
                   time_point now,
                   table_changes& out) {
  const bool present = seen.presence == presence::present;
  if (present && e.presence == standing::absent) out.saw(endpoint_change::returned);
  if (!present && e.presence == standing::present) out.saw(endpoint_change::absent);
  if (seen.doubted && !e.doubted) out.saw(endpoint_change::doubted);
  e.missing_since = present ? time_point::max() : std::min(e.missing_since, now);
}

}  // namespace

bool lacks_family(const endpoint& where, const error_code& why) noexcept {
  namespace posix = boost::system::errc;
  return where.addr.is_v6() &&
         (why == posix::address_not_available || why == posix::network_unreachable ||
          why == posix::address_family_not_supported);
}

endpoint_table::endpoint_table(const endpoint_rules& rules, std::uint64_t seed)
    : rules_(rules),
      warming_(rules),
      choice_(seed, rules),
      probing_(seed + 2),
      sentences_(seed + 3) {}

bool endpoint_table::apply(const snapshot& s, time_point now, table_changes& out) {
  if (seen_any_ && s.generation <= generation_) return false;
  seen_any_ = true;
  generation_ = s.generation;
  ++happenings_;
  resolved_ = resolved_ || s.state != freshness::unresolved;
  verdict_ = s.endpoints.empty() && s.definite ? s.error : error_code{};

  merge(sorted(s), now, out);
  if (verdict_) {
    const auto leaving = departed_;
    for (endpoint_entry* e : leaving) drain(*e, out);
    withholding_ = false;
  }
  settle_departed(out);
  settle_panic(out);
  if (!choice_.usable().empty()) settle_hold();
  return true;
}

// Both lists are sorted by endpoint, so one pass finds what came, stayed and left.
void endpoint_table::merge(const std::vector<const snapshot_entry*>& seen,
                           time_point now,
                           table_changes& out) {
  std::vector<endpoint_entry*> next;
  std::vector<endpoint_entry*> newcomers;
  next.reserve(seen.size());
  const auto before = std::exchange(current_, {});
  auto old = before.begin();
  for (const snapshot_entry* s : seen) {
    for (; old != before.end() && (*old)->where < s->where; ++old) depart(**old, now, out);
    if (old != before.end() && (*old)->where == s->where) {
      endpoint_entry& e = **old++;
      if (e.life == s->life) {
        set_attributes(e, s->where);
        note_presence(e, *s, now, out);
        e.presence = s->presence == presence::present ? standing::present : standing::absent;
        e.doubted = s->doubted;
        next.push_back(&e);
        continue;
      }
      depart(e, now, out);
    }
    next.push_back(&add(*s));
    newcomers.push_back(next.back());
    next.back()->known_since = now;
    if (s->presence != presence::present) next.back()->missing_since = now;
    out.saw(endpoint_change::added);
  }
  for (; old != before.end(); ++old) depart(**old, now, out);
  current_ = std::move(next);
  warming_.add(newcomers, now);
}

endpoint_entry& endpoint_table::add(const snapshot_entry& s) {
  auto made = std::make_unique<endpoint_entry>();
  made->id = ++ids_;
  made->where = s.where;
  made->priority = s.where.priority;
  made->weight = s.where.weight;
  made->life = s.life;
  made->hash = hash_of(s.where);
  made->presence = s.presence == presence::present ? standing::present : standing::absent;
  made->doubted = s.doubted;
  return *entries_.emplace(ids_, std::move(made)).first->second;
}

void endpoint_table::set_attributes(endpoint_entry& e, const endpoint& seen) {
  if (e.priority == seen.priority && e.weight == seen.weight) return;
  if (e.is_usable()) return choice_.change(e, seen.priority, seen.weight);
  warming_.change_priority(e, seen.priority);
  e.weight = seen.weight;
}

// Only before the first endpoint serves. What has failed once does not hold others back: it may
// never answer.
void endpoint_table::settle_hold() {
  if (choice_.is_serving()) return;
  std::optional<std::uint16_t> pending;
  for (const endpoint_entry* e : current_) {
    if (e->state != health::warming || e->failures > 0 || !may_connect(*e)) continue;
    if (!pending || e->priority < *pending) pending = e->priority;
  }
  choice_.hold_behind(pending);
}

void endpoint_table::depart(endpoint_entry& e, time_point now, table_changes& out) {
  departed_.push_back(&e);
  e.departed_at = now;
  e.missing_since = std::min(e.missing_since, now);
  out.saw(endpoint_change::departed);
  e.departure = happenings_;
  if (e.state == health::active && !rules_.exclusive) {
    e.presence = standing::retained;
    return;
  }
  if (e.state == health::active) withholding_ = true;
  drain(e, out);
}

void endpoint_table::drain(endpoint_entry& e, table_changes& out) {
  if (e.presence == standing::drained) return;
  const bool was_active = e.state == health::active || e.state == health::ejected;
  if (e.state == health::ejected) --ejected_;
  end_ramp(e);
  e.presence = standing::drained;
  warming_.remove(e);
  if (e.is_usable()) choice_.remove(e);
  if (was_active) out.told.push_back({e.where, endpoint_change::drained, {}});
  out.drained.push_back(&e);
}

bool endpoint_table::is_current_active() const noexcept {
  return std::any_of(current_.begin(), current_.end(), [](const endpoint_entry* e) {
    return e->state == health::active;
  });
}

void endpoint_table::settle_departed(table_changes& out) {
  if (std::none_of(departed_.begin(), departed_.end(), [](const endpoint_entry* e) {
        return e->presence != standing::drained;
      })) {
    return;
  }
  const bool served = is_current_active();
  happening judged = not_yet;  // one verdict for all that left together
  bool replaced = false;
  for (endpoint_entry* e : departed_) {
    if (e->presence == standing::drained) continue;
    if (e->presence == standing::last_resort) {
      if (served) drain(*e, out);
      continue;
    }
    if (e->departure != judged) {
      judged = e->departure;
      replaced = served && is_replaced(current_, judged);
    }
    if (replaced) {
      drain(*e, out);
    } else if (!e->told_retained) {
      e->told_retained = true;
      out.told.push_back({e->where, endpoint_change::retained, {}});
    }
  }
}

void endpoint_table::on_time(time_point now, table_changes& out) {
  const bool served = is_current_active();
  for (endpoint_entry* e : departed_) {
    if (e->presence != standing::retained) continue;
    if (after(e->departed_at, rules_.replacement_deadline) > now) continue;
    if (served) {
      drain(*e, out);
    } else {
      e->presence = standing::last_resort;
      out.told.push_back({e->where, endpoint_change::retained, errc::no_usable_endpoint});
    }
  }
}

std::optional<time_point> endpoint_table::next_retention_end() const noexcept {
  std::optional<time_point> first;
  for (const endpoint_entry* e : departed_) {
    if (e->presence != standing::retained) continue;
    const time_point end = after(e->departed_at, rules_.replacement_deadline);
    if (!first || end < *first) first = end;
  }
  return first;
}

void endpoint_table::opened(endpoint_entry& e, bool warming, time_point now, table_changes& out) {
  e.failures = 0;
  e.not_before = {};
  e.record.refusals = 0;
  if (e.state == health::active || !warming) {
    e.suspect = e.state != health::active || e.record.failed_leases > 0;
    return choice_.judge(e);
  }
  BOOST_ASSERT(!e.has_departed());
  e.first_attempt = std::min(e.first_attempt, ++happenings_);
  warming_.succeeded(e);
  come_back(e, now, out);
  withholding_ = false;
  settle_departed(out);
  settle_panic(out);
}

void endpoint_table::connect_failed(endpoint_entry& e,
                                    const connect_failure& f,
                                    time_point now,
                                    table_changes& out) {
  ++e.failures;
  e.last_error = f.why;
  e.last_failure = ++happenings_;
  if (is_stranger(f.why) && !e.has_departed()) {
    e.first_attempt = std::min(e.first_attempt, happenings_);
    quarantine(e, f.why, now, out);
    if (!choice_.usable().empty()) settle_hold();
    return settle_departed(out);
  }
  if (e.state == health::warming) {
    if (!f.local || lacks_family(e.where, f.why)) {
      e.first_attempt = std::min(e.first_attempt, happenings_);
    }
    warming_.failed(e, now, choice_.random());
    if (!choice_.usable().empty()) settle_hold();
    out.told.push_back({e.where, endpoint_change::warm_failed, f.why});
    settle_departed(out);
    return;
  }
  if (f.warming) return rewarming_failed(e, f, now, out);
  // An active endpoint is asked again soon: it may be restarting, and callers wait for it.
  const duration most = std::min<duration>(rules_.backoff_max, std::chrono::seconds{1});
  const duration least = std::min(rules_.backoff_base, most);
  e.not_before = after(now, backoff(least, most, e.failures, choice_.random()));
  e.probe_at = after(now, backoff(rules_.backoff_base, rules_.backoff_max, e.failures, probing_));
  choice_.judge(e);
  if (f.local) return;
  const bool stranger = is_stranger(f.why);
  if (e.presence == standing::last_resort || (stranger && e.has_departed())) return drain(e, out);
  if (f.unasked) return;
  ++e.record.refusals;
  strike(e, f.why, now, out);
}

void endpoint_table::connection_reset(endpoint_entry& e, table_changes& out) {
  if (e.presence == standing::last_resort) drain(e, out);
}

void endpoint_table::drain_all(table_changes& out) {
  for (endpoint_entry* e : std::exchange(current_, {})) {
    departed_.push_back(e);
    drain(*e, out);
  }
  const auto leaving = departed_;
  for (endpoint_entry* e : leaving) drain(*e, out);
}

void endpoint_table::release(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.presence == standing::drained && e.connections == 0 && !e.is_usable());
  departed_.erase(std::find(departed_.begin(), departed_.end(), &e));
  entries_.erase(e.id);
}

bool endpoint_table::is_last_usable(const endpoint_entry& e) const noexcept {
  return std::none_of(
      choice_.usable().begin(), choice_.usable().end(), [&e](const endpoint_entry* other) {
        return other != &e && !other->has_departed();
      });
}

bool endpoint_table::has_open() const noexcept {
  return std::any_of(choice_.usable().begin(), choice_.usable().end(), [](const endpoint_entry* e) {
    return e->connections > e->opening;
  });
}

happening endpoint_table::all_failed_by() const noexcept {
  happening first = not_yet;
  const auto count = [&](const endpoint_entry& e) {
    if (may_connect(e)) first = std::min(first, e.failures > 0 ? e.last_failure : 0);
  };
  for (const endpoint_entry* e : choice_.usable()) count(*e);
  for (const endpoint_entry* e : current_) {
    if (e->state == health::warming) count(*e);
  }
  return first == not_yet ? 0 : first;
}

endpoint_entry* endpoint_table::find(std::uint64_t id) const noexcept {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : it->second.get();
}

}  // namespace redial::inline REDIAL_ABI::detail
