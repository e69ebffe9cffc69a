// SPDX-License-Identifier: Apache-2.0
// Calls while nothing serves: they end with the real cause, and not at their deadline.
#include "client_world.hpp"

#include <string>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class FailFast : public ClientWorld {
 protected:
  static endpoint at(const std::string& address) { return {asio::ip::make_address(address), 80}; }
  void take_down(const std::string& address) {
    net->refuse(at(address));
    net->hang_up(at(address));
    sim.advance(20ms);
  }
};

TEST_F(FailFast, Fault153_WhenEveryEndpointRefusesCallsEndSoonWithTheLastRealCause) {
  started();
  take_down("10.0.0.1");
  take_down("10.0.0.2");
  const time_point now = sim.now();
  const auto result = call(60s);
  sim.advance(10s);
  ASSERT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::connection_refused);
  EXPECT_LE(result->at, now + 5s) << "four tries, each at most the pause of 1 s and a wait apart";
  EXPECT_EQ(result->history.attempts.size(), 4U);
  EXPECT_NE(result->history.text().find(result->error.message()), std::string::npos);
  EXPECT_TRUE(operations.empty());
}

// Its retries prefer the other endpoint, so the one it ran on may not be tried again.
TEST_F(FailFast, Fault153_ACallThatRanWhenEverythingWentDownEndsSoon) {
  started();
  const auto result = call(call_options(60s).idempotent());
  sim.settle();
  take_down("10.0.0.1");
  take_down("10.0.0.2");
  const time_point now = sim.now();
  last().complete(asio::error::connection_reset);
  sim.advance(30s);
  ASSERT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::connection_refused);
  EXPECT_LE(result->at, now + 5s);
  EXPECT_EQ(result->history.attempts.size(), 4U);
}

TEST_F(FailFast, ACallThatBeganDuringTheOutageIsServedWhenItEndsInTime) {
  started();
  take_down("10.0.0.1");
  take_down("10.0.0.2");
  const auto result = call(10s);
  sim.advance(150ms);
  net->accept(at("10.0.0.2"));
  sim.advance(2s);
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(last().where, at("10.0.0.2"));
  last().complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
}

TEST_F(FailFast, WhileOneMayComeBackCallsWaitForIt) {
  options.pool.max_connections = 1;
  started();
  take_down("10.0.0.2");
  const auto running = call(60s);
  sim.settle();
  ASSERT_EQ(operations.size(), 1U);
  const auto waiting = call(60s);
  sim.advance(20s);
  EXPECT_EQ(waiting->completions, 0) << "the lease may come back";
  last().complete({});
  sim.settle();
  EXPECT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(waiting->error);
}

TEST_F(FailFast, ASilentOneHasNotFailedBeforeItsConnectTimeout) {
  options.retry.max_attempts = 1;
  started();
  take_down("10.0.0.1");
  net->hang(at("10.0.0.2"));
  net->hang_up(at("10.0.0.2"));
  sim.advance(20ms);
  const auto result = call(60s);
  sim.advance(2900ms);
  EXPECT_EQ(result->completions, 0);
  sim.advance(60s);
  ASSERT_EQ(result->completions, 1);
  EXPECT_LT(result->at, sim.now() - 40s);
  EXPECT_TRUE(result->error == asio::error::connection_refused ||
              result->error == errc::connect_timeout)
      << result->error.message();
}

TEST_F(FailFast, Fault149_AFullQueueIsAnErrorAtOnceAndNotRetried) {
  options.pool.max_connections = options.pool.max_total_connections = 1;
  options.pool.queue_limit = 1;
  where = target("static://10.0.0.1:80");
  started();
  const auto running = call(5s);
  sim.settle();
  const auto queued = call(5s);
  const time_point now = sim.now();
  const auto refused = call(call_options(5s).idempotent());
  sim.settle();
  EXPECT_EQ(refused->error, errc::queue_full);
  EXPECT_EQ(refused->at, now);
  EXPECT_EQ(refused->history.attempts.size(), 1U);
  EXPECT_EQ(client->counters().retries, 0U);
  EXPECT_EQ(queued->completions, 0);
}

TEST_F(FailFast, Fault150_AConnectionThatFreesWhenAQueuedCallTimesOutGoesToTheNextOne) {
  options.pool.max_connections = options.pool.max_total_connections = 1;
  where = target("static://10.0.0.1:80");
  started();
  const auto running = call(5s);
  sim.settle();
  const auto late = call(1s);
  const auto next = call(5s);
  sim.after(1s, [this] { operations[0]->complete({}); });
  sim.advance(1s);
  for (std::size_t i = 1; i < operations.size(); ++i) {
    operations[i]->complete({});
    sim.settle();
  }
  EXPECT_EQ(late->completions, 1);
  EXPECT_EQ(next->completions, 1);
  EXPECT_FALSE(next->error);
  EXPECT_EQ(operations.size(), late->error ? 2U : 3U);
  EXPECT_EQ(client->connection_gauges().idle, 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
