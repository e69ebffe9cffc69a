// SPDX-License-Identifier: Apache-2.0

#include "discovery/watched.hpp"

#include "discovery/fixed_snapshot.hpp"
#include "discovery/subscription_state.hpp"
#include "watch/denied_addresses.hpp"

#include <algorithm>
#include <exception>

namespace redial::inline REDIAL_ABI::detail {

namespace {

// NODATA in one family is a good answer for a name that lives, or may come to live, by the other.
refresh_result result_of(answer_outcome o, const watch_step& step, const snapshot_ptr& believed) {
  if (step.publish && !step.publish->changes.empty()) return refresh_result::changed;
  if (o == answer_outcome::records) return refresh_result::unchanged;
  const bool settled = believed != nullptr;
  if (o == answer_outcome::no_data && !(settled && believed->error)) {
    return refresh_result::unchanged;
  }
  const bool has_endpoints = settled && !believed->endpoints.empty();
  return has_endpoints ? refresh_result::stale : refresh_result::error;
}

shared_counters::field counter_of(refresh_result r) noexcept {
  switch (r) {
    case refresh_result::changed:
      return &dns_counters::refreshes_changed;
    case refresh_result::unchanged:
      return &dns_counters::refreshes_unchanged;
    case refresh_result::stale:
      return &dns_counters::refreshes_stale;
    case refresh_result::error:
      break;
  }
  return &dns_counters::refreshes_error;
}

}  // namespace

watched::~watched() { around_->timers->disarm(timer_); }

void watched::add(const std::shared_ptr<subscription_state>& subscriber) {
  if (in_flight()) around_->counters->add(&dns_counters::coalesced);
  const bool wakes_up = subscribers_.empty();
  // What is known is worth having at once, whatever its age: the snapshot says how old it is. When
  // waking up changes it, the change follows.
  subscribers_.push_back(subscriber);
  if (current()) subscriber->deliver(for_port(subscriber->port()));
  if (!wakes_up) return;
  around_->on_interest(*this, true);
  apply(wake_up(now()));
}

void watched::remove(const std::shared_ptr<subscription_state>& subscriber) {
  if (std::erase(subscribers_, subscriber) == 0 || !subscribers_.empty()) return;
  alone_since_ = now();
  fall_asleep();
  arm(time_point::max());
  around_->on_interest(*this, false);
}

void watched::close() {
  closed_ = true;
  arm(time_point::max());
  shut_down();
  const auto subscribers = std::move(subscribers_);
  subscribers_.clear();
  if (current()) return;
  const snapshot_ptr last = closed_snapshot(name());
  for (const auto& s : subscribers) s->deliver(last);
}

void watched::on_timer() {
  const time_point t = now();
  // The timer may have been moved after it had fired.
  if (closed_ || t < due_) return;
  due_ = time_point::max();
  apply(on_time(t));
}

void watched::ask(record_type type) {
  question& q = around_->asking;  // its memory is used again and again
  q.name = name();
  q.type = type;
  around_->counters->add(&dns_counters::queries);
  around_->source->ask(q, [weak = weak_from_this(), asked = now()](const answer& received) {
    if (const auto self = weak.lock()) self->answered(received, asked);
  });
}

void watched::answered(const answer& received, time_point asked) {
  if (closed_) return;
  if (around_->denied.empty()) return believe(received, asked);
  answer cut = received;
  take_denied_out(cut, around_->denied);
  believe(cut, asked);
}

void watched::believe(const answer& received, time_point asked) {
  const time_point t = now();
  const duration took = t - asked;
  const watch_step step = on_answer(received, t);
  const refresh_result result = result_of(received.outcome, step, current());
  const std::uint64_t rebuilds = around_->source->rebuilds();
  around_->counters->change([&](dns_counters& n, dns_histograms& h) {
    ++(is_definite(received.outcome) ? n.answers : n.failures);
    n.dropped_records += received.dropped;
    n.channel_rebuilds = rebuilds;
    ++(n.*counter_of(result));
    h.lookup.add(took);
  });
  tell([&](event_listener& l) { l.on_answer({received, took, result}); });
  apply(step);
}

// What it throws leaves `run()` from a handler of its own: here it would end a step half way.
template <class Event>
void watched::tell(const Event& event) const {
  if (around_->listener == nullptr) return;
  try {
    event(*around_->listener);
  } catch (...) {
    around_->post([thrown = std::current_exception()] { std::rethrow_exception(thrown); });
  }
}

watch_step watched::on_answer(const answer&, time_point) { return {}; }

void watched::apply(const watch_step& step) {
  const auto& counters = around_->counters;
  if (step.left_out != 0) counters->add(&dns_counters::dropped_records, step.left_out);
  if (step.forced) counters->add(&dns_counters::forced);
  if (step.deferred) counters->add(&dns_counters::forced_deferred);
  if (step.joined) counters->add(&dns_counters::coalesced);
  perform(step);
  arm(has_subscribers() ? step.wake : time_point::max());
  if (!step.publish) return;
  publish();
  tell_publication(*step.publish);
}

void watched::publish() {
  by_port_.clear();
  for (const auto& subscriber : subscribers_) {
    subscriber->deliver(for_port(subscriber->port()));
  }
}

snapshot_ptr watched::for_port(std::uint16_t port) {
  if (port == 0) return current();
  for (const auto& [known, s] : by_port_) {
    if (known == port) return s;
  }
  snapshot stamped = *current();
  for (snapshot_entry& e : stamped.endpoints) {
    if (e.where.port == 0) e.where.port = port;
  }
  by_port_.emplace_back(port, std::make_shared<const snapshot>(std::move(stamped)));
  return by_port_.back().second;
}

void watched::tell_publication(const publication& p) const {
  if (around_->listener == nullptr) return;
  for (const presence_change& c : p.changes) tell_endpoint(c);
  const auto size = static_cast<std::uint32_t>(p.what->endpoints.size());
  tell([&](event_listener& l) {
    l.on_snapshot({name(), p.what->generation, p.what->state, size, p.added, p.departed});
  });
}

// Once for each port that somebody uses; a host that only serves as an SRV target is told about by
// its services.
void watched::tell_endpoint(const presence_change& c) const {
  if (c.where.port != 0) {
    tell([&](event_listener& l) { l.on_endpoint({name(), c.where, c.change, {}}); });
    return;
  }
  std::vector<std::uint16_t> ports;
  for (const auto& s : subscribers_) {
    if (s->port() != 0) ports.push_back(s->port());
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  for (const std::uint16_t port : ports) {
    endpoint where = c.where;
    where.port = port;
    tell([&](event_listener& l) { l.on_endpoint({name(), where, c.change, {}}); });
  }
}

void watched::arm(time_point when) {
  if (when == due_) return;  // armed already, or not at all
  due_ = when;
  if (when == time_point::max()) {
    around_->timers->disarm(timer_);
    return;
  }
  around_->timers->arm(timer_, when);
}

}  // namespace redial::inline REDIAL_ABI::detail
