// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 2782. Constants: 16 targets are looked up at once, so that an answer of 200 is no
// burst on the name server; a set that changed waits up to a second for the addresses of its new
// targets, because a snapshot without them would take the old endpoints away and give nothing for
// them. When nothing would be left, the old endpoints serve for as long as no target of the new set
// could be looked up: a set that changed is no reason to believe a failing name server.

#include "watch/service_watch.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

constexpr std::size_t most_lookups = 16;
constexpr duration longest_hold = std::chrono::seconds{1};

// The records of the first `most` distinct targets, in order; the rest is counted.
std::vector<service> services_of(const answer& a, std::size_t most, std::uint32_t& left_out) {
  std::vector<service> all;
  std::size_t targets = 0;
  for (const srv_record& r : a.services) {
    const bool new_target = all.empty() || all.back().target != r.target;
    if (new_target && targets == most) {
      ++left_out;
      continue;
    }
    if (new_target) ++targets;
    all.emplace_back(r);
  }
  return all;
}

}  // namespace

service_watch::service_watch(std::string name, const watch_options& options, std::uint64_t seed)
    : name_(std::move(name)),
      options_(options),
      random_(seed),
      set_(options_, random_, options_.on_no_data),
      forced_(options.min_forced_refresh_interval) {}

watch_step service_watch::on_time(time_point now) {
  watch_step step;
  finish(now, step);
  return step;
}

watch_step service_watch::on_answer(const answer& received, time_point now) {
  watch_step step;
  if (received.asked.type == record_type::srv && in_flight()) {
    const auto services = services_of(received, options_.max_srv_targets, step.left_out);
    const reply said{received.outcome, received.ttl, received.error};
    step.left_out += set_.on_answer(said, services, now, options_.max_endpoints);
  }
  finish(now, step);
  return step;
}

watch_step service_watch::on_target(const std::string& target, snapshot_ptr s, time_point now) {
  watch_step step;
  const auto at = targets_.find(target);
  if (at != targets_.end() && s) {
    const bool first = !at->second.addresses;
    at->second.addresses = std::move(s);
    // The first endpoints wait a little for the others, as an address waits for the other family.
    if (first && !serves()) {
      hold_until_ = std::min(hold_until_, after(now, options_.first_family_wait));
    }
  }
  finish(now, step);
  return step;
}

watch_step service_watch::on_report(const endpoint& where,
                                    endpoint_outcome outcome,
                                    bool last_usable,
                                    time_point now) {
  watch_step step;
  const bool against =
      outcome == endpoint_outcome::connect_refused || outcome == endpoint_outcome::connection_reset;
  if (against && !last_usable && set_.members().members().size() > 1) {
    service failed;
    failed.target = where.srv_target;
    failed.port = where.port;
    set_.members().on_failure_at(failed);
  }
  step.reports.push_back({where.srv_target, where, outcome, last_usable});
  step.forced = outcome != endpoint_outcome::connected;
  if (step.forced) want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step service_watch::on_refresh_wanted(time_point now) {
  watch_step step;
  step.forced = true;
  want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step service_watch::on_suspended(time_point now) {
  watch_step step;
  set_.refresh().ask_by(after(now, random_.between({}, spread_after_suspend)));
  finish(now, step);
  return step;
}

void service_watch::pause() noexcept {
  paused_ = true;
  for (auto& [name, t] : targets_) t.asked_for = false;
}

watch_step service_watch::resume(time_point now) {
  paused_ = false;
  return on_time(now);
}

void service_watch::want_refresh(time_point now, watch_step& step) {
  if (!forced_.want(now)) {
    step.deferred = true;
    return;
  }
  step.joined = in_flight();
  set_.refresh().ask_by(now);
}

void service_watch::finish(time_point now, watch_step& step) {
  if (now >= forced_.due()) want_refresh(now, step);
  set_.on_time(now);
  if (!paused_ && set_.refresh().due() <= now) {
    set_.refresh().asked();
    step.ask.push_back(record_type::srv);
  }
  const bool new_ones = follow_targets(step);
  if (all_resolved()) {
    hold_until_ = time_point::max();
  } else if (serves() && (hold_until_ == time_point::max() || (new_ones && now >= hold_until_))) {
    // Never extended while it lasts: a set that changes with every answer is published, too.
    hold_until_ = after(now, longest_hold);
  }
  publish(now, step);
  step.wake = next_wake(now);
}

bool service_watch::follow_targets(watch_step& step) {
  bool new_ones = false;
  for (auto& [name, t] : targets_) t.wanted = false;
  for (const auto& m : set_.members().members()) {
    const auto [at, is_new] = targets_.try_emplace(m.where.target);
    at->second.wanted = true;
    new_ones = new_ones || is_new;
  }
  std::size_t unresolved = 0;
  for (auto at = targets_.begin(); at != targets_.end();) {
    if (at->second.wanted) {
      if (at->second.asked_for && !at->second.addresses) ++unresolved;
      ++at;
      continue;
    }
    if (at->second.asked_for) step.unfollow.push_back(at->first);
    at = targets_.erase(at);
  }
  if (paused_) return new_ones;
  for (auto& [name, t] : targets_) {
    if (t.asked_for) continue;
    if (!t.addresses && unresolved == most_lookups) continue;
    if (!t.addresses) ++unresolved;
    t.asked_for = true;
    step.follow.push_back(name);
  }
  return new_ones;
}

// A target whose lookups have only failed so far is as unknown as one that nobody has looked up.
bool service_watch::all_resolved() const noexcept {
  return std::all_of(targets_.begin(), targets_.end(), [](const auto& t) {
    const snapshot_ptr& s = t.second.addresses;
    return s && (s->state != freshness::unresolved || s->definite || !s->endpoints.empty());
  });
}

bool service_watch::serves() const noexcept { return current() && !current()->endpoints.empty(); }

bool service_watch::may_publish(time_point now) const noexcept {
  if (!set_.answered()) return false;
  return all_resolved() || now >= hold_until_;
}

void service_watch::publish(time_point now, watch_step& step) {
  if (!may_publish(now)) return;
  snapshot next = compose(now);
  if (next.endpoints.empty() && !all_resolved() && !serves() && !next.error) return;
  // Endpoints are given up for others, or because there are none; not because one does not know.
  if (next.endpoints.empty() && serves() && may_keep_old(now)) {
    keep_old(now, next);
  } else {
    denied_since_ = time_point::max();
  }
  const std::uint32_t left_out = limit(next);
  step.publish = published_.publish(std::move(next));
  if (step.publish) step.left_out += left_out;
}

// Targets that are listed and have never had an address: perhaps the records of new instances
// arrive one after the other, and a cache remembers that there was none. It counts as a negative
// answer about the whole (`on_no_data`). Targets that had addresses have had that wait themselves.
bool service_watch::may_keep_old(time_point now) {
  if (set_.empty()) return false;
  if (!all_resolved()) return true;
  const bool new_ones = std::all_of(targets_.begin(), targets_.end(), [](const auto& t) {
    return t.second.addresses->state == freshness::unresolved;
  });
  if (!new_ones || options_.on_no_data == on_failure::believe) return false;
  denied_since_ = std::min(denied_since_, now);
  return now < denied_until();
}

time_point service_watch::denied_until() const noexcept {
  if (options_.stale_limit >= longest_duration) return time_point::max();
  return std::max(after(current()->fresh_until, options_.stale_limit),
                  after(denied_since_, std::min(options_.absence_window, options_.stale_limit)));
}

void service_watch::keep_old(time_point now, snapshot& s) const {
  s.endpoints = current()->endpoints;
  const bool doubted =
      denied_since_ != time_point::max() && now >= after(denied_since_, options_.absence_window);
  for (snapshot_entry& e : s.endpoints) {
    e.presence = presence::absent;
    e.doubted = e.doubted || doubted;
  }
  s.fresh_until = current()->fresh_until;
  const bool ever = options_.stale_limit >= longest_duration;
  const bool over = !ever && now >= after(s.fresh_until, options_.stale_limit);
  s.state = over ? freshness::expired : freshness::stale;
  s.definite = false;
}

// Targets times addresses may be many more than either. Those that are known keep their place.
std::uint32_t service_watch::limit(snapshot& s) const {
  if (s.endpoints.size() <= options_.max_endpoints) return 0;
  const auto known = [this](const snapshot_entry& e) {
    if (!current()) return false;
    const auto& old = current()->endpoints;
    return std::binary_search(
        old.begin(), old.end(), e, [](const auto& a, const auto& b) { return a.where < b.where; });
  };
  std::stable_partition(s.endpoints.begin(), s.endpoints.end(), known);
  const std::size_t over = s.endpoints.size() - options_.max_endpoints;
  s.endpoints.resize(options_.max_endpoints);
  sort_unique(s.endpoints);
  return static_cast<std::uint32_t>(over);
}

snapshot service_watch::compose(time_point now) const {
  snapshot s;
  s.name = name_;
  s.state = set_.empty() ? freshness::fresh : set_.state(now);
  s.fresh_until = set_.empty() ? time_point::max() : set_.refresh().fresh_until();
  s.error = set_.problem();
  s.rotating = set_.members().rotating();
  for (const auto& m : set_.members().members()) add_endpoints(m, s);
  sort_unique(s.endpoints);
  if (s.endpoints.empty()) explain_absence(s);
  return s;
}

void service_watch::add_endpoints(const basic_member<service>& m, snapshot& s) const {
  const auto at = targets_.find(m.where.target);
  if (at == targets_.end() || !at->second.addresses) return;
  const snapshot& target = *at->second.addresses;
  if (!s.error) s.error = target.error;
  // A target without addresses is left out: the others serve (RFC 2782 does the same).
  if (target.endpoints.empty()) return;
  s.rotating = s.rotating || target.rotating;
  s.state = worse(s.state, target.state);
  s.fresh_until = std::min(s.fresh_until, target.fresh_until);
  const bool all_doubted = set_.members().all_doubted();
  const bool absent = m.presence == presence::absent || all_doubted;
  for (const snapshot_entry& of_target : target.endpoints) {
    snapshot_entry e;
    e.where = endpoint{of_target.where.addr, m.where.port};
    e.where.srv_target = m.where.target;
    e.where.priority = m.where.priority;
    e.where.weight = m.where.weight;
    e.presence = absent ? presence::absent : of_target.presence;
    e.doubted = m.doubted || all_doubted || of_target.doubted;
    s.endpoints.push_back(std::move(e));
  }
}

void service_watch::explain_absence(snapshot& s) const {
  const bool had_some = current() && current()->state != freshness::unresolved;
  s.state = had_some ? freshness::expired : freshness::unresolved;
  s.fresh_until = {};
  if (set_.empty()) {
    s.definite = set_.is_negative();
    if (s.definite) s.error = set_.negative_error();
  } else {
    // There are targets, and none of them has an address.
    s.definite = std::all_of(targets_.begin(), targets_.end(), [](const auto& t) {
      return t.second.addresses && t.second.addresses->definite;
    });
  }
  if (s.definite && had_some) s.error = errc::name_gone;
}

time_point service_watch::next_wake(time_point now) const noexcept {
  time_point wake = std::min(forced_.due(), set_.next_time(now));
  if (!paused_) wake = std::min(wake, set_.refresh().due());
  const auto consider = [&wake, now](time_point when) {
    if (when > now) wake = std::min(wake, when);
  };
  if (set_.answered()) consider(hold_until_);
  if (denied_since_ != time_point::max()) {
    consider(after(denied_since_, options_.absence_window));
    consider(denied_until());
  }
  return wake;
}

void service_watch::explain(explanation& e, time_point now) const {
  set_explanation set = set_.explain(now);
  set.what = "SRV " + name_;
  set.origin = endpoint_origin::srv;
  if (paused_) set.next_refresh = time_point::max();
  e.sets.push_back(std::move(set));
  if (!current()) return;
  for (const snapshot_entry& entry : current()->endpoints) {
    e.endpoints.push_back(explain(entry, now));
  }
}

endpoint_explanation service_watch::explain(const snapshot_entry& entry, time_point now) const {
  service key;
  key.target = entry.where.srv_target;
  key.port = entry.where.port;
  const auto& members = set_.members().members();
  const auto at =
      std::lower_bound(members.begin(), members.end(), key, [](const auto& m, const service& k) {
        return m.where < k;
      });
  endpoint_explanation one;
  if (at != members.end() && at->where == key) {
    one = set_.explain(*at, now);
    if (one.presence == presence::present && entry.presence == presence::absent) {
      one.why = "its target is listed, but missing from the target's own last answers";
    }
  } else {
    one.why = "not listed any more, but kept: no listed target has an address so far";
  }
  one.where = entry.where;
  one.origin = endpoint_origin::srv;
  one.presence = entry.presence;
  one.doubted = entry.doubted;
  return one;
}

}  // namespace redial::inline REDIAL_ABI::detail
