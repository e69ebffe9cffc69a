// SPDX-License-Identifier: Apache-2.0

#include "client/client_state.hpp"

#include <redial/discovery/feed.hpp>
#include <redial/net/asio_scheduler.hpp>

#include "client/call_state.hpp"
#include "client/recycled.hpp"
#include "client/shared_retry_budget.hpp"

#include <algorithm>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

namespace {

client_options checked(client_options o) {
  validate(o);
  if (!o.pool.listener) o.pool.listener = o.listener;
  return o;
}

template <class Part>
Part present(Part part, const char* name) {
  if (!part) throw std::invalid_argument("client: " + std::string(name) + ": give one");
  return part;
}

std::uint64_t seed_of(const client_options& o) {
  if (o.pool.seed != 0) return o.pool.seed;
  std::random_device entropy;
  return (static_cast<std::uint64_t>(entropy()) << 32U) | entropy();
}

}  // namespace

client_state::client_state(boost::asio::any_io_executor executor,
                           std::shared_ptr<discovery> names,
                           const target& t,
                           std::shared_ptr<connector> opener,
                           const client_options& options,
                           std::shared_ptr<scheduler> time)
    : options_(checked(options)),
      executor_(present(std::move(executor), "the executor is empty")),
      time_(time ? std::move(time) : scheduler_of(executor_)),
      started_(time_->now()),
      names_(present(std::move(names), "the discovery is null")),
      target_(t),
      budget_(options_.retry),
      hedge_(options_.hedge),
      chance_(seed_of(options_)),
      pool_(executor_,
            make_feed(names_, t),
            present(std::move(opener), "the connector is null"),
            options_.pool,
            time_) {}

std::shared_ptr<client_state> client_state::create(boost::asio::any_io_executor executor,
                                                   std::shared_ptr<discovery> names,
                                                   const target& t,
                                                   std::shared_ptr<connector> opener,
                                                   const client_options& options,
                                                   std::shared_ptr<scheduler> time) {
  const auto made = std::make_shared<client_state>(
      std::move(executor), std::move(names), t, std::move(opener), options, std::move(time));
  made->drain_timer_.owned_by(made);
  on_context_end(made->executor_, made);
  return made;
}

client_state::~client_state() { time_->disarm(drain_timer_); }

void client_state::start_call(std::unique_ptr<erased_operation> op,
                              const call_options& options,
                              completion<called> done) {
  const time_point now = time_->now();
  const auto call = std::allocate_shared<call_state>(recycling_allocator<call_state>(),
                                                     shared_from_this(),
                                                     std::move(op),
                                                     terms_of(options, now),
                                                     std::move(done));
  const bool open = add(call, now);
  try {
    open ? call->start(now) : call->stop(errc::closed);
  } catch (...) {
    call->abandon();
    throw;
  }
}

call_terms client_state::terms_of(const call_options& options, time_point now) {
  call_terms t;
  t.deadline = deadline_of(options.deadline, options.timeout, options_.default_timeout, now);
  t.idempotent = options.is_idempotent.value_or(false);
  t.attempt_timeout = options_.attempt_timeout;
  t.client_started = started_;
  t.key = options.key;
  const std::lock_guard lock(mutex_);
  t.seed = chance_.next();
  t.hedge_after = hedge_.delay();
  return t;
}

bool client_state::add(const std::shared_ptr<call_state>& call, time_point now) {
  const auto& shared = options_.retry.shared_budget;
  if (shared) shared->call_started(now);
  const std::lock_guard lock(mutex_);
  ++counters_.calls;
  if (!shared) budget_.call_started(now);
  if (hedge_.is_on()) hedge_.call_started(now);
  call->self_ = call;
  call->next_ = calls_;
  if (calls_ != nullptr) calls_->previous_ = call.get();
  calls_ = call.get();
  return !closed_ && !draining_;
}

void client_state::count(const call_tally& tally) {
  const std::lock_guard lock(mutex_);
  if (tally.failed) ++counters_.failed_calls;
  counters_.attempts += tally.attempts;
  if (tally.attempts > 1) counters_.retries += tally.attempts - 1 - tally.hedges;
  counters_.retries_denied += tally.denied;
  counters_.hedges += tally.hedges;
  if (hedge_.is_on() && !tally.failed) hedge_.succeeded(tally.latency);
  histograms_.call.add(tally.took);
}

bool client_state::call_ended(call_state& call) {
  std::shared_ptr<call_state> last;  // let go without the lock
  const std::lock_guard lock(mutex_);
  last.swap(call.self_);
  (call.previous_ != nullptr ? call.previous_->next_ : calls_) = call.next_;
  if (call.next_ != nullptr) call.next_->previous_ = call.previous_;
  return draining_ && !closed_ && calls_ == nullptr;
}

void client_state::start_checkout(const checkout_options& options, completion<checked_out> done) {
  if (!draining_) return pool_.start_checkout(options, std::move(done));
  if (may_post()) std::move(done).post(executor_, errc::closed, lease_base());
}

// The pool serves the calls in flight until the last one has ended: they may need another attempt.
void client_state::start_drain(time_point by, completion<drain_ended> done) {
  bool quiet = false;
  {
    const std::lock_guard lock(mutex_);
    const time_point end = std::min(drain_by_, by);
    quiet = calls_ == nullptr;
    const bool timed = !quiet && !closed_ && end != time_point::max();
    if (timed) time_->arm(drain_timer_, end);  // first, since it may need memory
    draining_ = true;
    drain_by_ = end;
  }
  pool_.start_drain(quiet, quiet ? by : time_point::max(), std::move(done));
}

void client_state::calls_over() {
  time_point by;
  {
    const std::lock_guard lock(mutex_);
    by = drain_by_;
    time_->disarm(drain_timer_);
  }
  pool_.start_drain(true, by, {});
}

void client_state::end(error_code ends_drain) {
  std::vector<std::shared_ptr<call_state>> calls;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    time_->disarm(drain_timer_);
    for (call_state* c = calls_; c != nullptr; c = c->next_) calls.push_back(c->self_);
  }
  // Calls first: each closes its own connection, so that none hears of it from its pool.
  for (const auto& call : calls) call->stop(errc::closed);
  pool_.close(ends_drain);
}

void client_state::context_gone() noexcept {
  context_gone_ = true;
  close();
}

bool client_state::reset(error_code cause) { return pool_.reset(cause); }

client_counters client_state::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

client_histograms client_state::histograms() const {
  const std::lock_guard lock(mutex_);
  return histograms_;
}

measurements client_state::measured() const {
  measurements m = pool_.meter()().value_or(measurements());
  const std::lock_guard lock(mutex_);
  m.client = {counters_, histograms_};
  return m;
}

void client_state::explain(completion<void(client_explanation)> done) {
  auto joined = [self = shared_from_this(), done = std::move(done)](explanation e) mutable {
    client_explanation both;
    both.name = std::move(e);
    both.pool = self->pool_.explain();
    if (self->may_post()) std::move(done).post(self->executor_, std::move(both));
  };
  names_->async_explain(target_, std::move(joined));
}

bool client_state::spend_retry(time_point now) {
  if (const auto& shared = options_.retry.shared_budget) return shared->try_spend(now);
  const std::lock_guard lock(mutex_);
  return budget_.try_spend(now);
}

bool client_state::spend_hedge(time_point now) {
  const std::lock_guard lock(mutex_);
  return hedge_.try_spend(now);
}

std::size_t client_state::usable_endpoints() { return pool_.gauges().endpoints_active; }

}  // namespace redial::inline REDIAL_ABI::detail
