// SPDX-License-Identifier: Apache-2.0
// Two attempts of one call at once, on real leases.
#include <redial/core/events.hpp>

#include "client_world.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

struct closings final : event_listener {
  void on_connection(const connection_event& e) override {
    if (e.change == connection_change::closed) reasons.push_back(e.reason);
  }
  void on_attempt(const attempt_event& e) override { attempts.emplace_back(e.number, e.error); }
  std::vector<close_reason> reasons;
  std::vector<std::pair<std::uint32_t, error_code>> attempts;
};

class HedgedCall : public ClientWorld {
 protected:
  HedgedCall() {
    options.hedge.when = hedge_policy::trigger::after_delay;
    options.hedge.delay = 50ms;
    options.hedge.max_percent = 100;
    options.listener = log;
  }
  static call_options idempotent(duration time = 5s) { return call_options(time).idempotent(); }
  // A call with two operations under way.
  std::shared_ptr<call_result> hedged() {
    auto result = call(idempotent());
    sim.advance(50ms);
    EXPECT_EQ(operations.size(), 2U);
    return result;
  }
  std::shared_ptr<closings> log = std::make_shared<closings>();
};

TEST_F(HedgedCall, ASlowFirstAttemptIsOvertakenOnAnotherEndpoint) {
  started();
  const auto result = call(idempotent());
  sim.advance(49ms);
  ASSERT_EQ(operations.size(), 1U);
  sim.advance(1ms);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_NE(operations[0]->where, operations[1]->where);
  EXPECT_EQ(operations[1]->number, 2U);
  const auto slow = operations[0]->peer;
  const auto fast = operations[1]->peer;
  operations[1]->complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_EQ(operations[0]->cancelled, 1);
  EXPECT_FALSE(slow->is_open());
  EXPECT_TRUE(fast->is_open());
  ASSERT_EQ(result->history.attempts.size(), 1U);
  EXPECT_EQ(result->history.attempts[0].where, operations[0]->where);
  EXPECT_EQ(result->history.attempts[0].error, asio::error::operation_aborted);
  operations[0]->complete({});  // too late
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  const auto c = client->counters();
  EXPECT_EQ(c.hedges, 1U);
  EXPECT_EQ(c.attempts, 2U);
  EXPECT_EQ(c.retries, 0U);
  EXPECT_EQ(log->reasons, std::vector<close_reason>{close_reason::spent}) << "nobody is to blame";
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

TEST_F(HedgedCall, TheFirstMayStillWin) {
  started();
  const auto result = hedged();
  const auto second = operations[1]->peer;
  operations[0]->complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_EQ(operations[1]->cancelled, 1);
  EXPECT_FALSE(second->is_open());
  const std::vector<std::pair<std::uint32_t, error_code>> told{
      {1U, {}}, {2U, asio::error::operation_aborted}};
  EXPECT_EQ(log->attempts, told);
}

TEST_F(HedgedCall, AFailureOfOneWaitsForTheOther) {
  started();
  const auto result = hedged();
  operations[0]->complete(asio::error::connection_reset);
  sim.advance(1s);
  EXPECT_EQ(result->completions, 0);
  EXPECT_EQ(operations.size(), 2U);
  operations[1]->complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
}

TEST_F(HedgedCall, WhenBothFailTheHistoryHasBoth) {
  options.retry.max_attempts = 2;
  started();
  const auto result = hedged();
  operations[1]->complete(errc::unavailable_status);
  operations[0]->complete(asio::error::connection_reset);
  sim.settle();
  EXPECT_EQ(result->error, asio::error::connection_reset);
  ASSERT_EQ(result->history.attempts.size(), 2U);
  EXPECT_EQ(result->history.attempts[0].error, errc::unavailable_status);
  EXPECT_EQ(result->history.attempts[1].error, asio::error::connection_reset);
}

TEST_F(HedgedCall, OnlyIdempotentCallsAndOnlyWhenWanted) {
  started();
  (void)call(call_options(2s));
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U);
}

TEST_F(HedgedCall, IsOffByDefault) {
  options.hedge = {};
  started();
  (void)call(idempotent());
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U);
}

TEST_F(HedgedCall, ASingleEndpointIsNotAskedTwice) {
  where = target("static://10.0.0.1:80");
  started();
  (void)call(idempotent());
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(client->counters().hedges, 0U);
}

TEST_F(HedgedCall, Fault151_OnlyAShareOfTheCallsGetsASecondAttempt) {
  options.hedge.max_percent = 10;
  started();
  std::vector<std::shared_ptr<call_result>> all;
  for (int i = 0; i < 100; ++i) all.push_back(call(idempotent()));
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 110U);
  for (auto& op : operations) {
    op->complete({});
    sim.settle();
  }
  for (const auto& r : all) EXPECT_FALSE(r->error);
  EXPECT_EQ(client->counters().hedges, 10U);
}

TEST_F(HedgedCall, AfterAPercentileOfItsOwnCalls) {
  options.hedge.when = hedge_policy::trigger::after_percentile;
  options.hedge.delay = 1ms;
  started();
  for (int i = 1; i <= 100; ++i) {
    (void)call(idempotent());
    sim.settle();
    sim.advance(i == 100 ? 400ms : 20ms - i * 10us);  // none is slower than those before it
    operations.back()->complete({});
    sim.settle();
  }
  EXPECT_EQ(client->counters().hedges, 1U) << "the one that took longer";
  EXPECT_EQ(operations.size(), 101U);
}

TEST_F(HedgedCall, ASecondAttemptThatQueuesLeavesTheQueueWithItsCall) {
  options.pool.max_connections = 1;
  started();
  const auto blocker = call(call_options(9s));
  sim.settle();
  const auto result = call(idempotent());
  sim.advance(60ms);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(client->connection_gauges().waiting, 1U);
  operations[1]->complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
  EXPECT_EQ(client->connection_gauges().waiting, 0U);
  operations[0]->complete({});
  sim.settle();
  EXPECT_FALSE(blocker->error);
  EXPECT_EQ(client->connection_gauges().idle, 2U);
  EXPECT_EQ(operations.size(), 2U);
}

TEST_F(HedgedCall, AFirstThatFailsWhileTheSecondQueuesLeavesItsPlaceInTheQueue) {
  options.pool.max_connections = 1;
  started();
  const auto blocker = call(call_options(9s));
  sim.settle();
  const auto result = call(idempotent());
  sim.advance(60ms);
  operations[1]->complete(asio::error::connection_reset);
  sim.settle();
  operations[0]->complete({});
  sim.settle();
  ASSERT_EQ(operations.size(), 3U);
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
  EXPECT_EQ(client->counters().hedges, 0U);
  EXPECT_EQ(client->counters().retries, 1U);
}

TEST_F(HedgedCall, Fault107_MutePeersEndAtTheDeadline) {
  started();
  const time_point now = sim.now();
  const auto result = call(idempotent(1s));
  sim.advance(3s);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->at, now + 1s);
  for (auto& op : operations) EXPECT_EQ(op->cancelled, 1);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

TEST_F(HedgedCall, Fault126_CancelsBoth) {
  started();
  asio::cancellation_signal signal;
  const auto result = cancellable_call(signal, idempotent());
  sim.advance(50ms);
  ASSERT_EQ(operations.size(), 2U);
  signal.emit(asio::cancellation_type::total);
  EXPECT_EQ(result->completions, 0);
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::operation_aborted);
  for (auto& op : operations) EXPECT_EQ(op->cancelled, 1);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

TEST_F(HedgedCall, Fault124_DestroyingTheClientEndsBoth) {
  for (const duration moment : {0ms, 50ms, 500ms}) {
    operations.clear();
    started();
    const auto result = call(idempotent());
    sim.advance(moment);
    client.reset();
    sim.settle();
    EXPECT_EQ(result->completions, 1);
    EXPECT_EQ(result->error, errc::closed);
    for (auto& op : operations) {
      EXPECT_EQ(op->cancelled, 1);
      EXPECT_FALSE(op->peer->is_open());
    }
    names->close();
  }
}

TEST_F(HedgedCall, Fault125_OperationsThatWereCalledOffMayEndLongAfterTheClient) {
  started();
  const auto result = hedged();
  operations[1]->complete({});
  sim.settle();
  client.reset();
  sim.settle();
  EXPECT_EQ(kept.use_count(), 2) << "the operation lives until its last handler is called";
  operations[0]->complete(asio::error::operation_aborted);
  sim.settle();
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_EQ(result->completions, 1);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
