// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 8305 section 3 (50 ms for the other family), RFC 8020 (NXDOMAIN means the whole
// name), nsswitch.conf(5) "hosts: files dns" (a hit in the hosts file ends the lookup).
//
// Every event goes the same way: tell the record sets, let one family's answer throw light on the
// other's, ask what is due, publish if anything that a subscriber can see has changed.

#include "watch/name_watch.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

bool asks_for_refresh(endpoint_outcome outcome) noexcept {
  return outcome != endpoint_outcome::connected;
}

bool speaks_against_address(endpoint_outcome outcome) noexcept {
  return outcome == endpoint_outcome::connect_refused ||
         outcome == endpoint_outcome::connection_reset;
}

}  // namespace

name_watch::name_watch(std::string name, const watch_options& options, std::uint64_t seed)
    : name_(std::move(name)),
      options_(options),
      random_(seed),
      forced_(options.min_forced_refresh_interval) {
  families_.reserve(2);
  const auto add = [this](record_type type) {
    families_.push_back({type, rrset_watch(options_, random_, options_.on_no_data)});
  };
  if (options_.ipv4) add(record_type::a);
  if (options_.ipv6) add(record_type::aaaa);
}

watch_step name_watch::on_time(time_point now) {
  watch_step step;
  finish(now, step);
  return step;
}

watch_step name_watch::on_answer(const answer& received, time_point now) {
  watch_step step;
  for (family& f : families_) {
    if (f.type != received.asked.type || !f.set.refresh().in_flight()) continue;
    const std::size_t others = known() - f.set.members().members().size();
    const std::size_t room = options_.max_endpoints - std::min(options_.max_endpoints, others);
    const reply said{received.outcome, received.ttl, received.error};
    const bool failed = f.set.refresh().failures() > 0;
    step.left_out = f.set.on_answer(said, received.addresses, now, room);
    first_answer_ = std::min(first_answer_, now);
    ask_other_family(f, received.outcome, now);
    if (failed && f.set.refresh().failures() == 0) shorten_backoffs(now);
  }
  finish(now, step);
  return step;
}

watch_step name_watch::on_hosts(const std::vector<address>& addresses, time_point now) {
  std::vector<address> wanted;
  for (const address& a : addresses) {
    if (a.is_v4() ? options_.ipv4 : options_.ipv6) wanted.push_back(a);
  }
  if (!wanted.empty()) {
    if (!hosts_rule()) {
      hosts_ = std::make_unique<hosts_lines>();
      hosts_->since = now;
    }
    hosts_->addresses = std::move(wanted);
  } else if (hosts_rule()) {
    hosts_->gone_since = now;
    first_answer_ = time_point::max();
    for (family& f : families_) {
      f.set.forget();  // whatever DNS said before the lines came is old by now
      f.set.refresh().ask_by(now);
    }
  }
  return on_time(now);
}

watch_step name_watch::on_report(const address& where,
                                 endpoint_outcome outcome,
                                 bool last_usable,
                                 time_point now) {
  watch_step step;
  if (speaks_against_address(outcome) && !last_usable) {
    for (family& f : families_) {
      if (known() > 1) f.set.members().on_failure_at(where);
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
  for (family& f : families_) {
    f.set.refresh().ask_by(after(now, random_.between({}, spread_after_suspend)));
  }
  finish(now, step);
  return step;
}

watch_step name_watch::resume(time_point now) {
  paused_ = false;
  return on_time(now);
}

void name_watch::want_refresh(time_point now, watch_step& step) {
  if (!forced_.want(now)) {
    step.deferred = true;
    return;
  }
  step.joined = in_flight();
  for (family& f : families_) f.set.refresh().ask_by(now);
}

void name_watch::finish(time_point now, watch_step& step) {
  if (now >= forced_.due()) want_refresh(now, step);
  for (family& f : families_) f.set.on_time(now);
  cross_check(now);
  let_hosts_go(now);
  ask_due(now, step);
  publish(now, step);
  step.wake = next_wake(now);
}

// A server that by mistake knows nothing for a moment says so in both families, but never at the
// same instant. So NODATA in one of them is held against what the other one says after it, and then
// has to be said again: two round trips more before it is believed.
void name_watch::ask_other_family(const family& answered, answer_outcome outcome, time_point now) {
  const bool in_doubt = outcome == answer_outcome::no_data && !answered.set.empty();
  for (family& other : families_) {
    if (&other == &answered) continue;
    const bool can_tell = other.set.said() == rrset_watch::verdict::has_records &&
                          other.set.refresh().failures() == 0;
    const bool vouched = outcome == answer_outcome::records && other.set.other_family_answered();
    if (vouched || (in_doubt && can_tell)) other.set.refresh().ask_by(now);
  }
}

// After an outage the first family that is heard again shows that the other one may be, too.
void name_watch::shorten_backoffs(time_point now) {
  for (family& f : families_) f.set.refresh().shorten_backoff(now);
}

void name_watch::cross_check(time_point now) {
  for (family& f : families_) {
    for (const family& other : families_) {
      if (&f != &other && other.set.holds_fresh(now)) f.set.believe_no_data(now);
    }
  }
}

// Lines that were deleted serve until DNS has addresses, of both families if it has them soon.
// While all it says is that there are none, they go the way of addresses that DNS takes back:
// doubted after `absence_window`, gone at `stale_limit`.
void name_watch::let_hosts_go(time_point now) {
  if (!hosts_ || hosts_->rule()) return;
  if (known() > 0) {
    if (all_answered() || now >= after(first_answer_, options_.first_family_wait)) hosts_.reset();
    return;
  }
  if (now >= after(nothing_since(), options_.absence_window)) hosts_->doubted = true;
  if (now >= hosts_drain_at()) hosts_.reset();
}

time_point name_watch::nothing_since() const noexcept {
  time_point since = time_point::min();
  for (const family& f : families_) since = std::max(since, f.set.nothing_since());
  return since;
}

time_point name_watch::hosts_drain_at() const noexcept {
  if (options_.stale_limit >= longest_duration) return time_point::max();
  const duration believed_after = std::min(options_.absence_window, options_.stale_limit);
  return std::max(after(hosts_->gone_since, options_.stale_limit),
                  after(nothing_since(), believed_after));
}

void name_watch::ask_due(time_point now, watch_step& step) {
  if (paused_ || hosts_rule()) return;
  const bool any_due = std::any_of(families_.begin(), families_.end(), [now](const family& f) {
    return f.set.refresh().due() <= now;
  });
  if (!any_due) return;
  // Together where that is possible: one waking up for both.
  for (family& f : families_) {
    if (f.set.refresh().due() > now && !f.set.refresh().may_ask(now)) continue;
    f.set.refresh().asked();
    step.ask.push_back(f.type);
  }
}

bool name_watch::may_publish(time_point now) const noexcept {
  if (current() || hosts_) return true;
  if (first_answer_ == time_point::max()) return false;
  return all_answered() || now >= after(first_answer_, options_.first_family_wait);
}

void name_watch::publish(time_point now, watch_step& step) {
  if (!may_publish(now) || is_still_true(now)) return;
  snapshot next = compose(now);
  // Nothing known and nothing wrong: the other family is still being asked.
  if (!current() && next.endpoints.empty() && !next.error) return;
  step.publish = published_.publish(std::move(next));
}

// Most answers change nothing, and with thousands of names finding that out must cost no memory.
// Says no when it is not sure.
bool name_watch::is_still_true(time_point now) const noexcept {
  if (!current() || hosts_ || current()->definite) return false;
  const std::vector<snapshot_entry>& told = current()->endpoints;
  std::size_t seen = 0;
  error_code error;
  freshness state = freshness::fresh;
  bool rotating = false;
  for (const family& f : families_) {
    if (!error) error = f.set.problem();
    if (f.set.empty()) continue;
    rotating = rotating || f.set.members().rotating();
    state = worse(state, f.set.state(now));
    if (f.set.members().all_doubted()) return false;
    for (const member& m : f.set.members().members()) {
      if (seen == told.size()) return false;
      const snapshot_entry& e = told[seen++];
      if (e.where.addr != m.where || e.presence != m.presence || e.doubted != m.doubted) {
        return false;
      }
    }
  }
  return seen > 0 && seen == told.size() && state == current()->state &&
         error == current()->error && rotating == current()->rotating;
}

snapshot name_watch::compose(time_point now) const {
  snapshot s;
  s.name = name_;
  s.state = freshness::fresh;
  s.fresh_until = time_point::max();
  if (hosts_) {
    compose_hosts(s);
    return s;
  }
  for (const family& f : families_) {
    if (!s.error) s.error = f.set.problem();
    if (f.set.empty()) continue;
    s.rotating = s.rotating || f.set.members().rotating();
    s.fresh_until = std::min(s.fresh_until, f.set.refresh().fresh_until());
    s.state = worse(s.state, f.set.state(now));
    for (const member& m : f.set.members().members()) {
      snapshot_entry e;
      e.where = endpoint{m.where, 0};
      e.doubted = m.doubted || f.set.members().all_doubted();
      e.presence = f.set.members().all_doubted() ? presence::absent : m.presence;
      s.endpoints.push_back(std::move(e));
    }
  }
  // IPv4 sorts before IPv6, but an AAAA record may hold a mapped IPv4 address.
  sort_unique(s.endpoints);
  if (s.endpoints.empty()) explain_absence(s);
  return s;
}

void name_watch::compose_hosts(snapshot& s) const {
  for (const address& a : hosts_->addresses) {
    snapshot_entry e;
    e.where = endpoint{a, 0};
    e.doubted = hosts_->doubted;
    e.presence = hosts_->doubted ? presence::absent : presence::present;
    s.endpoints.push_back(std::move(e));
  }
  sort_unique(s.endpoints);
  if (hosts_->rule()) return;
  s.state = freshness::stale;
  s.fresh_until = hosts_->gone_since;
  for (const family& f : families_) {
    if (!s.error) s.error = f.set.problem();
  }
}

bool name_watch::all_answered() const noexcept {
  return std::all_of(
      families_.begin(), families_.end(), [](const family& f) { return f.set.answered(); });
}

bool name_watch::all_negative() const noexcept {
  return std::all_of(
      families_.begin(), families_.end(), [](const family& f) { return f.set.is_negative(); });
}

void name_watch::explain_absence(snapshot& s) const noexcept {
  bool ever_good = current() && current()->state != freshness::unresolved;
  bool name_missing = false;
  for (const family& f : families_) {
    ever_good = ever_good || f.set.refresh().ever_good();
    name_missing = name_missing || f.set.said() == rrset_watch::verdict::name_missing;
  }
  s.state = ever_good ? freshness::expired : freshness::unresolved;
  s.fresh_until = {};
  s.definite = name_missing || all_negative();
  if (!s.definite) return;
  if (ever_good) {
    s.error = errc::name_gone;
  } else {
    s.error = name_missing ? errc::name_not_found : errc::no_data;
  }
}

time_point name_watch::next_wake(time_point now) const noexcept {
  if (hosts_rule()) return time_point::max();
  time_point wake = forced_.due();
  for (const family& f : families_) {
    wake = std::min(wake, f.set.next_time(now));
    if (!paused_) wake = std::min(wake, f.set.refresh().due());
  }
  const auto consider = [&wake, now](time_point when) {
    if (when > now) wake = std::min(wake, when);
  };
  if (hosts_) {
    consider(after(nothing_since(), options_.absence_window));
    consider(hosts_drain_at());
  }
  if ((!current() || hosts_) && first_answer_ != time_point::max()) {
    consider(after(first_answer_, options_.first_family_wait));
  }
  return wake;
}

bool name_watch::in_flight() const noexcept {
  return std::any_of(families_.begin(), families_.end(), [](const family& f) {
    return f.set.refresh().in_flight();
  });
}

std::size_t name_watch::known() const noexcept {
  std::size_t count = 0;
  for (const family& f : families_) count += f.set.members().members().size();
  return count;
}

}  // namespace redial::inline REDIAL_ABI::detail
