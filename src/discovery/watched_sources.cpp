// SPDX-License-Identifier: Apache-2.0

#include "discovery/watched_sources.hpp"

#include "discovery/subscription_state.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

watched_sources::watched_sources(const target& t,
                                 const std::vector<std::shared_ptr<endpoint_source>>& sources,
                                 std::shared_ptr<watched> below,
                                 duration fetch_timeout,
                                 std::shared_ptr<const watch_surroundings> around)
    : watched(around), target_(t), fetch_timeout_(fetch_timeout), below_(std::move(below)) {
  for (const auto& source : sources) {
    layer l;
    l.source = source;
    const std::string label = source->label();
    l.watch = std::make_unique<source_watch>(
        t.text(), label, t.port(), around->watch, seed_for(around->seed, t.text() + label));
    l.watch->pause();
    layers_.push_back(std::move(l));
  }
}

std::shared_ptr<watched_sources> watched_sources::make(
    const target& t,
    const std::vector<std::shared_ptr<endpoint_source>>& sources,
    std::shared_ptr<watched> below,
    duration fetch_timeout,
    std::shared_ptr<const watch_surroundings> around) {
  const std::shared_ptr<watched_sources> made(
      new watched_sources(t, sources, std::move(below), fetch_timeout, std::move(around)));
  made->own_timer();
  return made;
}

// Evidence goes to whoever serves: the others say something else about the same address.
void watched_sources::report(const endpoint& where, endpoint_outcome outcome, bool last_usable) {
  for (layer& l : layers_) {
    if (l.awake) take(l, l.watch->on_report(where, outcome, last_usable, now()));
  }
  if (subscription_) below_->report(where, outcome, last_usable);
  apply(settle());
}

void watched_sources::refresh() {
  for (layer& l : layers_) {
    if (l.awake) take(l, l.watch->on_refresh_wanted(now()));
  }
  if (subscription_) below_->refresh();
  apply(settle());
}

void watched_sources::after_suspend() {
  for (layer& l : layers_) {
    if (l.awake) take(l, l.watch->on_suspended(now()));
  }
  apply(settle());
}

void watched_sources::news() {
  for (layer& l : layers_) {
    if (l.awake) take(l, l.watch->on_news(now()));
  }
  apply(settle());
}

// Only so long as an answer would count: one that never comes must not keep this for ever.
bool watched_sources::in_flight() const noexcept {
  return std::any_of(layers_.begin(), layers_.end(), [t = now()](const layer& l) {
    return l.watch->in_flight() && t < l.fetch_deadline;
  });
}

watch_step watched_sources::on_time(time_point now) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layer& l = layers_[i];
    if (now >= l.fetch_deadline) {
      source_answer none;
      none.outcome = answer_outcome::timeout;
      fetched(i, l.fetches, none);
    }
    if (l.awake) take(l, l.watch->on_time(now));
  }
  return settle();
}

watch_step watched_sources::wake_up(time_point) { return settle(); }

void watched_sources::fall_asleep() noexcept {
  for (layer& l : layers_) {
    l.watch->pause();
    l.awake = false;
    l.wake = time_point::max();
  }
  unfollow_below();
}

void watched_sources::shut_down() noexcept {
  if (subscription_) subscription_->cancel();
  subscription_.reset();
}

void watched_sources::perform(const watch_step&) {}

void watched_sources::take(layer& l, const watch_step& step) {
  // Nobody looks after the time of one that is not needed: it may get the answer to a fetch.
  l.wake = l.awake ? step.wake : time_point::max();
  if (step.fetch) fetch(l);
}

void watched_sources::fetch(layer& l) {
  around().counters->add(&dns_counters::queries);
  l.fetch_deadline = after(now(), fetch_timeout_);
  const auto at = static_cast<std::size_t>(&l - layers_.data());
  auto self = std::weak_ptr(std::static_pointer_cast<watched_sources>(shared_from_this()));
  // The strand is asked for at the time of the call: its context may be gone by then.
  l.source->fetch(target_, [self, at, number = ++l.fetches](const source_answer& received) {
    const auto sources = self.lock();
    if (!sources) return;
    sources->around().post([self, at, number, received] {
      const auto still = self.lock();
      if (!still || still->is_closed()) return;
      still->fetched(at, number, received);
      still->apply(still->settle());
    });
  });
}

void watched_sources::fetched(std::size_t at, std::uint64_t number, const source_answer& received) {
  layer& l = layers_[at];
  if (number != l.fetches || l.fetch_deadline == time_point::max()) return;
  l.fetch_deadline = time_point::max();
  const bool definite = is_definite(received.outcome);
  around().counters->add(definite ? &dns_counters::answers : &dns_counters::failures);
  take(l, l.watch->on_fetched(received, now()));
}

// Wakes who is needed, puts to sleep who is not, and publishes what the first with endpoints says.
watch_step watched_sources::settle() {
  watch_step step;
  if (!has_subscribers()) return step;
  precedence p = decide_now();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layer& l = layers_[i];
    const bool needed = i < p.needed;
    if (needed && !l.awake) {
      l.awake = true;
      take(l, l.watch->resume(now()));
    } else if (!needed && l.awake) {
      l.awake = false;
      l.watch->pause();
      l.wake = time_point::max();
    }
    step.wake = std::min({step.wake, l.wake, l.fetch_deadline});
  }
  p.needed > layers_.size() ? follow_below() : unfollow_below();
  p = decide_now();  // who was woken knows how old its last answer is
  if (!p.serving) return step;
  snapshot next = *p.serving;
  next.name = target_.text();
  step.publish = published_.publish(std::move(next));
  return step;
}

precedence watched_sources::decide_now() const {
  std::vector<snapshot_ptr> known;
  for (const layer& l : layers_) known.push_back(l.watch->current());
  known.push_back(subscription_ ? from_below_ : nullptr);
  return decide(known);
}

void watched_sources::follow_below() {
  if (subscription_ || !below_) return;
  auto self = std::weak_ptr(std::static_pointer_cast<watched_sources>(shared_from_this()));
  auto on_snapshot = [self](snapshot_ptr s) {
    const auto sources = self.lock();
    if (!sources || sources->is_closed() || !sources->subscription_) return;
    sources->from_below_ = std::move(s);
    sources->apply(sources->settle());
  };
  subscription_ = std::make_shared<subscription_state>(std::weak_ptr<discovery_state>{},
                                                       std::string{},
                                                       target_.port(),
                                                       around().strand,
                                                       on_snapshot);
  below_->add(subscription_);
}

void watched_sources::unfollow_below() {
  if (!subscription_) return;
  const auto gone = std::exchange(subscription_, nullptr);
  from_below_.reset();
  gone->cancel();
  below_->remove(gone);
}

void watched_sources::explain(explanation& e, std::uint16_t port) const {
  // Sets of all; endpoints of the one that serves.
  bool served = false;
  const auto add = [&](explanation& part) {
    for (set_explanation& s : part.sets) e.sets.push_back(std::move(s));
    if (served || part.endpoints.empty()) return;
    e.endpoints = std::move(part.endpoints);
    served = true;
  };
  for (const layer& l : layers_) {
    explanation part;
    if (l.awake) l.watch->explain(part, now());
    add(part);
  }
  explanation part;
  if (subscription_) below_->explain(part, port);
  add(part);
}

}  // namespace redial::inline REDIAL_ABI::detail
