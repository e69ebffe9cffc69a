// SPDX-License-Identifier: Apache-2.0

// A name lives as long as it has subscribers, and `ttl_cap` longer: a client that is replaced by
// another then finds it resolved. Old ones are dropped when the next event passes by, not by a
// timer, so that nothing keeps an idle executor running.

#include "discovery/discovery_state.hpp"

#include "discovery/fixed_snapshot.hpp"
#include "discovery/options.hpp"
#include "discovery/subscription_state.hpp"
#include "discovery/watched_name.hpp"
#include "discovery/watched_service.hpp"
#include "discovery/watched_sources.hpp"
#include "dns/hosts_file.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {

std::uint64_t seed_of(const watch_options& o) {
  if (o.seed != 0) return o.seed;
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

// Host names have no colon.
std::string key_of_host(const std::string& name) { return name; }
std::string key_of_service(const std::string& owner) { return "srv:" + owner; }
std::string key_of_sourced(const target& t) { return "source:" + t.text(); }

}  // namespace

std::shared_ptr<discovery_state> discovery_state::make(asio::any_io_executor strand,
                                                       const discovery_options& options,
                                                       std::unique_ptr<dns_source> source,
                                                       std::shared_ptr<scheduler> time,
                                                       suspend_detector::clock_function asleep) {
  const std::shared_ptr<discovery_state> made(new discovery_state(
      std::move(strand), options, std::move(source), std::move(time), std::move(asleep)));
  made->connect_surroundings();
  made->use_hosts(options.hosts_path.value_or(std::string{}));
  on_context_end(made->around_->strand, made);
  return made;
}

discovery_state::discovery_state(asio::any_io_executor strand,
                                 const discovery_options& options,
                                 std::unique_ptr<dns_source> source,
                                 std::shared_ptr<scheduler> time,
                                 suspend_detector::clock_function asleep)
    : fetch_timeout_(options.query_timeout),
      sources_(options.sources),
      around_(std::make_shared<watch_surroundings>()),
      suspend_(std::move(asleep)) {
  around_->watch = options.watch;
  around_->seed = seed_of(options.watch);
  around_->strand = std::move(strand);
  around_->time = std::move(time);
  around_->timers = std::make_shared<strand_timers>(around_->strand, around_->time);
  around_->source = std::move(source);
  around_->listener = options.listener;
  around_->counters = std::make_shared<shared_counters>();
  around_->denied = denied_ranges(options);
}

// What is watched outlives us at most until it is closed; it asks through weak references.
void discovery_state::connect_surroundings() {
  const auto weak = weak_from_this();
  around_->timers->before_turn = [weak] {
    if (const auto self = weak.lock()) self->check_for_sleep();
  };
  around_->on_interest = [weak](watched& who, bool has_subscribers) {
    if (const auto self = weak.lock()) self->interest_changed(who, has_subscribers);
  };
  around_->host = [weak](const std::string& name) -> std::shared_ptr<watched> {
    const auto self = weak.lock();
    return self ? self->host(name) : nullptr;
  };
  for (const auto& source : sources_) {
    source->watch([weak](const target& t) {
      if (const auto self = weak.lock()) self->news_about(t);
    });
  }
}

void discovery_state::use_hosts(const std::string& path) {
  if (path.empty()) return;
  const auto weak = weak_from_this();
  hosts_ = std::make_unique<hosts_file>(
      around_->strand, around_->time, path, [weak](const std::vector<std::string>& names) {
        if (const auto self = weak.lock()) self->hosts_changed(names);
      });
  around_->hosts = [file = hosts_.get(), weak](const std::string& name) {
    return weak.expired() ? nullptr : file->find(name);
  };
}

discovery_state::~discovery_state() = default;

void discovery_state::context_gone() noexcept {
  around_->timers->context_gone();
  for (const auto& entry : watched_) entry.second->context_gone();
  const std::lock_guard lock(around_->gate);
  around_->strand = {};
}

template <class Function>
void discovery_state::post(Function f) {
  around_->post([self = shared_from_this(), f = std::move(f)]() mutable { f(*self); });
}

template <class Function>
void discovery_state::post_for(const std::string& key, Function f) {
  if (closing_ || key.empty()) return;
  post([key, f = std::move(f)](discovery_state& self) {
    if (const auto found = self.find(key)) f(*found);
  });
}

std::string discovery_state::key_of(const target& t) const {
  const bool sourced = std::any_of(
      sources_.begin(), sources_.end(), [&t](const auto& source) { return source->serves(t); });
  if (sourced) return key_of_sourced(t);
  return t.is_srv() ? key_of_service(t.host().text()) : key_of_host(t.host().text());
}

std::shared_ptr<subscription_state> discovery_state::subscribe(
    const target& t, asio::any_io_executor executor, discovery::snapshot_handler on_snapshot) {
  process_.verify();
  const bool fixed = !t.fixed_endpoints().empty();
  auto subscriber = std::make_shared<subscription_state>(
      fixed ? std::weak_ptr<discovery_state>{} : weak_from_this(),
      fixed ? std::string{} : key_of(t),
      t.port(),
      std::move(executor),
      std::move(on_snapshot));
  if (fixed) {
    subscriber->deliver(fixed_snapshot(t, around_->watch));
  } else if (closing_) {
    subscriber->deliver(closed_snapshot(t.host().text()));
  } else {
    post([subscriber, t](discovery_state& self) { self.attach(subscriber, t); });
  }
  return subscriber;
}

void discovery_state::attach(const std::shared_ptr<subscription_state>& subscriber,
                             const target& t) {
  if (shut_) {
    subscriber->deliver(closed_snapshot(t.host().text()));
    return;
  }
  forget_old_names();
  const auto found = find_or_make(subscriber->key(), t);
  found->add(subscriber);
}

std::shared_ptr<watched> discovery_state::find_or_make(const std::string& key, const target& t) {
  if (auto known = find(key)) return known;
  // Made before it is entered: sources are asked here, and might throw.
  std::shared_ptr<watched> made;
  if (key == key_of_service(t.host().text())) {
    made = watched_service::make(t.host().text(), around_);
  } else if (key == key_of_sourced(t)) {
    std::vector<std::shared_ptr<endpoint_source>> serving;
    for (const auto& source : sources_) {
      if (source->serves(t)) serving.push_back(source);
    }
    made = watched_sources::make(t, serving, without_sources(t), fetch_timeout_, around_);
  } else {
    made = watched_name::make(key, around_);
  }
  watched_.emplace(key, made);
  return made;
}

std::shared_ptr<watched> discovery_state::without_sources(const target& t) {
  const std::string& name = t.host().text();
  return find_or_make(t.is_srv() ? key_of_service(name) : key_of_host(name), t);
}

std::shared_ptr<watched> discovery_state::host(const std::string& name) {
  if (shut_) return nullptr;
  if (auto known = find(key_of_host(name))) return known;
  const auto made = watched_name::make(name, around_);
  watched_.emplace(key_of_host(name), made);
  return made;
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
  if (const auto found = find(subscriber->key())) found->remove(subscriber);
}

void discovery_state::interest_changed(watched& who, bool has_subscribers) {
  if (has_subscribers) {
    if (awake_++ == 0 && hosts_) hosts_->start();
    return;
  }
  if (--awake_ == 0 && hosts_) hosts_->stop();
  forget_at_ = std::min(forget_at_, after(who.alone_since(), around_->watch.ttl_cap));
}

void discovery_state::hosts_changed(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = find(key_of_host(name));
    if (found && found->has_subscribers()) found->hosts_changed();
  }
}

void discovery_state::news_about(const target& t) {
  post_for(key_of_sourced(t), [](watched& w) { static_cast<watched_sources&>(w).news(); });
}

void discovery_state::report(const std::string& key,
                             const endpoint& where,
                             endpoint_outcome outcome,
                             bool last_usable) {
  process_.verify();
  post_for(key,
           [where, outcome, last_usable](watched& w) { w.report(where, outcome, last_usable); });
}

void discovery_state::refresh(const std::string& key) {
  process_.verify();
  post_for(key, [](watched& w) { w.refresh(); });
}

void discovery_state::explain(const target& t, explanation_handler done) {
  process_.verify();
  explanation e;
  e.target = t.text();
  e.now = around_->time->now();
  if (!t.fixed_endpoints().empty() || closing_ || !around_->can_post()) {
    if (!t.fixed_endpoints().empty()) explain_fixed(t, around_->watch, e);
    done(std::move(e));
    return;
  }
  post([key = key_of(t), t, e = std::move(e), done = std::move(done)](
           discovery_state& self) mutable {
    if (const auto found = self.find(key)) {
      found->explain(e, t.port());
      e.subscribers = found->subscribers();
      if (const snapshot_ptr s = found->current()) {
        e.state = s->state;
        e.error = s->error;
        e.generation = s->generation;
      }
    }
    done(std::move(e));
  });
}

void discovery_state::close() noexcept {
  process_.verify();
  if (closing_.exchange(true)) return;
  try {
    post([](discovery_state& self) { self.shut_down(); });
  } catch (...) {
    // No memory for the message. Everything goes when the last reference goes.
  }
}

std::shared_ptr<watched> discovery_state::find(const std::string& key) const {
  const auto found = watched_.find(key);
  return found == watched_.end() ? nullptr : found->second;
}

void discovery_state::forget_old_names() {
  const time_point now = around_->time->now();
  if (now < forget_at_) return;
  forget_at_ = time_point::max();
  std::erase_if(watched_, [&](const auto& entry) {
    const watched& w = *entry.second;
    if (w.has_subscribers()) return false;
    const time_point old_at = after(w.alone_since(), around_->watch.ttl_cap);
    // In flight, or somebody else's fallback: forgotten now, it could be asked twice at once.
    if (now >= old_at && !w.in_flight() && entry.second.use_count() == 1) return true;
    forget_at_ = std::min(forget_at_, now < old_at ? old_at : after(now, around_->watch.ttl_cap));
    return false;
  });
}

void discovery_state::check_for_sleep() {
  if (shut_) return;
  if (suspend_.has_slept()) {
    // A copy: whoever is told may follow others, and make them.
    const auto all = watched_;
    for (const auto& entry : all) entry.second->after_suspend();
  }
  forget_old_names();
}

void discovery_state::shut_down() {
  shut_ = true;
  const auto all = std::move(watched_);
  watched_.clear();
  for (const auto& entry : all) entry.second->close();
  around_->hosts = {};
  hosts_.reset();
  around_->source->close();
  auto source = std::move(around_->source);
  if (!around_->can_post()) return;
  // Its last completions are posted already. It goes after them, on the strand that it works on.
  asio::post(around_->strand, [source = std::move(source)] {});
}

}  // namespace redial::inline REDIAL_ABI::detail
