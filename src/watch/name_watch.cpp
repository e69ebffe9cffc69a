// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 8305 section 3 (50 ms for the other family), RFC 8020 (NXDOMAIN means the whole
// name).
//
// Every event goes the same way: tell the record sets, let one family's answer throw light on the
// other's, ask what is due, publish if anything that a subscriber can see has changed. A new good
// answer with the same addresses publishes nothing.

#include "watch/name_watch.hpp"

#include <algorithm>
#include <utility>

namespace redial::detail {

namespace {

constexpr duration spread_after_suspend = std::chrono::seconds{1};

int badness(freshness f) noexcept {
  switch (f) {
    case freshness::fresh:
      return 0;
    case freshness::stale:
      return 1;
    case freshness::expired:
      return 2;
    case freshness::unresolved:
      return 3;
  }
  return 3;
}

bool same_entry(const snapshot_entry& a, const snapshot_entry& b) noexcept {
  return a.where == b.where && a.presence == b.presence && a.doubted == b.doubted &&
         a.life == b.life;
}

bool looks_same(const snapshot& a, const snapshot& b) noexcept {
  return a.state == b.state && a.rotating == b.rotating && a.error == b.error &&
         a.definite == b.definite &&
         std::equal(a.endpoints.begin(),
                    a.endpoints.end(),
                    b.endpoints.begin(),
                    b.endpoints.end(),
                    same_entry);
}

/// How many of `these` (by endpoint and life) are not in `those`; both sorted.
std::uint32_t missing_in(const std::vector<snapshot_entry>& those,
                         const std::vector<snapshot_entry>& these) noexcept {
  std::uint32_t count = 0;
  auto other = those.begin();
  for (const snapshot_entry& e : these) {
    while (other != those.end() && other->where < e.where) ++other;
    const bool found = other != those.end() && other->where == e.where && other->life == e.life;
    if (!found) ++count;
  }
  return count;
}

bool asks_for_refresh(endpoint_outcome outcome) noexcept {
  return outcome != endpoint_outcome::connected;
}

bool speaks_against_address(endpoint_outcome outcome) noexcept {
  return outcome == endpoint_outcome::connect_refused ||
         outcome == endpoint_outcome::connection_reset;
}

}  // namespace

name_watch::name_watch(std::string name, const watch_options& options, std::uint64_t seed)
    : name_(std::move(name)), options_(options), random_(seed) {
  sets_.reserve(2);
  if (options_.ipv4) sets_.emplace_back(record_type::a, options_, random_);
  if (options_.ipv6) sets_.emplace_back(record_type::aaaa, options_, random_);
}

watch_step name_watch::on_time(time_point now) {
  watch_step step;
  finish(now, step);
  return step;
}

watch_step name_watch::on_answer(const answer& received, time_point now) {
  watch_step step;
  for (rrset_watch& set : sets_) {
    if (set.type() != received.asked.type || !set.refresh().in_flight()) continue;
    const std::size_t others = known() - set.members().members().size();
    const std::size_t room = options_.max_endpoints - std::min(options_.max_endpoints, others);
    step.left_out = set.on_answer(received, now, room, step.changes);
    first_answer_ = std::min(first_answer_, now);
  }
  finish(now, step);
  return step;
}

watch_step name_watch::on_report(const address& where,
                                 endpoint_outcome outcome,
                                 bool last_usable,
                                 time_point now) {
  watch_step step;
  if (speaks_against_address(outcome) && !last_usable) {
    for (rrset_watch& set : sets_) {
      if (known() > 1) set.members().on_failure_at(where, step.changes);
    }
  }
  step.forced = asks_for_refresh(outcome);
  if (step.forced) want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step name_watch::on_refresh_wanted(time_point now) {
  watch_step step;
  step.forced = true;
  want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step name_watch::on_suspended(time_point now) {
  watch_step step;
  for (rrset_watch& set : sets_) {
    set.refresh().ask_by(after(now, random_.between({}, spread_after_suspend)));
  }
  finish(now, step);
  return step;
}

watch_step name_watch::resume(time_point now) {
  paused_ = false;
  return on_time(now);
}

void name_watch::want_refresh(time_point now, watch_step& step) {
  const time_point allowed = forced_at_ == time_point::min()
                                 ? now
                                 : after(forced_at_, options_.min_forced_refresh_interval);
  if (now < allowed) {
    forced_due_ = allowed;
    step.deferred = true;
    return;
  }
  forced_at_ = now;
  forced_due_ = time_point::max();
  step.joined = in_flight();
  for (rrset_watch& set : sets_) set.refresh().ask_by(now);
}

void name_watch::finish(time_point now, watch_step& step) {
  if (now >= forced_due_) want_refresh(now, step);
  for (rrset_watch& set : sets_) set.on_time(now, step.changes);
  cross_check(now, step);
  ask_due(now, step);
  publish(now, step);
  step.wake = next_wake(now);
}

void name_watch::cross_check(time_point now, watch_step& step) {
  for (rrset_watch& set : sets_) {
    for (const rrset_watch& other : sets_) {
      if (&set != &other && other.holds_fresh(now)) set.believe_no_data(now, step.changes);
    }
  }
}

void name_watch::ask_due(time_point now, watch_step& step) {
  if (paused_) return;
  for (rrset_watch& set : sets_) {
    if (set.refresh().due() > now) continue;
    set.refresh().asked();
    step.ask.push_back(set.type());
  }
}

bool name_watch::may_publish(time_point now) const noexcept {
  if (current_) return true;
  if (first_answer_ == time_point::max()) return false;
  const bool all_answered =
      std::all_of(sets_.begin(), sets_.end(), [](const auto& s) { return s.answered(); });
  return all_answered || now >= after(first_answer_, options_.first_family_wait);
}

void name_watch::publish(time_point now, watch_step& step) {
  if (!may_publish(now)) return;
  snapshot next = compose(now);
  if (current_ && looks_same(*current_, next)) return;
  // Nothing known and nothing wrong: the other family is still being asked.
  if (!current_ && next.endpoints.empty() && !next.error) return;
  static const std::vector<snapshot_entry> none;
  const auto& before = current_ ? current_->endpoints : none;
  publication p;
  p.added = missing_in(before, next.endpoints);
  p.departed = missing_in(next.endpoints, before);
  next.generation = current_ ? current_->generation + 1 : 1;
  current_ = std::make_shared<const snapshot>(std::move(next));
  p.what = current_;
  step.publish = std::move(p);
}

snapshot name_watch::compose(time_point now) const {
  snapshot s;
  s.name = name_;
  s.state = freshness::fresh;
  s.fresh_until = time_point::max();
  for (const rrset_watch& set : sets_) {
    if (!s.error) s.error = set.problem();
    if (set.empty()) continue;
    s.rotating = s.rotating || set.members().rotating();
    s.fresh_until = std::min(s.fresh_until, set.refresh().fresh_until());
    const freshness state = set.state(now);
    if (badness(state) > badness(s.state)) s.state = state;
    for (const member& m : set.members().members()) {
      snapshot_entry e;
      e.where = endpoint{m.where, 0};
      e.doubted = m.doubted || set.members().all_doubted();
      e.presence = set.members().all_doubted() ? presence::absent : m.presence;
      e.life = m.life;
      s.endpoints.push_back(std::move(e));
    }
  }
  // IPv4 sorts before IPv6, but an AAAA record may hold a mapped IPv4 address.
  const auto by_endpoint = [](const snapshot_entry& a, const snapshot_entry& b) {
    return a.where < b.where;
  };
  if (!std::is_sorted(s.endpoints.begin(), s.endpoints.end(), by_endpoint)) {
    std::stable_sort(s.endpoints.begin(), s.endpoints.end(), by_endpoint);
  }
  const auto last = std::unique(
      s.endpoints.begin(), s.endpoints.end(), [](const snapshot_entry& a, const snapshot_entry& b) {
        return a.where == b.where;
      });
  s.endpoints.erase(last, s.endpoints.end());
  if (s.endpoints.empty()) explain_absence(s);
  return s;
}

void name_watch::explain_absence(snapshot& s) const noexcept {
  bool ever_good = false;
  bool name_missing = false;
  bool all_negative = true;
  for (const rrset_watch& set : sets_) {
    ever_good = ever_good || set.refresh().ever_good();
    name_missing = name_missing || set.said() == rrset_watch::verdict::name_missing;
    all_negative = all_negative && set.said() != rrset_watch::verdict::unknown &&
                   set.said() != rrset_watch::verdict::has_records;
  }
  s.state = ever_good ? freshness::expired : freshness::unresolved;
  s.fresh_until = {};
  s.definite = name_missing || all_negative;
  if (!s.definite) return;
  if (ever_good) {
    s.error = errc::name_gone;
  } else {
    s.error = name_missing ? errc::name_not_found : errc::no_data;
  }
}

time_point name_watch::next_wake(time_point now) const noexcept {
  time_point wake = forced_due_;
  for (const rrset_watch& set : sets_) {
    wake = std::min({wake, set.refresh().due(), set.next_time(now)});
  }
  if (!current_ && first_answer_ != time_point::max()) {
    const time_point waited = after(first_answer_, options_.first_family_wait);
    if (waited > now) wake = std::min(wake, waited);
  }
  return wake;
}

bool name_watch::in_flight() const noexcept {
  return std::any_of(
      sets_.begin(), sets_.end(), [](const auto& s) { return s.refresh().in_flight(); });
}

std::size_t name_watch::known() const noexcept {
  std::size_t count = 0;
  for (const rrset_watch& set : sets_) count += set.members().members().size();
  return count;
}

}  // namespace redial::detail
