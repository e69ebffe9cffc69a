// SPDX-License-Identifier: Apache-2.0

#include "discovery/watched_name.hpp"

#include "discovery/fixed_snapshot.hpp"
#include "discovery/subscription_state.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace redial::detail {

namespace asio = boost::asio;

watched_name::watched_name(std::string name,
                           const watch_options& options,
                           std::uint64_t seed,
                           std::shared_ptr<const name_surroundings> around)
    : around_(std::move(around)), watch_(std::move(name), options, seed) {
  watch_.pause();
}

std::shared_ptr<watched_name> watched_name::make(std::string name,
                                                 const watch_options& options,
                                                 std::uint64_t seed,
                                                 std::shared_ptr<const name_surroundings> around) {
  const std::shared_ptr<watched_name> made(
      new watched_name(std::move(name), options, seed, std::move(around)));
  made->timer_.owned_by(made);
  return made;
}

watched_name::~watched_name() { around_->time->disarm(timer_); }

void watched_name::add(const std::shared_ptr<subscription_state>& subscriber) {
  if (watch_.in_flight()) around_->counters->add(&dns_counters::coalesced);
  const bool wakes_up = subscribers_.empty();
  // What is known is worth having at once, whatever its age: the snapshot says how old it is. When
  // waking up changes it, the change follows.
  subscribers_.push_back(subscriber);
  if (watch_.current()) subscriber->deliver(for_port(subscriber->port()));
  if (wakes_up) apply(watch_.resume(around_->time->now()));
}

void watched_name::remove(const std::shared_ptr<subscription_state>& subscriber) {
  if (std::erase(subscribers_, subscriber) == 0 || !subscribers_.empty()) return;
  alone_since_ = around_->time->now();
  watch_.pause();
  arm(time_point::max());
}

void watched_name::report(const address& where, endpoint_outcome outcome, bool last_usable) {
  apply(watch_.on_report(where, outcome, last_usable, around_->time->now()));
}

void watched_name::refresh() { apply(watch_.on_refresh_wanted(around_->time->now())); }

void watched_name::after_suspend() { apply(watch_.on_suspended(around_->time->now())); }

void watched_name::close() {
  closed_ = true;
  arm(time_point::max());
  const auto subscribers = std::move(subscribers_);
  subscribers_.clear();
  if (watch_.current()) return;
  const snapshot_ptr last = closed_snapshot(watch_.name());
  for (const auto& s : subscribers) s->deliver(last);
}

void watched_name::timer_fired() {
  if (!around_->can_post()) return;
  asio::post(around_->strand, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void watched_name::on_timer() {
  around_->on_tick();
  // The timer may have been moved after it had fired.
  if (closed_ || around_->time->now() < due_) return;
  apply(watch_.on_time(around_->time->now()));
}

void watched_name::ask(record_type type) {
  around_->counters->add(&dns_counters::queries);
  around_->source->ask(
      {watch_.name(), type},
      [weak = weak_from_this(), asked = around_->time->now()](const answer& received) {
        if (const auto self = weak.lock()) self->on_answer(received, asked);
      });
}

void watched_name::on_answer(const answer& received, time_point asked) {
  if (closed_) return;
  const time_point now = around_->time->now();
  const auto counters = around_->counters;
  counters->add(is_definite(received.outcome) ? &dns_counters::answers : &dns_counters::failures);
  counters->add(&dns_counters::dropped_records, received.dropped);
  counters->set(&dns_counters::channel_rebuilds, around_->source->rebuilds());
  if (around_->listener) around_->listener->on_answer({received, now - asked});
  apply(watch_.on_answer(received, now));
}

void watched_name::apply(const watch_step& step) {
  const auto counters = around_->counters;
  counters->add(&dns_counters::dropped_records, step.left_out);
  if (step.forced) counters->add(&dns_counters::forced);
  if (step.deferred) counters->add(&dns_counters::forced_deferred);
  if (step.joined) counters->add(&dns_counters::coalesced);
  for (const record_type type : step.ask) ask(type);
  arm(has_subscribers() ? step.wake : time_point::max());
  if (step.publish) publish();
  tell(step);
}

void watched_name::publish() {
  by_port_.clear();
  for (const auto& subscriber : subscribers_) {
    subscriber->deliver(for_port(subscriber->port()));
  }
}

snapshot_ptr watched_name::for_port(std::uint16_t port) {
  for (const auto& [known, s] : by_port_) {
    if (known == port) return s;
  }
  snapshot stamped = *watch_.current();
  for (snapshot_entry& e : stamped.endpoints) e.where.port = port;
  by_port_.emplace_back(port, std::make_shared<const snapshot>(std::move(stamped)));
  return by_port_.back().second;
}

std::vector<std::uint16_t> watched_name::ports() const {
  std::vector<std::uint16_t> all;
  for (const auto& s : subscribers_) all.push_back(s->port());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void watched_name::tell(const watch_step& step) const {
  event_listener* const listener = around_->listener.get();
  if (listener == nullptr) return;
  for (const member_change& c : step.changes) {
    for (const std::uint16_t port : ports()) {
      const endpoint where{c.where, port};
      listener->on_endpoint({watch_.name(), where, c.change, {}});
    }
  }
  if (!step.publish) return;
  const publication& p = *step.publish;
  listener->on_snapshot({watch_.name(),
                         p.what->generation,
                         p.what->state,
                         static_cast<std::uint32_t>(p.what->endpoints.size()),
                         p.added,
                         p.departed});
}

void watched_name::arm(time_point when) {
  due_ = when;
  if (when == time_point::max()) {
    around_->time->disarm(timer_);
    return;
  }
  around_->time->arm(timer_, when);
}

}  // namespace redial::detail
