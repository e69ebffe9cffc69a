// SPDX-License-Identifier: Apache-2.0
#include "pool/pool_state.hpp"

#include <redial/net/asio_scheduler.hpp>

#include "pool/context_watch.hpp"
#include "pool/pool_explain.hpp"

#include <boost/asio/error.hpp>

#include <random>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {

std::uint64_t seed_of(const pool_options& o) {
  if (o.seed != 0) return o.seed;
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

const pool_options& valid(const pool_options& o) {
  validate(o);
  return o;
}

}  // namespace

std::shared_ptr<pool_state> pool_state::create(asio::any_io_executor executor,
                                               std::unique_ptr<endpoint_feed> feed,
                                               std::shared_ptr<connector> opener,
                                               const pool_options& options,
                                               std::shared_ptr<scheduler> time) {
  if (!executor) throw std::invalid_argument("pool: the executor is empty: give one");
  if (!feed) throw std::invalid_argument("pool: the feed is null: give one");
  if (!opener) throw std::invalid_argument("pool: the connector is null: give one");
  auto made = std::make_shared<pool_state>(
      std::move(executor), std::move(feed), std::move(opener), options, std::move(time));
  made->timer_.owned_by(made);
  watch_context(made->executor_, made);
  made->feed_->start(made->executor_, [weak = made->weak_from_this()](const snapshot_ptr& s) {
    if (const auto self = weak.lock()) self->on_snapshot(s);
  });
  return made;
}

pool_state::pool_state(asio::any_io_executor executor,
                       std::unique_ptr<endpoint_feed> feed,
                       std::shared_ptr<connector> opener,
                       const pool_options& options,
                       std::shared_ptr<scheduler> time)
    : executor_(std::move(executor)),
      time_(time ? std::move(time) : scheduler_of(executor_)),
      feed_(std::move(feed)),
      opener_(std::move(opener)),
      options_(valid(options)),
      core_(options_, seed_of(options_), this),
      news_(options_.listener, feed_->name(), executor_) {}

pool_state::~pool_state() { time_->disarm(timer_); }

bool pool_state::may_post() const noexcept {
  return !context_gone_.load(std::memory_order_relaxed) && !time_->is_stopped();
}

// Under the lock: what must have the order of the steps.
void pool_state::settle(errands& e) noexcept {
  for (const auto& s : e.actions.waits_over) {
    auto node = waiting_.extract(s.who);
    if (node.empty()) continue;
    node.mapped().end = s;
    e.waits_over.insert(std::move(node));
  }
  news_.add(e.actions.news);
  if (core_.is_closed()) settle_end(e);
}

void pool_state::follow_clock() {
  const time_point due = core_.due();
  if (due == pool_core::never) {
    if (armed_for_ != pool_core::never) time_->disarm(timer_);
    armed_for_ = pool_core::never;
  } else if (due < armed_for_) {
    time_->arm(timer_, due);
    armed_for_ = due;
  }
}

void pool_state::settle_end(errands& e) noexcept {
  e.drains_over.swap(drains_);
  e.drain_result = core_.drain_result();
  if (core_.outstanding() == 0) {
    e.self = std::move(self_);
  } else if (self_ == nullptr) {
    self_ = shared_from_this();
  }
  if (std::exchange(feed_stopped_, true)) return;
  e.stop_feed = true;
}

void pool_state::on_time() {
  step([this](time_point now, pool_actions& out) {
    armed_for_ = pool_core::never;
    core_.on_time(now, out);
  });
}

void pool_state::on_snapshot(const snapshot_ptr& s) {
  if (s == nullptr) return;
  step([&](time_point now, pool_actions& out) { core_.apply(*s, now, out); });
}

bool pool_state::reset(const error_code& cause) {
  verify_process();
  bool done = false;
  step([&](time_point now, pool_actions& out) { done = core_.reset(cause, now, out); });
  return done;
}

void pool_state::close(error_code ends_drain) {
  verify_process();
  step([&](time_point now, pool_actions& out) { core_.close(now, out, ends_drain); });
}

void pool_state::start_drain(const drain_plan& plan, completion<drain_ended> done) {
  verify_process();
  const ticket mine = ++tickets_;
  if (auto slot = done.slot(); slot.is_connected()) {
    slot.assign([weak = weak_from_this(), mine](asio::cancellation_type) {
      if (const auto self = weak.lock()) self->on_drain_cancelled(mine);
    });
  }
  bool waits = false;
  try {
    step([&](time_point now, pool_actions& out) {
      if (done) waits = drains_.emplace(mine, std::move(done)).second;
      core_.drain(plan, now, out);
    });
  } catch (const std::bad_alloc& e) {
    if (!waits || retract_drain(mine) || is_lost(e, mine)) throw;  // else its end is posted
  }
}

bool pool_state::retract_drain(ticket t) noexcept {
  drain_waits::node_type gone;  // goes without the lock
  const std::lock_guard lock(mutex_);
  gone = drains_.extract(t);
  return !gone.empty();
}

void pool_state::on_drain_cancelled(ticket t) {
  completion<drain_ended> done;
  {
    const std::lock_guard lock(mutex_);
    const auto it = drains_.find(t);
    if (it == drains_.end()) return;
    done = std::move(it->second);
    drains_.erase(it);
  }
  if (may_post()) std::move(done).post(executor_, asio::error::operation_aborted);
}

// The pool's sockets can be destroyed now, and never later. Waiting handlers are destroyed like
// all others of the context, without a call.
void pool_state::context_gone() noexcept {
  context_gone_.store(true, std::memory_order_relaxed);
  callers waiting;
  drain_waits drains;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    drains.swap(drains_);
  }
  close();
}

void pool_state::end_lease(pool_slot& s,
                           lease_end how,
                           const error_code& why,
                           std::shared_ptr<pooled_connection>* taken) {
  std::shared_ptr<pool_state> alive;  // until this function ends; the lease was what kept it
  errands e;
  {
    const std::lock_guard lock(mutex_);
    alive = shared_from_this();
    if (taken != nullptr) *taken = s.connection;
    const time_point now = time_->now();
    core_.end_lease(s, how, why, now, e.actions);
    core_.follow_drain(now, e.actions);
    settle(e);
    follow_clock();
  }
  if (taken != nullptr) std::erase(e.actions.to_close, *taken);
  run(e);
}

void pool_state::observe(pool_slot& s, std::weak_ptr<lease_observer> observer) {
  pool_actions::cancelled_lease late;
  {
    const std::lock_guard lock(mutex_);
    if (!s.cancelled) {
      s.observer = std::move(observer);
      s.observed = true;
      return;
    }
    late = {s.connection, std::move(observer), s.cancelled_for};
  }
  cancel_lease(late);  // was taken away before anybody could be told
}

pool_counters pool_state::counters() const {
  const std::lock_guard lock(mutex_);
  return core_.counters();
}

pool_histograms pool_state::histograms() const {
  const std::lock_guard lock(mutex_);
  return core_.histograms();
}

pool_measurements pool_state::measured() const {
  const std::lock_guard lock(mutex_);
  return {core_.counters(), core_.gauges(), core_.histograms()};
}

pool_explanation pool_state::explain() {
  pool_explanation e;
  {
    const std::lock_guard lock(mutex_);
    e = detail::explain(core_, options_, time_->now());
  }
  e.name = name();
  return e;
}

pool_gauges pool_state::gauges() const {
  const std::lock_guard lock(mutex_);
  return core_.gauges();
}

error_code pool_state::last_connect_error() const {
  const std::lock_guard lock(mutex_);
  return core_.last_connect_error();
}

}  // namespace redial::inline REDIAL_ABI::detail
