// SPDX-License-Identifier: Apache-2.0

// A name lives as long as it has subscribers, and `ttl_cap` longer: a client that is replaced by
// another then finds it resolved. Old ones are dropped when the next event passes by, not by a
// timer, so that nothing keeps an idle executor running.

#include "discovery/discovery_state.hpp"

#include "discovery/fixed_snapshot.hpp"
#include "discovery/subscription_state.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace redial::detail {

namespace asio = boost::asio;

namespace {

std::uint64_t seed_of(const watch_options& o) {
  if (o.seed != 0) return o.seed;
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

}  // namespace

std::shared_ptr<discovery_state> discovery_state::make(asio::any_io_executor strand,
                                                       const discovery_options& options,
                                                       std::unique_ptr<dns_source> source,
                                                       std::shared_ptr<scheduler> time,
                                                       suspend_detector::clock_function asleep) {
  const std::shared_ptr<discovery_state> made(new discovery_state(
      std::move(strand), options, std::move(source), std::move(time), std::move(asleep)));
  made->around_->on_tick = [weak = std::weak_ptr(made)] {
    if (const auto self = weak.lock()) self->check_for_sleep();
  };
  on_context_end(made->around_->strand, made);
  return made;
}

discovery_state::discovery_state(asio::any_io_executor strand,
                                 const discovery_options& options,
                                 std::unique_ptr<dns_source> source,
                                 std::shared_ptr<scheduler> time,
                                 suspend_detector::clock_function asleep)
    : watch_(options.watch),
      seed_(seed_of(options.watch)),
      around_(std::make_shared<name_surroundings>()),
      suspend_(std::move(asleep)) {
  around_->strand = std::move(strand);
  around_->time = std::move(time);
  around_->source = std::move(source);
  around_->listener = options.listener;
  around_->counters = std::make_shared<shared_counters>();
}

void discovery_state::context_gone() noexcept { around_->strand = {}; }

template <class Function>
void discovery_state::post(Function f) {
  // A context that is being destroyed takes nothing any more.
  if (!around_->can_post()) return;
  asio::post(around_->strand,
             [self = shared_from_this(), f = std::move(f)]() mutable { f(*self); });
}

template <class Function>
void discovery_state::post_for_name(const std::string& name, Function f) {
  if (closing_ || name.empty()) return;
  post([name, f = std::move(f)](discovery_state& self) {
    if (const auto found = self.find(name)) f(*found);
  });
}

std::shared_ptr<subscription_state> discovery_state::subscribe(
    const target& t, asio::any_io_executor executor, discovery::snapshot_handler on_snapshot) {
  const bool fixed = !t.fixed_endpoints().empty();
  auto subscriber = std::make_shared<subscription_state>(
      fixed ? std::weak_ptr<discovery_state>{} : weak_from_this(),
      t.host().text(),
      t.port(),
      std::move(executor),
      std::move(on_snapshot));
  if (fixed) {
    subscriber->deliver(fixed_snapshot(t, watch_));
  } else if (closing_) {
    subscriber->deliver(closed_snapshot(t.host().text()));
  } else {
    post([subscriber](discovery_state& self) { self.attach(subscriber); });
  }
  return subscriber;
}

void discovery_state::attach(const std::shared_ptr<subscription_state>& subscriber) {
  if (shut_) {
    subscriber->deliver(closed_snapshot(subscriber->name()));
    return;
  }
  forget_old_names();
  auto& entry = names_[subscriber->name()];
  if (!entry) {
    const std::string& name = subscriber->name();
    entry = watched_name::make(name, watch_, seed_for(seed_, name), around_);
  }
  const auto name = entry;
  name->add(subscriber);
}

void discovery_state::detach(std::shared_ptr<subscription_state> subscriber) noexcept {
  try {
    post([subscriber = std::move(subscriber)](discovery_state& self) {
      self.remove(subscriber);
      self.forget_old_names();
    });
  } catch (...) {
    // No memory for the message: the name goes on being refreshed until the discovery is closed.
  }
}

void discovery_state::remove(const std::shared_ptr<subscription_state>& subscriber) {
  const auto name = find(subscriber->name());
  if (!name) return;
  name->remove(subscriber);
  if (name->has_subscribers()) return;
  forget_at_ = std::min(forget_at_, after(name->alone_since(), watch_.ttl_cap));
}

void discovery_state::report(const std::string& name,
                             const address& where,
                             endpoint_outcome outcome,
                             bool last_usable) {
  post_for_name(name, [where, outcome, last_usable](watched_name& n) {
    n.report(where, outcome, last_usable);
  });
}

void discovery_state::refresh(const std::string& name) {
  post_for_name(name, [](watched_name& n) { n.refresh(); });
}

void discovery_state::close() noexcept {
  if (closing_.exchange(true)) return;
  try {
    post([](discovery_state& self) { self.shut_down(); });
  } catch (...) {
    // No memory for the message. Everything goes when the last reference goes.
  }
}

std::shared_ptr<watched_name> discovery_state::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

void discovery_state::forget_old_names() {
  const time_point now = around_->time->now();
  if (now < forget_at_) return;
  forget_at_ = time_point::max();
  std::erase_if(names_, [&](const auto& entry) {
    const watched_name& name = *entry.second;
    if (name.has_subscribers()) return false;
    const time_point old_at = after(name.alone_since(), watch_.ttl_cap);
    // In flight: forgotten now, it could be asked for a second time at once.
    if (now >= old_at && !name.in_flight()) return true;
    forget_at_ = std::min(forget_at_, old_at);
    return false;
  });
}

void discovery_state::check_for_sleep() {
  if (shut_) return;
  if (suspend_.has_slept()) {
    for (const auto& entry : names_) entry.second->after_suspend();
  }
  forget_old_names();
}

void discovery_state::shut_down() {
  shut_ = true;
  const auto names = std::move(names_);
  names_.clear();
  for (const auto& entry : names) entry.second->close();
  around_->source->close();
  auto source = std::move(around_->source);
  if (!around_->can_post()) return;
  // Its last completions are posted already. It goes after them, on the strand that it works on.
  asio::post(around_->strand, [source = std::move(source)] {});
}

}  // namespace redial::detail
