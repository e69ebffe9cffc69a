// SPDX-License-Identifier: Apache-2.0
// The well-known wrapper's policy without the wrapper's flaws, and what a reset may not do.
#include "client_world.hpp"

#include <algorithm>
#include <set>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class Finagle : public ClientWorld {
 protected:
  Finagle() : ClientWorld("static://10.0.0.1:80,10.0.0.2:80,10.0.0.3:80") {
    options.retry = retry_policy::finagle();
  }
  // Ends every operation that has begun with `ec`, until nothing more begins.
  void fail_all(error_code ec) {
    for (std::size_t i = ended_; i < operations.size(); ended_ = ++i) {
      operations[i]->complete(ec);
    }
    sim.settle();
  }

 private:
  std::size_t ended_ = 0;
};

// The wrapper makes a new client on a failure and never closes the old one.
TEST_F(Finagle, AfterManyResetsNothingOfTheOldOnesIsOpen) {
  start();
  sim.advance(10s);
  for (int i = 0; i < 20; ++i) {
    const auto before = net->peers();
    (void)call(call_options(1s).idempotent());
    sim.settle();
    last().complete(asio::error::timed_out);
    sim.advance(3s);
    for (auto& op : operations) {
      if (op->handler) op->complete({});
    }
    sim.advance(1s);
    for (const auto& p : before) EXPECT_FALSE(p->is_open());
  }
  EXPECT_EQ(client->connection_counters().resets, 20U);
  EXPECT_LE(net->counts().open, 6U);
  EXPECT_EQ(client->connection_gauges().draining, 0U);
}

// It lets every retry go to the address that has just failed.
TEST_F(Finagle, EachRetryGoesToAnotherAddress) {
  start();
  sim.advance(10s);
  (void)call(call_options(5s).idempotent());
  sim.settle();
  std::set<endpoint> tried;
  for (int i = 0; i < 3; ++i) {
    tried.insert(last().where);
    fail_all(asio::error::timed_out);
    sim.advance(200ms);
  }
  EXPECT_EQ(tried.size(), 3U);
  EXPECT_EQ(operations.size(), 4U) << "four attempts in all";
}

// It sleeps on the thread that everybody else needs.
TEST_F(Finagle, OtherCallsGoOnWhileOneWaitsForItsRetry) {
  start();
  sim.advance(10s);
  const auto waiting = call(call_options(5s).idempotent());
  sim.settle();
  last().complete(asio::error::timed_out);
  sim.settle();
  const time_point now = sim.now();
  for (int i = 0; i < 10; ++i) {
    const auto other = call();
    sim.settle();
    last().complete({});
    sim.settle();
    EXPECT_EQ(other->completions, 1);
  }
  EXPECT_EQ(sim.now(), now);
  EXPECT_EQ(operations.size(), 11U) << "and the retry has not begun";
  sim.advance(200ms);
  EXPECT_EQ(operations.size(), 12U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(waiting->error);
}

TEST_F(Finagle, ResetsAtMostOncePerTwoSecondsAndNotInItsFirstTwo) {
  start();
  for (int i = 0; i < 50; ++i) {
    sim.advance(100ms);
    (void)call(call_options(50ms).idempotent());
    sim.settle();
    fail_all(asio::error::timed_out);
    EXPECT_TRUE(sim.elapsed() >= 2s || client->connection_counters().resets == 0);
  }
  EXPECT_EQ(client->connection_counters().resets, 2U) << "at 2 s and at 4 s of 5";
}

class OneBadHost : public ClientWorld {
 protected:
  OneBadHost() : ClientWorld("static://10.0.0.1:80,10.0.0.2:80,10.0.0.3:80") {}
};

TEST_F(OneBadHost, DrainsNoneOfTheHealthyOnesByDefault) {
  started();
  const endpoint bad(asio::ip::make_address("10.0.0.1"), 80);
  std::vector<std::shared_ptr<scripted_peer>> healthy;
  for (const auto& p : net->peers()) {
    if (p->where() != bad) healthy.push_back(p);
  }
  ASSERT_EQ(healthy.size(), 2U);
  int failed = 0;
  for (int i = 0; i < 200; ++i) {
    const auto result = call(call_options(2s).idempotent());
    for (int tries = 0; tries < 4 && result->completions == 0; ++tries) {
      sim.settle();
      if (last().handler) {
        const bool is_bad = last().where == bad;
        last().complete(is_bad ? error_code(asio::error::connection_reset) : error_code());
      }
      sim.advance(200ms);
    }
    ASSERT_EQ(result->completions, 1);
    if (result->error) ++failed;
  }
  EXPECT_EQ(failed, 0);
  EXPECT_GT(client->counters().retries, 0U) << "the bad one was met";
  EXPECT_EQ(client->connection_counters().resets, 0U);
  for (const auto& p : healthy) EXPECT_TRUE(p->is_open());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
