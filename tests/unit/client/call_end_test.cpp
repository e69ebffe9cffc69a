// SPDX-License-Identifier: Apache-2.0
#include "client_world.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class CallEnd : public ClientWorld {};

TEST_F(CallEnd, AtTheDeadlineTheOperationIsCancelledAndTheCallerHearsAtOnce) {
  started();
  const time_point now = sim.now();
  const auto result = call(2s);
  sim.advance(2s - 1ms);
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(result->completions, 0);
  const auto peer = last().peer;
  sim.advance(1ms);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::deadline_exceeded);
  EXPECT_EQ(result->at, now + 2s);
  EXPECT_EQ(last().cancelled, 1);
  EXPECT_FALSE(peer->is_open());
  EXPECT_EQ(client->connection_gauges().leased, 0U) << "the pool forgets it at once";

  // The operation's last word is swallowed, and only then is the operation destroyed.
  EXPECT_EQ(kept.use_count(), 2);
  last().view->poison();  // still valid
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(CallEnd, AnAttemptTimeoutLeavesTimeForAnotherAttempt) {
  started();
  const auto result = call(call_options(2s).idempotent());
  sim.advance(1s);
  EXPECT_EQ(last().cancelled, 1);
  sim.advance(200ms);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_NE(operations[1]->where, operations[0]->where);
  operations[0]->complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 0) << "the first attempt is over";
  operations[1]->complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_EQ(result->history.attempts.at(0).error, errc::attempt_timeout);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(CallEnd, ADeadlineThatHasPassedStartsNothing) {
  started();
  for (const call_options& o : {call_options(sim.now()), call_options(0s), call_options(-1s)}) {
    const auto result = call(o);
    EXPECT_EQ(result->completions, 0);
    sim.settle();
    EXPECT_EQ(result->completions, 1);
    EXPECT_EQ(result->error, errc::deadline_exceeded);
  }
  EXPECT_TRUE(operations.empty());
}

TEST_F(CallEnd, TheDefaultTimeoutIsTheOptions) {
  options.default_timeout = 3s;
  started();
  const time_point now = sim.now();
  const auto result = call();
  sim.advance(10s);
  EXPECT_EQ(result->at, now + 3s);
  EXPECT_EQ(result->error, errc::deadline_exceeded);
}

TEST_F(CallEnd, ADeadlineThatNeverComesIsNotTheDefaultTimeout) {
  options.default_timeout = 3s;
  options.pool.checkout_timeout = 3s;
  options.pool.max_connections = 1;
  options.pool.max_total_connections = 1;
  where = target("static://10.0.0.1:80");
  started();
  const auto running = call(time_point::max());
  const auto queued = call(time_point::max());
  sim.advance(std::chrono::hours{48});
  EXPECT_EQ(running->completions + queued->completions, 0);
  EXPECT_EQ(last().view->deadline(), time_point::max());
  last().complete({});
  sim.settle();
  ASSERT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(running->error);
  EXPECT_EQ(queued->completions, 1);
  EXPECT_FALSE(queued->error);
}

TEST_F(CallEnd, ACallThatGetsNoConnectionEndsAtItsDeadline) {
  connect_behaviour never;
  never.never = true;
  net->behave(never);
  start();
  const time_point now = sim.now();
  const auto result = call(1s);
  sim.advance(5s);
  EXPECT_EQ(result->completions, 1);
  EXPECT_TRUE(result->error == condition::retryable) << result->error.message();
  EXPECT_EQ(result->at, now + 1s);
  EXPECT_TRUE(operations.empty());
}

TEST_F(CallEnd, Fault126_TheCallerCancelsInEveryStage) {
  options.pool.max_connections = 1;
  options.pool.max_total_connections = 1;
  where = target("static://10.0.0.1:80");
  started();
  asio::cancellation_signal running_signal;
  asio::cancellation_signal queued_signal;
  asio::cancellation_signal sleeping_signal;

  const auto sleeping = cancellable_call(sleeping_signal, call_options(9s).idempotent());
  sim.settle();
  last().complete(asio::error::timed_out);
  sim.settle();
  const auto running = cancellable_call(running_signal);
  sim.advance(100ms);
  ASSERT_EQ(operations.size(), 2U);
  const auto queued = cancellable_call(queued_signal);
  sim.settle();

  for (const auto& [signal, result] : {std::pair{&sleeping_signal, sleeping},
                                       std::pair{&queued_signal, queued},
                                       std::pair{&running_signal, running}}) {
    EXPECT_EQ(result->completions, 0);
    signal->emit(asio::cancellation_type::total);
    EXPECT_EQ(result->completions, 0) << "never inline";
    sim.settle();
    EXPECT_EQ(result->completions, 1);
    EXPECT_EQ(result->error, asio::error::operation_aborted);
    signal->emit(asio::cancellation_type::terminal);
    sim.settle();
    EXPECT_EQ(result->completions, 1);
  }
  EXPECT_EQ(last().cancelled, 1);
  sim.advance(20s);
  EXPECT_EQ(operations.size(), 2U) << "neither the queued nor the sleeping one started again";
  EXPECT_EQ(client->connection_gauges().leased, 0U);
  EXPECT_EQ(client->connection_gauges().waiting, 0U);
}

TEST_F(CallEnd, Fault124_DestroyingTheClientEndsCallsInEveryStage) {
  options.pool.max_connections = 1;
  options.pool.max_total_connections = 1;
  where = target("static://10.0.0.1:80");
  started();
  const auto sleeping = call(call_options(9s).idempotent());
  sim.settle();
  last().complete(asio::error::timed_out);
  sim.settle();
  const auto running = call();
  sim.advance(100ms);
  const auto queued = call();
  const auto posted = call();
  client.reset();
  for (const auto& result : {sleeping, running, queued, posted}) EXPECT_EQ(result->completions, 0);
  sim.settle();
  for (const auto& result : {sleeping, running, queued, posted}) {
    EXPECT_EQ(result->completions, 1);
    EXPECT_EQ(result->error, errc::closed);
  }
  EXPECT_EQ(last().cancelled, 1);
  EXPECT_EQ(net->counts().open, 0U);
  last().complete({});
  sim.advance(1min);
  for (const auto& result : {sleeping, running, queued, posted}) EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(kept.use_count(), 1);
  names->close();
  EXPECT_TRUE(sim.left_over().none()) << to_string(sim.left_over());
}

TEST_F(CallEnd, Fault124_DestroyingTheClientBeforeTheNameIsResolved) {
  where = target("tcp://api.test:80");
  dns.silence("api.test");
  start();
  const auto result = call();
  sim.advance(100ms);
  client.reset();
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::closed);
}

TEST_F(CallEnd, AClosedClientRefusesCalls) {
  started();
  client->close();
  client->close();
  const auto result = call();
  EXPECT_EQ(result->completions, 0);
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::closed);
  EXPECT_TRUE(operations.empty());
}

TEST_F(CallEnd, Fault129_ACompletionMayDestroyTheClient) {
  started();
  int completions = 0;
  for (int i = 0; i < 3; ++i) {
    client->async_call(operation(), call_options(), [&](error_code, const call_history&) {
      ++completions;
      client.reset();
    });
  }
  sim.settle();
  operations.front()->complete({});
  sim.settle();
  EXPECT_EQ(completions, 3);
}

TEST_F(CallEnd, Fault127_AContextThatGoesFirstCallsNobodyAndLeaksNothing) {
  auto inner = std::make_unique<simulation>();
  const auto connector = std::make_shared<scripted_connector>(*inner);
  scripted_dns source(*inner);
  auto d = discovery::create(inner->executor(), {}, source.share(), inner->time());
  auto c = std::make_unique<scripted_client>(
      inner->executor(), d, where, connector, options, inner->time());
  inner->advance(1s);
  const auto token = std::make_shared<int>();
  std::vector<operation_handler> pending;
  for (int i = 0; i < 3; ++i) {
    c->async_call(
        [&, token](attempt&, scripted_connection&, operation_handler done) {
          pending.push_back(std::move(done));
        },
        call_options(),
        [token](error_code, const call_history&) { ADD_FAILURE() << "called"; });
    if (i < 2) inner->settle();  // the third has not begun
  }
  EXPECT_EQ(pending.size(), 2U);
  inner->time()->stop();
  pending.pop_back();
  c.reset();
  pending.clear();
  d.reset();
  inner.reset();
  EXPECT_EQ(token.use_count(), 1);
}

// A byte-counting connection that lets the test act between the choice to run and the run.
struct hooked_connection {
  std::function<void()> on_reset;

  void close() noexcept {}
  [[nodiscard]] bool is_healthy() noexcept { return true; }
  void reset_counts() { on_reset(); }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return 0; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return 0; }
};

struct hooked_connector final : connector {
  std::function<void()> on_reset;

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    auto executor = request.executor;
    asio::post(executor, [this, executor, done = std::move(done)] {
      done({}, pooled(hooked_connection{on_reset}, executor));
    });
    return nullptr;
  }
};

TEST_F(CallEnd, Fault132_ACallThatEndsWhileItsOperationStartsLeavesTheHandlerItsExecutor) {
  names = discovery::create(sim.executor(), {}, dns.share(), sim.time());
  const auto opener = std::make_shared<hooked_connector>();
  basic_client<hooked_connection> hooked(sim.executor(), names, where, opener, options, sim.time());
  opener->on_reset = [&] { hooked.close(); };
  bool has_executor = false;
  int completions = 0;
  hooked.async_call(
      [&](attempt&, hooked_connection&, operation_handler done) {
        has_executor = static_cast<bool>(done.get_executor());
        done(error_code());
      },
      [&](error_code ec, const call_history&) {
        ++completions;
        EXPECT_EQ(ec, errc::closed);
      });
  sim.advance(1s);
  EXPECT_EQ(completions, 1);
  EXPECT_TRUE(has_executor);
}

TEST_F(CallEnd, MovingAClientKeepsItsCallsAndAssigningEndsThoseOfTheOld) {
  started();
  const auto kept_call = call();
  sim.settle();
  scripted_client other = std::move(*client);
  client.emplace(sim.executor(), names, where, net, options, sim.time());
  sim.advance(1s);
  const auto old_call = call();
  sim.settle();
  *client = std::move(other);
  sim.settle();
  EXPECT_EQ(old_call->error, errc::closed);
  EXPECT_EQ(kept_call->completions, 0);
  operations.front()->complete({});
  sim.settle();
  EXPECT_FALSE(kept_call->error);
  EXPECT_EQ(kept_call->completions, 1);
}

struct attempt_log final : event_listener {
  void on_attempt(const attempt_event& e) override {
    lines.push_back(std::string(e.name) + " " + std::to_string(e.number) + " " +
                    (e.error ? "failed" : "ok") + (e.retried ? " retried" : ""));
  }
  void on_reset(const reset_event& e) override { suppressed.push_back(e.suppressed); }
  std::vector<std::string> lines;
  std::vector<bool> suppressed;
};

TEST_F(CallEnd, TheListenerHearsOfEveryAttempt) {
  const auto log = std::make_shared<attempt_log>();
  options.listener = log;
  started();
  (void)call();
  sim.settle();
  last().complete(errc::not_sent);
  sim.settle();
  last().complete({});
  (void)call();
  sim.settle();
  last().complete(errc::bad_response);
  sim.settle();
  const std::string n = where.text() + " ";
  EXPECT_EQ(log->lines,
            (std::vector<std::string>{n + "1 failed retried", n + "2 ok", n + "1 failed"}));
}

TEST_F(CallEnd, FinagleResetsOncePerTwoSeconds) {
  const auto log = std::make_shared<attempt_log>();
  options.listener = log;
  options.retry = retry_policy::finagle();
  start();
  sim.advance(10s);
  const auto result = call(call_options(5s).idempotent());
  for (int i = 0; i < 4; ++i) {
    sim.settle();
    ASSERT_EQ(operations.size(), static_cast<std::size_t>(i) + 1);
    last().complete(asio::error::timed_out);
    sim.advance(200ms);
  }
  EXPECT_EQ(result->error, asio::error::timed_out);
  EXPECT_EQ(result->history.attempts.size(), 4U);
  ASSERT_FALSE(log->suppressed.empty());
  EXPECT_FALSE(log->suppressed.front());
  EXPECT_EQ(std::count(log->suppressed.begin(), log->suppressed.end(), false), 1);
}

TEST_F(CallEnd, ADrainDoesNotCutACallShortOfItsOwnDeadline) {
  options.pool.drain_deadline = 1s;
  started();
  const auto result = call(call_options(60s));
  sim.settle();
  EXPECT_TRUE(client->reset());
  sim.advance(5s);
  EXPECT_EQ(last().cancelled, 0);
  EXPECT_EQ(result->completions, 0);
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
}

TEST_F(CallEnd, ResetOpensNewConnections) {
  started();
  EXPECT_TRUE(client->reset());
  EXPECT_FALSE(client->reset()) << "at most once per min_reset_interval";
  sim.advance(1s);
  EXPECT_EQ(client->connection_counters().resets, 1U);
  EXPECT_EQ(client->connection_counters().resets_suppressed, 1U);
  const auto result = call();
  sim.settle();
  last().complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
