// SPDX-License-Identifier: Apache-2.0
#include "client_world.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class Call : public ClientWorld {};

TEST_F(Call, Fault129_NeitherOperationNorHandlerRunsInsideAsyncCall) {
  started();
  const auto result = call();
  EXPECT_TRUE(operations.empty());
  sim.settle();
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(last().number, 1U);
  last().complete({});
  EXPECT_EQ(result->completions, 0);
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_TRUE(result->history.attempts.empty());
  EXPECT_EQ(client->counters().calls, 1U);
  EXPECT_EQ(client->counters().attempts, 1U);
  EXPECT_EQ(client->counters().failed_calls, 0U);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

TEST_F(Call, WaitsForTheFirstConnection) {
  net->behave(endpoint(asio::ip::make_address("10.0.0.1"), 80), [] {
    connect_behaviour b;
    b.latency = 100ms;
    return b;
  }());
  start();
  const auto result = call(2s);
  sim.advance(1s);
  ASSERT_EQ(operations.size(), 1U);
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
}

TEST_F(Call, AFailedAttemptIsRepeatedOnAnotherEndpoint) {
  started();
  const auto result = call();
  sim.settle();
  const endpoint first = last().where;
  last().complete(errc::not_sent);
  sim.settle();
  ASSERT_EQ(operations.size(), 2U) << "at once, since nothing was sent";
  EXPECT_NE(last().where, first);
  EXPECT_EQ(last().number, 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
  ASSERT_EQ(result->history.attempts.size(), 1U);
  EXPECT_EQ(result->history.attempts[0].where, first);
  EXPECT_EQ(result->history.attempts[0].error, errc::not_sent);
  EXPECT_EQ(client->counters().retries, 1U);
}

TEST_F(Call, AStartedOperationCountsAsSent) {
  started();
  const auto result = call();
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.settle();
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(result->error, asio::error::connection_reset);
  EXPECT_TRUE(result->history.attempts.at(0).sent);
  EXPECT_EQ(client->counters().failed_calls, 1U);

  const auto again = call(call_options().idempotent());
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.settle();
  EXPECT_EQ(operations.size(), 2U) << "200 ms later";
  sim.advance(200ms);
  EXPECT_EQ(operations.size(), 3U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(again->error);
}

TEST_F(Call, AResponseThatHasBegunIsNotRepeated) {
  started();
  const auto result = call(call_options().idempotent());
  sim.settle();
  last().view->response_started();
  last().complete(asio::error::connection_reset);
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(result->error, asio::error::connection_reset);
}

TEST_F(Call, TheOperationSeesItsAttempt) {
  started();
  const time_point now = sim.now();
  (void)call(call_options(now + 8s).idempotent());
  sim.settle();
  EXPECT_EQ(last().view->deadline(), now + 4s);
  EXPECT_EQ(last().view->where().port, 80);
  EXPECT_FALSE(last().view->is_reused());
  last().complete({});
}

TEST_F(Call, AllEndpointsRefuse) {
  connect_behaviour refuse;
  refuse.error = asio::error::connection_refused;
  net->behave(refuse);
  start();
  const auto result = call(1s);
  sim.advance(2s);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::connection_refused);
  ASSERT_FALSE(result->history.attempts.empty());
  EXPECT_EQ(result->history.attempts[0].where.port, 0);
  EXPECT_FALSE(result->history.attempts[0].sent);
}

TEST_F(Call, Fault135_AnOperationThatDestroysItsHandlerIsAbandoned) {
  started();
  const auto result = call(call_options().idempotent());
  sim.settle();
  last().handler.reset();
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::abandoned);
}

TEST_F(Call, Fault130_AnOperationThatThrowsIsAbandonedAndTheExceptionGoesOn) {
  started();
  on_start = [](started_operation&) { throw std::runtime_error("mine"); };
  operations.reserve(1);
  auto result = std::make_shared<call_result>();
  client->async_call(
      [](attempt&, scripted_connection&, operation_handler) { throw std::runtime_error("mine"); },
      call_options(),
      receiver(result));
  EXPECT_THROW(sim.settle(), std::runtime_error);
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::abandoned);
}

TEST_F(Call, ACoroutinesExceptionIsTheAttemptsError) {
  started();
  const auto run = [&](std::exception_ptr e) {
    auto result = std::make_shared<call_result>();
    client->async_call([e](attempt&, scripted_connection&, operation_handler done) { done(e, 7); },
                       call_options(),
                       receiver(result));
    sim.advance(1s);
    EXPECT_EQ(result->completions, 1);
    return result->error;
  };
  EXPECT_EQ(run(nullptr), error_code());
  EXPECT_EQ(run(std::make_exception_ptr(boost::system::system_error(errc::bad_response))),
            errc::bad_response);
  EXPECT_EQ(run(std::make_exception_ptr(std::logic_error("x"))), errc::abandoned);
}

TEST_F(Call, AnOperationMayCompleteInsideItsStart) {
  started();
  on_start = [](started_operation& op) { op.complete({}); };
  const auto result = call();
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_EQ(kept.use_count(), 1) << "the operation is gone";
}

TEST_F(Call, CompletesOnTheHandlersExecutor) {
  started();
  asio::io_context own;
  bool called = false;
  client->async_call(
      operation(), call_options(), asio::bind_executor(own, [&](error_code, const call_history&) {
        called = true;
      }));
  sim.settle();
  last().complete({});
  sim.settle();
  EXPECT_FALSE(called);
  own.run();
  EXPECT_TRUE(called);
}

TEST_F(Call, VerdictsEndTheConnection) {
  started();
  const auto end_with = [&](void (attempt::*verdict)()) {
    const auto result = call();
    sim.settle();
    const auto peer = last().peer;
    (last().view->*verdict)();
    last().complete({});
    sim.settle();
    EXPECT_FALSE(peer->is_open());
    return result;
  };
  EXPECT_FALSE(end_with(&attempt::spent)->error);
  EXPECT_FALSE(end_with(&attempt::poison)->error);
  const auto moved = end_with(&attempt::moved);
  EXPECT_EQ(moved->completions, 0) << "tried again after a wait";
  sim.advance(200ms);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(moved->error);
  EXPECT_EQ(moved->history.attempts.at(0).error, errc::misdirected_status);
}

TEST_F(Call, SuccessKeepsTheConnection) {
  started();
  for (int i = 0; i < 20; ++i) {
    const auto result = call();
    sim.settle();
    last().complete({});
    sim.settle();
    EXPECT_FALSE(result->error);
  }
  EXPECT_LE(net->counts().opened, 2U);
  EXPECT_EQ(net->counts().closed(), 0U);
}

TEST_F(Call, Fault151_SeveralClientsMayShareOneBudget) {
  retry_policy limits;
  limits.budget_percent = 0;
  limits.budget_per_second = 0.1;  // one per window
  options.retry.shared_budget = make_retry_budget(limits);
  started();
  scripted_client other(sim.executor(), names, where, net, options, sim.time());
  sim.advance(1s);
  int retried = 0;
  for (auto* c : {&*client, &other, &*client, &other}) {
    const auto result = std::make_shared<call_result>();
    c->async_call(operation(), call_options(1s).idempotent(), receiver(result));
    sim.settle();
    const auto before = operations.size();
    last().complete(asio::error::timed_out);
    sim.advance(200ms);
    if (operations.size() == before) continue;
    ++retried;
    last().complete({});
    sim.settle();
  }
  EXPECT_EQ(retried, 1);
  EXPECT_EQ(client->counters().retries_denied + other.counters().retries_denied, 3U);
}

TEST_F(Call, Fault151_RetriesAreBudgeted) {
  options.retry.budget_percent = 0;
  options.retry.budget_per_second = 0.1;  // one per window
  started();
  int retried = 0;
  for (int i = 0; i < 5; ++i) {
    const auto result = call(call_options(1s).idempotent());
    sim.settle();
    const auto before = operations.size();
    last().complete(asio::error::timed_out);
    sim.advance(200ms);
    if (operations.size() > before) {
      ++retried;
      last().complete({});
      sim.settle();
    }
    EXPECT_EQ(result->completions, 1);
  }
  EXPECT_EQ(retried, 1);
  EXPECT_EQ(client->counters().retries_denied, 4U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
