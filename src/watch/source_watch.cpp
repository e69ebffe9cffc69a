// SPDX-License-Identifier: Apache-2.0

// Source of the health rule: Cloud Map's DiscoverInstances returns all instances when none is
// healthy (HEALTHY_OR_ELSE_ALL), because a health check that condemns everybody is more often wrong
// than right.

#include "watch/source_watch.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

watch_options for_source(watch_options o) {
  if (o.membership == membership::automatic) o.membership = membership::complete;
  return o;
}

}  // namespace

source_watch::source_watch(std::string target,
                           std::string label,
                           std::uint16_t port,
                           const watch_options& options,
                           std::uint64_t seed)
    : target_(std::move(target)),
      label_(std::move(label)),
      port_(port),
      options_(for_source(options)),
      random_(seed),
      set_(options_, random_, options_.on_empty_source),
      forced_(options_.min_forced_refresh_interval),
      news_(options_.ttl_floor) {}

watch_step source_watch::on_time(time_point now) {
  watch_step step;
  finish(now, step);
  return step;
}

// What a connection could be opened to, sorted; health is judged among those only.
std::vector<source_watch::candidate> source_watch::usable(const source_answer& received) const {
  std::vector<candidate> all;
  bool any_healthy = false;
  for (const sourced_endpoint& e : received.endpoints) {
    candidate c{e.where, &e};
    c.where.addr = unmapped(c.where.addr);
    if (c.where.addr.is_v4() ? !options_.ipv4 : !options_.ipv6) continue;
    if (c.where.port == 0) c.where.port = port_;
    if (c.where.port == 0 || !is_dialable(c.where.addr)) continue;
    any_healthy = any_healthy || e.healthy;
    all.push_back(std::move(c));
  }
  if (any_healthy) std::erase_if(all, [](const candidate& c) { return !c.said->healthy; });
  // Of equal ones the first counts.
  const auto before = [](const candidate& a, const candidate& b) { return a.where < b.where; };
  const auto equal = [](const candidate& a, const candidate& b) { return a.where == b.where; };
  std::stable_sort(all.begin(), all.end(), before);
  all.erase(std::unique(all.begin(), all.end(), equal), all.end());
  return all;
}

void source_watch::note_metadata(const candidate& c) {
  if (c.said->metadata.empty()) {
    metadata_.erase(c.where);
    return;
  }
  auto& known = metadata_[c.where];
  // Another map is a change, even an equal one.
  if (known && *known == c.said->metadata) return;
  known = std::make_shared<const endpoint_metadata>(c.said->metadata);
}

void source_watch::forget_metadata() {
  const auto& members = set_.members().members();
  std::erase_if(metadata_, [&members](const auto& m) {
    const auto at = std::lower_bound(
        members.begin(), members.end(), m.first, [](const auto& e, const endpoint& where) {
          return e.where < where;
        });
    return at == members.end() || at->where != m.first;
  });
}

watch_step source_watch::on_fetched(const source_answer& received, time_point now) {
  watch_step step;
  if (in_flight()) {
    reply said{received.outcome, received.ttl, received.error};
    std::vector<endpoint> endpoints;
    if (said.outcome == answer_outcome::records) {
      for (const candidate& c : usable(received)) {
        note_metadata(c);
        endpoints.push_back(c.where);
      }
      if (endpoints.empty()) said.outcome = answer_outcome::no_data;
    }
    step.left_out = set_.on_answer(said, endpoints, now, options_.max_endpoints);
    forget_metadata();
  }
  finish(now, step);
  return step;
}

watch_step source_watch::on_report(const endpoint& where,
                                   endpoint_outcome outcome,
                                   bool last_usable,
                                   time_point now) {
  watch_step step;
  const bool against =
      outcome == endpoint_outcome::connect_refused || outcome == endpoint_outcome::connection_reset;
  if (against && !last_usable && set_.members().members().size() > 1) {
    set_.members().on_failure_at(where);
  }
  step.forced = outcome != endpoint_outcome::connected;
  if (step.forced) want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step source_watch::on_refresh_wanted(time_point now) {
  watch_step step;
  step.forced = true;
  want_refresh(now, step);
  finish(now, step);
  return step;
}

watch_step source_watch::on_news(time_point now) {
  has_news_ = true;
  return on_time(now);
}

watch_step source_watch::on_suspended(time_point now) {
  set_.refresh().ask_by(now);
  return on_time(now);
}

watch_step source_watch::resume(time_point now) {
  paused_ = false;
  return on_time(now);
}

void source_watch::want_refresh(time_point now, watch_step& step) {
  if (!forced_.want(now)) {
    step.deferred = true;
    return;
  }
  step.joined = in_flight();
  set_.refresh().ask_by(now);
}

void source_watch::finish(time_point now, watch_step& step) {
  if (now >= forced_.due()) want_refresh(now, step);
  // A fetch in flight may have looked before there was any: news waits for its end.
  if ((has_news_ || now >= news_.due()) && !in_flight()) {
    has_news_ = false;
    if (news_.want(now)) set_.refresh().ask_by(now);
  }
  set_.on_time(now);
  if (!paused_ && set_.refresh().due() <= now) {
    set_.refresh().asked();
    step.fetch = true;
  }
  if (set_.answered()) step.publish = published_.publish(compose(now));
  step.wake = std::min(forced_.due(), set_.next_time(now));
  if (!in_flight()) step.wake = std::min(step.wake, news_.due());
  if (!paused_) step.wake = std::min(step.wake, set_.refresh().due());
}

snapshot source_watch::compose(time_point now) const {
  snapshot s;
  s.name = target_;
  s.error = set_.problem();
  s.rotating = set_.members().rotating();
  if (set_.empty()) {
    explain_absence(s);
    return s;
  }
  s.state = set_.state(now);
  s.fresh_until = set_.refresh().fresh_until();
  const bool all_doubted = set_.members().all_doubted();
  for (const auto& m : set_.members().members()) {
    snapshot_entry e;
    e.where = m.where;
    e.presence = all_doubted ? presence::absent : m.presence;
    e.doubted = m.doubted || all_doubted;
    const auto known = metadata_.find(m.where);
    if (known != metadata_.end()) e.metadata = known->second;
    s.endpoints.push_back(std::move(e));
  }
  return s;
}

void source_watch::explain_absence(snapshot& s) const {
  const bool had_some = set_.refresh().ever_good();
  s.state = had_some ? freshness::expired : freshness::unresolved;
  s.definite = set_.is_negative();
  if (s.definite) s.error = had_some ? make_error_code(errc::name_gone) : set_.negative_error();
}

void source_watch::explain(explanation& e, time_point now) const {
  set_explanation set = set_.explain(now);
  set.what = "source " + label_;
  set.origin = endpoint_origin::source;
  if (paused_) set.next_refresh = time_point::max();
  e.sets.push_back(std::move(set));
  for (const auto& m : set_.members().members()) {
    endpoint_explanation one = set_.explain(m, now);
    one.where = m.where;
    one.origin = endpoint_origin::source;
    e.endpoints.push_back(std::move(one));
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
