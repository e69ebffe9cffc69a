// SPDX-License-Identifier: Apache-2.0

#include "client/call_state.hpp"

#include "ports/tell_listener.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {

call_tally tally_of(const attempt_machine& m, const call_step& last) {
  call_tally t;
  t.failed = last.error.failed();
  t.attempts = m.begun();
  t.hedges = m.hedges();
  t.denied = m.denied();
  t.latency = m.latency();
  t.took = last.took;
  return t;
}

}  // namespace

void call_attempt::lease_cancelled(error_code why) { call.lease_cancelled(*this, why); }

call_state::call_state(std::shared_ptr<client_state> client,
                       std::unique_ptr<erased_operation> op,
                       const call_terms& terms,
                       completion<called> done)
    : time_(client->time()),
      op_(std::move(op)),
      deadline_(terms.deadline),
      key_(terms.key),
      client_(std::move(client)),
      machine_(client_->options().retry, terms),
      done_(std::move(done)) {}

call_state::~call_state() {
  if (armed_ != time_point::max()) time_->disarm(timer_);
}

// --- events -----------------------------------------------------------------------------------

void call_state::start(time_point now) {
  locked lock(mutex_);
  timer_.owned_by(weak_from_this());
  if (auto slot = done_.slot(); slot.is_connected()) {
    slot.assign([weak = weak_from_this()](asio::cancellation_type) {
      if (const auto self = weak.lock()) self->stop(asio::error::operation_aborted);
    });
  }
  const call_step step = machine_.start(now);
  perform(std::move(lock), step, place::anywhere, now);
}

void call_state::stop(error_code why) {
  locked lock(mutex_);
  if (client_ == nullptr) return;
  // What was sent is only known where the operation runs, and a caller who leaves does not wait.
  const bool sent = std::any_of(running_.begin(), running_.end(), [](const call_attempt* a) {
    return a != nullptr && a->started;
  });
  const time_point now = time_->now();
  const call_step step = machine_.stop(why, sent, now);
  perform(std::move(lock), step, place::anywhere, now);
}

void call_state::checkout_done(error_code ec, lease_base lease) {
  const time_point now = time_->now();
  if (!ec) return run_on(std::move(lease), now);
  locked lock(mutex_);
  if (client_ == nullptr || !machine_.is_waiting_for_checkout()) return;
  queue_ = {};
  attempt_facts facts;
  facts.error = ec;
  if (!machine_.is_hedging() && !judge(lock, machine_.attempt(), facts, now)) return;
  const call_step step = machine_.checkout_failed(ec, *client_, now, facts.ruling);
  perform(std::move(lock), step, place::anywhere, now);
}

void call_state::run_on(lease_base lease, time_point now) {
  locked lock(mutex_);
  if (client_ == nullptr) return;
  if (!machine_.is_waiting_for_checkout()) return;  // the lease goes back unused
  queue_ = {};
  const auto step =
      machine_.checked_out({lease.where(), lease.endpoint_id(), lease.is_reused()}, now);
  if (step.next != call_step::move::run) return follow_clock();  // this one goes back, too
  const call_attempt& a = begin_attempt(std::move(lease));
  follow_clock();
  const auto number = a.number;
  const asio::any_io_executor executor = a.executor;
  lock.unlock();
  auto run = [self = shared_from_this(), number] { self->run(number); };
  if (op_->is_silent()) {
    asio::dispatch(executor, std::move(run));
  } else {
    // Posted, also when this is the connection's executor already: this may be the caller's thread,
    // which must not find its operation running inside `async_call`.
    asio::post(executor, std::move(run));
  }
}

void call_state::operation_done(std::uint32_t number, error_code ec) {
  locked lock(mutex_);
  const call_attempt* const a = find(number);
  if (a == nullptr) return;
  const time_point now = time_->now();
  auto facts = facts_of(*a, ec);
  if (!judge(lock, number, facts, now)) return;
  const call_step step = machine_.operation_done(number, facts, *client_, now);
  perform(std::move(lock), step, place::on_connection, now);
}

void call_state::lease_cancelled(call_attempt& a, error_code why) {
  locked lock(mutex_);
  if (find(a.number) == nullptr) return;
  const time_point now = time_->now();
  auto facts = facts_of(a, why);
  if (!judge(lock, a.number, facts, now)) return;
  const call_step step = machine_.lease_cancelled(a.number, facts, *client_, now);
  perform(std::move(lock), step, place::on_connection, now);
}

void call_state::timer_fired() {
  locked lock(mutex_);
  const time_point now = time_->now();
  if (client_ == nullptr || now < machine_.wake()) return;  // over, or moved since it went off
  armed_ = time_point::max();
  const call_attempt* const late = find(machine_.due(now));
  if (late == nullptr) {
    const call_step step = machine_.timer_fired(0, {}, *client_, now);
    perform(std::move(lock), step, place::anywhere, now);
    return;
  }
  // What the attempt has sent decides, and that is known on the connection's executor.
  const auto number = late->number;
  const asio::any_io_executor executor = late->executor;
  const bool may_post = client_->may_post();
  lock.unlock();
  if (!may_post) return;
  asio::post(executor, [self = shared_from_this(), number] { self->give_up(number); });
}

void call_state::give_up(std::uint32_t number) {
  locked lock(mutex_);
  const call_attempt* const a = find(number);
  if (a == nullptr) return;
  const time_point now = time_->now();
  auto facts = facts_of(*a, machine_.late(now));
  if (!judge(lock, number, facts, now)) return;
  const call_step step = machine_.timer_fired(number, facts, *client_, now);
  perform(std::move(lock), step, place::on_connection, now);
}

bool call_state::judge(locked& lock, std::uint32_t number, attempt_facts& facts, time_point now) {
  const auto& ask = client_->options().retry.retry_if;
  if (!ask || !is_failure(facts)) return true;
  attempt_facts f = facts;
  if (!f.error) f.error = errc::misdirected_status;
  if (f.error == errc::closed || f.error == errc::deadline_exceeded) return true;
  const attempt_record record = machine_.record_of(number, f, now);
  const auto client = client_;  // keeps what is asked
  lock.unlock();
  try {
    facts.ruling = ask(record, suggests_retry(f));
  } catch (...) {
    facts.ruling = false;
  }
  lock.lock();
  if (client_ != nullptr) return true;
  lock.unlock();  // ours may be the last reference to the client and what its user gave it
  return false;
}

// --- actions ----------------------------------------------------------------------------------

void call_state::run(std::uint32_t number) {
  locked lock(mutex_);
  call_attempt* const found = find(number);
  if (found == nullptr) return;
  call_attempt& a = *found;
  a.started = true;
  asio::any_io_executor executor = a.executor;
  lock.unlock();
  // From here on the attempt may be given up at any moment, also by another thread, which takes its
  // executor away; but what it refers to stays.
  op_->reset_traffic(*a.connection);
  op_->start(a.view,
             *a.connection,
             access::make<operation_handler>(
                 shared_from_this(), number, std::move(executor), a.signal.slot()));
}

void call_state::perform(locked lock, const call_step& step, place where, time_point now) {
  if (step.next == call_step::move::finish) return end(std::move(lock), step, where);
  const auto client = client_;
  follow_clock();
  held_lease held = take_lease(step);
  const auto number = machine_.newest();
  const bool checks_out = step.next == call_step::move::checkout;
  std::vector<tried_endpoint> tried;
  if (checks_out) tried = machine_.avoided();
  lock.unlock();
  if (step.attempt_ended) end_attempt(*client, std::move(held), step, where, true);
  if (step.reset) (void)client->reset(step.why);
  if (checks_out) check_out(*client, std::move(tried), number, now);
}

void call_state::end(locked lock, const call_step& step, place where) {
  const auto client = std::move(client_);
  follow_clock();
  held_lease held = take_lease(step);
  held_lease other = take_lease(step.other);
  const auto queue = std::exchange(queue_, {});
  completion<called> done = std::move(done_);
  call_history history = machine_.take_history();
  const call_tally tally = tally_of(machine_, step);
  lock.unlock();
  if (queue) leave_queue(*client, queue);
  if (step.attempt_ended) end_attempt(*client, std::move(held), step, where, false);
  if (step.other.attempt_ended) {
    end_attempt(*client, std::move(other), step.other, place::anywhere, false);
  }
  if (step.reset) (void)client->reset(step.why);
  finish(*client, tally, step.error, std::move(history), std::move(done));
}

call_state::held_lease call_state::take_lease(const ended_attempt& end) noexcept {
  if (!end.leased) return {};
  for (call_attempt*& a : running_) {
    if (a == nullptr || a->number != end.number) continue;
    call_attempt* const ended = std::exchange(a, nullptr);
    return {ended, std::move(ended->lease)};
  }
  return {};
}

void call_state::finish(client_state& client,
                        const call_tally& tally,
                        error_code ec,
                        call_history history,
                        completion<called> done) {
  client.count(tally);
  const bool posts = client.may_post();  // else the handler is destroyed uncalled, as Asio's are
  try {
    tell_call(client, ec, tally);
    if (posts) std::move(done).post(client.executor(), ec, std::move(history));
  } catch (...) {  // no memory to post it
    if (client.call_ended(*this)) client.calls_over();
    throw;
  }
  if (client.call_ended(*this) && posts) client.calls_over();
}

void call_state::end_attempt(const client_state& client,
                             held_lease held,
                             const ended_attempt& end,
                             place where,
                             bool goes_on) {
  if (held.attempt != nullptr) end_lease(client, *held.attempt, std::move(held.lease), end, where);
  tell_attempt(client, end, goes_on);
}

void call_state::end_lease(const client_state& client,
                           call_attempt& a,
                           lease_base lease,
                           const ended_attempt& end,
                           place where) {
  // Let go of here, since a strand must not outlive its context, and an attempt may.
  const asio::any_io_executor executor = std::exchange(a.executor, {});
  if (!end.gave_up) {
    lease.end(end.how, end.why);
    return;
  }
  if (!a.started) return;  // goes back as it came
  a.taken = lease.take(end.how, end.why);
  if (!client.may_post()) return;
  if (where == place::on_connection) {
    tell_listener(client.executor(), true, [&] { cancel_operation(a); });  // the step goes on
  } else {
    asio::post(executor, [self = shared_from_this(), &a] { self->cancel_operation(a); });
  }
}

void call_state::cancel_operation(call_attempt& a) {
  // Not everything listens to cancellation, and after it a stream is worth nothing. Closed also
  // when the listener throws.
  struct closing {
    pooled_connection& connection;
    ~closing() { connection.close(); }
  } const last{*a.connection};
  a.signal.emit(asio::cancellation_type::terminal);
}

void call_state::tell_attempt(const client_state& client, const ended_attempt& end, bool retried) {
  const auto& listener = client.options().listener;
  if (!listener) return;
  const attempt_event e{
      client.name(), end.record.where, end.number, end.record.error, retried, end.record.elapsed};
  tell_listener(client.executor(), client.may_post(), [&] { listener->on_attempt(e); });
}

void call_state::tell_call(const client_state& client, error_code ec, const call_tally& tally) {
  const auto& listener = client.options().listener;
  if (!listener) return;
  const call_event e{client.name(), ec, tally.attempts, tally.took};
  tell_listener(client.executor(), client.may_post(), [&] { listener->on_call(e); });
}

void call_state::check_out(client_state& client,
                           std::vector<tried_endpoint> tried,
                           std::uint32_t number,
                           time_point now) {
  const bool any_will_do = tried.empty() && !key_;
  if (any_will_do) {
    if (auto idle = client.pool().try_checkout()) return run_on(std::move(*idle), now);
  }
  checkout_options options(deadline_);
  options.tried = std::move(tried);
  options.key = key_;
  if (!any_will_do) {
    if (auto idle = client.pool().try_checkout(options)) return run_on(std::move(*idle), now);
  }
  wait_in_queue(client, options, number);
}

call_attempt& call_state::begin_attempt(lease_base lease) {
  call_attempt* a = &first_;
  if (machine_.newest() != first_.number) {
    others_.push_back(std::make_unique<call_attempt>(*this, machine_.newest()));
    a = others_.back().get();
  }
  a->where = lease.where();
  a->connection = lease.connection();
  a->executor = a->connection->get_executor();
  a->view.number_ = a->number;
  a->view.where_ = &a->where;
  a->view.deadline_ = machine_.ends(a->number);
  a->view.reused_ = lease.is_reused();
  a->lease = std::move(lease);
  // Both only leave a note with the pool, so they may be called under our lock.
  a->lease.keep_until(deadline_);
  a->lease.observe(std::shared_ptr<lease_observer>(shared_from_this(), a));
  (running_[0] == nullptr ? running_[0] : running_[1]) = a;
  return *a;
}

void call_state::follow_clock() {
  const time_point wake = machine_.wake();
  if (wake == armed_) return;
  armed_ = wake;
  if (wake == time_point::max()) {
    time_->disarm(timer_);
  } else {
    time_->arm(timer_, wake);
  }
}

attempt_facts call_state::facts_of(const call_attempt& a, error_code ec) {
  attempt_facts f;
  f.error = ec;
  f.verdict = a.view.verdict_;
  f.reused = a.view.reused_;
  if (!a.started) return f;
  const traffic moved = op_->traffic_of(*a.connection);
  f.counted = moved.counted;
  f.sent = !moved.counted || moved.written > 0;
  f.received = a.view.response_started_ || moved.read > 0;
  return f;
}

// Null also for 0, which is no attempt.
call_attempt* call_state::find(std::uint32_t number) const noexcept {
  for (call_attempt* a : running_) {
    if (a != nullptr && a->number == number) return a;
  }
  return nullptr;
}

}  // namespace redial::inline REDIAL_ABI::detail
