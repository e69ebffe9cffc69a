// SPDX-License-Identifier: Apache-2.0

#include "client/call_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace redial::detail {

namespace asio = boost::asio;

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

void call_state::start() {
  locked lock(mutex_);
  timer_.owned_by(weak_from_this());
  if (auto slot = done_.slot(); slot.is_connected()) {
    slot.assign([weak = weak_from_this()](asio::cancellation_type) {
      if (const auto self = weak.lock()) self->stop(asio::error::operation_aborted);
    });
  }
  const call_step step = machine_.start(time_->now());
  perform(std::move(lock), step, place::anywhere);
}

void call_state::stop(error_code why) {
  locked lock(mutex_);
  // What was sent is only known where the operation runs, and a caller who leaves does not wait.
  const bool sent = current_ != nullptr && current_->started;
  const call_step step = machine_.stop(why, sent, time_->now());
  perform(std::move(lock), step, place::anywhere);
}

void call_state::checkout_done(error_code ec, lease_base lease) {
  locked lock(mutex_);
  if (!machine_.is_waiting_for_checkout()) return;  // the lease goes back unused
  queue_ = {};
  const time_point now = time_->now();
  if (ec) {
    const call_step step = machine_.checkout_failed(ec, *client_, now);
    perform(std::move(lock), step, place::anywhere);
    return;
  }
  (void)machine_.checked_out({lease.where(), lease.endpoint_id(), lease.is_reused()}, now);
  begin_attempt(std::move(lease));
  follow_clock();
  const auto number = current_->number;
  const asio::any_io_executor executor = current_->executor;
  lock.unlock();
  // Posted, also when this is the connection's executor already: this may be the caller's thread,
  // which must not find its operation running inside `async_call`.
  asio::post(executor, [self = shared_from_this(), number] { self->run(number); });
}

void call_state::operation_done(std::uint32_t number, error_code ec) {
  locked lock(mutex_);
  if (!is_current(number)) return;
  const auto facts = facts_of(*current_, ec);
  const call_step step = machine_.operation_done(number, facts, *client_, time_->now());
  perform(std::move(lock), step, place::on_connection);
}

void call_state::lease_cancelled(call_attempt& a, error_code why) {
  locked lock(mutex_);
  if (!is_current(a.number)) return;
  const auto facts = facts_of(a, why);
  const call_step step = machine_.lease_cancelled(a.number, facts, *client_, time_->now());
  perform(std::move(lock), step, place::on_connection);
}

void call_state::timer_fired() {
  locked lock(mutex_);
  const time_point now = time_->now();
  if (now < machine_.wake()) return;  // moved since it went off
  armed_ = time_point::max();
  if (current_ == nullptr) {
    const call_step step = machine_.timer_fired({}, *client_, now);
    perform(std::move(lock), step, place::anywhere);
    return;
  }
  // What the attempt has sent decides, and that is known on the connection's executor.
  const auto number = current_->number;
  const asio::any_io_executor executor = current_->executor;
  const bool may_post = client_->may_post();
  lock.unlock();
  if (!may_post) return;
  asio::post(executor, [self = shared_from_this(), number] { self->give_up(number); });
}

void call_state::give_up(std::uint32_t number) {
  locked lock(mutex_);
  if (!is_current(number)) return;
  const auto facts = facts_of(*current_, {});
  const call_step step = machine_.timer_fired(facts, *client_, time_->now());
  perform(std::move(lock), step, place::on_connection);
}

// --- actions ----------------------------------------------------------------------------------

void call_state::run(std::uint32_t number) {
  locked lock(mutex_);
  if (!is_current(number)) return;
  call_attempt& a = *current_;
  a.started = true;
  asio::any_io_executor executor = a.executor;
  lock.unlock();
  // From here on the attempt may be given up at any moment, also by another thread, which takes its
  // executor away; but what it refers to stays.
  op_->reset_traffic(*a.connection);
  op_->start(a.view,
             *a.connection,
             operation_handler(shared_from_this(), number, std::move(executor), a.signal.slot()));
}

void call_state::perform(locked lock, const call_step& step, place where) {
  const auto self = shared_from_this();
  const auto client = client_;
  follow_clock();

  call_attempt* ended = nullptr;
  lease_base lease;
  if (step.leased) {
    ended = std::exchange(current_, nullptr);
    lease = std::move(ended->lease);
  }
  const auto attempt_number = machine_.attempt();
  std::vector<tried_endpoint> tried;
  if (step.next == call_step::move::checkout) tried = machine_.tried();
  const asio::any_io_executor queue = std::exchange(queue_, {});
  completion<called> done;
  call_history history;
  const call_tally tally{step.error.failed(), machine_.begun(), machine_.denied()};
  if (step.next == call_step::move::finish) {
    done = std::move(done_);
    history = machine_.take_history();
    client_.reset();
  }
  lock.unlock();

  if (queue && step.next == call_step::move::finish) leave_queue(*client, queue);
  if (ended != nullptr) end_attempt(*client, *ended, std::move(lease), step, where);
  if (step.attempt_ended) tell_listener(*client, step);
  if (step.reset) (void)client->reset(step.why);
  switch (step.next) {
    case call_step::move::wait:
    case call_step::move::run:
      break;
    case call_step::move::checkout:
      check_out(*client, std::move(tried), attempt_number);
      break;
    case call_step::move::finish:
      client->call_ended(*this, tally);
      if (!client->may_post()) break;  // the handler is destroyed uncalled, as Asio's are
      std::move(done).post(client->executor(), step.error, std::move(history));
      break;
  }
}

void call_state::end_attempt(const client_state& client,
                             call_attempt& a,
                             lease_base lease,
                             const call_step& step,
                             place where) {
  // Let go of here, since a strand must not outlive its context, and an attempt may.
  const asio::any_io_executor executor = std::exchange(a.executor, {});
  if (!step.gave_up) {
    lease.end(step.how, step.why);
    return;
  }
  if (!a.started) return;  // goes back as it came
  a.taken = lease.take(step.how, step.why);
  if (!client.may_post()) return;
  if (where == place::on_connection) {
    cancel_operation(a);
  } else {
    asio::post(executor, [self = shared_from_this(), &a] { self->cancel_operation(a); });
  }
}

void call_state::cancel_operation(call_attempt& a) {
  a.signal.emit(asio::cancellation_type::terminal);
  // Not everything listens to cancellation, and after it a stream is worth nothing.
  a.connection->close();
}

void call_state::tell_listener(const client_state& client, const call_step& step) const {
  const auto& listener = client.options().listener;
  if (!listener) return;
  const attempt_event e{client.name(),
                        step.record.where,
                        step.number,
                        step.record.error,
                        step.next != call_step::move::finish,
                        step.record.elapsed};
  listener->on_attempt(e);
}

void call_state::check_out(client_state& client,
                           std::vector<tried_endpoint> tried,
                           std::uint32_t number) {
  checkout_options options(deadline_);
  options.tried = std::move(tried);
  options.key = key_;
  const bool any_will_do = options.tried.empty() && !options.key;
  auto idle = any_will_do ? client.pool().try_checkout() : client.pool().try_checkout(options);
  if (idle) {
    checkout_done({}, std::move(*idle));
    return;
  }
  wait_in_queue(client, options, number);
}

// On a strand of its own, because a signal may only be emitted where the handler runs that listens
// to it, and stopping may come from any thread.
void call_state::wait_in_queue(client_state& client,
                               const checkout_options& options,
                               std::uint32_t number) {
  const asio::any_io_executor strand = asio::make_strand(client.executor());
  auto served = [self = shared_from_this()](error_code ec, lease_base lease) {
    self->checkout_done(ec, std::move(lease));
  };
  client.pool().start_checkout(
      options,
      completion<checked_out>(asio::bind_cancellation_slot(
          queue_signal_.slot(), asio::bind_executor(strand, std::move(served)))));
  locked lock(mutex_);
  if (machine_.is_waiting_for_checkout() && machine_.attempt() == number) {
    queue_ = strand;
  } else if (machine_.is_finished()) {
    lock.unlock();
    leave_queue(client, strand);
  }
}

void call_state::leave_queue(const client_state& client, const asio::any_io_executor& strand) {
  if (!client.may_post()) return;
  asio::post(strand, [self = shared_from_this()] {
    self->queue_signal_.emit(asio::cancellation_type::terminal);
  });
}

void call_state::begin_attempt(lease_base lease) {
  call_attempt* a = &first_;
  if (machine_.attempt() != first_.number) {
    others_.push_back(std::make_unique<call_attempt>(*this, machine_.attempt()));
    a = others_.back().get();
  }
  a->where = lease.where();
  a->connection = lease.connection();
  a->executor = a->connection->get_executor();
  a->view.number_ = a->number;
  a->view.where_ = &a->where;
  a->view.deadline_ = machine_.wake();
  a->view.reused_ = lease.is_reused();
  a->lease = std::move(lease);
  // Both only leave a note with the pool, so they may be called under our lock.
  a->lease.keep_until(deadline_);
  a->lease.observe(std::shared_ptr<lease_observer>(shared_from_this(), a));
  current_ = a;
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

bool call_state::is_current(std::uint32_t number) const noexcept {
  return current_ != nullptr && current_->number == number;
}

}  // namespace redial::detail
