// SPDX-License-Identifier: Apache-2.0
// What a client tells and measures of its calls.
#include <redial/core/histogram.hpp>
#include <redial/testing/event_recorder.hpp>

#include "client_world.hpp"

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class ClientFigures : public ClientWorld {
 protected:
  ClientFigures() { options.listener = events; }

  std::shared_ptr<event_recorder> events = std::make_shared<event_recorder>(sim.time());
};

TEST_F(ClientFigures, ACallThatSucceedsIsToldAndTimed) {
  started();
  const auto c = call();
  sim.settle();
  sim.advance(40ms);
  last().complete({});
  sim.settle();
  ASSERT_EQ(c->completions, 1);
  const auto told = events->last(event_is(event_kind::call));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->what, "succeeded");
  EXPECT_EQ(told->number, 1U);
  EXPECT_EQ(told->elapsed, 40ms);
  EXPECT_EQ(client->histograms().call.count(), 1U);
  EXPECT_DOUBLE_EQ(client->histograms().call.sum_seconds(), 0.04);
}

TEST_F(ClientFigures, ACallCountsAllItsAttemptsAndWaits) {
  options.retry.first_at_once = false;
  started();
  const auto c = call(call_options(5s).idempotent());
  sim.settle();
  sim.advance(10ms);
  last().complete(errc::peer_closed);
  sim.advance(300ms);  // 200 ms of them before the retry
  ASSERT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  const auto told = events->last(event_is(event_kind::call, "succeeded"));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->number, 2U);
  EXPECT_EQ(told->elapsed, 310ms);
  EXPECT_EQ(events->count(event_kind::attempt), 2U);
}

TEST_F(ClientFigures, ACallThatFailsIsToldWithItsError) {
  started();
  const auto c = call(call_options(500ms));
  sim.advance(1s);
  ASSERT_EQ(c->completions, 1);
  const auto told = events->last(event_is(event_kind::call));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->what, "failed");
  EXPECT_EQ(told->error, c->error);
  EXPECT_EQ(told->elapsed, 500ms);
  EXPECT_EQ(client->histograms().call.count(), 1U);
}

TEST_F(ClientFigures, ACallOfAClosedClientTookNoTime) {
  started();
  client->close();
  const auto c = call();
  sim.settle();
  EXPECT_EQ(c->error, errc::closed);
  EXPECT_EQ(client->histograms().call.count(), 1U);
  EXPECT_EQ(client->histograms().call.sum_seconds(), 0.0);
}

TEST_F(ClientFigures, Fault130_AListenerThatThrowsEndsNoCall) {
  struct thrower final : event_listener {
    void on_attempt(const attempt_event&) override { throw std::runtime_error("attempt"); }
    void on_call(const call_event&) override { throw std::runtime_error("call"); }
  };
  options.listener = std::make_shared<thrower>();
  started();
  const auto c = call();
  sim.settle();
  last().complete({});
  int thrown = 0;
  for (int i = 0; i < 5; ++i) {
    try {
      sim.settle();
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  }
  EXPECT_EQ(thrown, 2);
  EXPECT_EQ(c->completions, 1);
  EXPECT_FALSE(c->error);
  EXPECT_EQ(client->counters().calls, 1U);
}

TEST_F(ClientFigures, ExplainsTheNameAndThePool) {
  net->refuse(where.fixed_endpoints()[1]);
  started();
  client_explanation e;
  int completions = 0;
  client->async_explain([&](client_explanation got) {
    ++completions;
    e = std::move(got);
  });
  EXPECT_EQ(completions, 0) << "never inline";
  sim.settle();
  ASSERT_EQ(completions, 1);
  EXPECT_EQ(e.name.target, where.text());
  EXPECT_EQ(e.name.endpoints.size(), 2U);
  ASSERT_EQ(e.pool.endpoints.size(), 2U);
  EXPECT_EQ(e.pool.name, where.text());
  EXPECT_EQ(e.pool.endpoints[0].health, endpoint_health::active);
  EXPECT_EQ(e.pool.endpoints[1].health, endpoint_health::warming);
  const std::string text = to_string(e);
  EXPECT_NE(text.find("from the target itself"), std::string::npos) << text;
  EXPECT_NE(text.find("Connection refused"), std::string::npos) << text;
}

TEST_F(ClientFigures, AnExplanationMayComeAfterItsClient) {
  started();
  int completions = 0;
  client->async_explain([&](const client_explanation& e) {
    ++completions;
    EXPECT_TRUE(e.pool.closed);
  });
  client.reset();
  sim.settle();
  EXPECT_EQ(completions, 1);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
