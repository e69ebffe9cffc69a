// SPDX-License-Identifier: Apache-2.0
// A client that ends in good order: what is in flight may finish, with the retries it needs.

#include "client_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class ClientEnd : public ClientWorld {
 protected:
  struct drain_result {
    int completions = 0;
    error_code error;
    time_point at{};
  };

  std::shared_ptr<drain_result> drain(duration limit) {
    auto r = std::make_shared<drain_result>();
    client->async_drain(sim.now() + limit, [this, r](error_code ec) {
      ++r->completions;
      r->error = ec;
      r->at = sim.now();
    });
    return r;
  }
  void end_clean() {
    names->close();
    sim.settle();
    EXPECT_EQ(net->counts().open, 0U);
    EXPECT_EQ(net->counts().opening, 0U);
    EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  }
};

TEST_F(ClientEnd, WithoutCallsItEndsAtOnceButNeverInline) {
  started();
  const auto r = drain(10s);
  EXPECT_EQ(r->completions, 0);
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  end_clean();
}

TEST_F(ClientEnd, CallsInFlightFinishAndNewOnesAreRefused) {
  started();
  const auto running = call(call_options(10s));
  sim.settle();
  const auto r = drain(5s);
  sim.settle();
  EXPECT_EQ(net->counts().open, 1U) << "idle ones close at once";
  const auto refused = call();
  error_code checkout_error;
  client->async_checkout([&](error_code ec, auto) { checkout_error = ec; });
  EXPECT_EQ(refused->completions, 0);
  sim.advance(1s);
  EXPECT_EQ(refused->error, errc::closed);
  EXPECT_EQ(checkout_error, errc::closed);
  EXPECT_EQ(r->completions, 0);
  last().complete({});
  sim.settle();
  EXPECT_EQ(running->completions, 1);
  EXPECT_FALSE(running->error);
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  end_clean();
}

TEST_F(ClientEnd, TheLastCallCompletesBeforeTheDrain) {
  started();
  std::string order;
  client->async_call(
      operation(), call_options(), [&](error_code, const call_history&) { order += "call "; });
  sim.settle();
  client->async_drain(sim.now() + 5s, [&](error_code) { order += "drain"; });
  sim.settle();
  last().complete({});
  sim.settle();
  EXPECT_EQ(order, "call drain");
}

// A listener hears of a call's end before its caller does.
TEST_F(ClientEnd, ADrainThatBeginsWhenTheLastCallIsToldToEndCompletesAfterIt) {
  struct drainer final : event_listener {
    void on_call(const call_event&) override { then(); }
    std::function<void()> then;
  };
  const auto listener = std::make_shared<drainer>();
  options.listener = listener;
  started();
  std::string order;
  listener->then = [&] {
    client->async_drain(sim.now() + 5s, [&](error_code) { order += "drain"; });
  };
  client->async_call(
      operation(), call_options(), [&](error_code, const call_history&) { order += "call "; });
  sim.settle();
  last().complete({});
  sim.settle();
  EXPECT_EQ(order, "call drain");
}

TEST_F(ClientEnd, ARetryStillGetsAConnection) {
  started();
  const auto retried = call(call_options(10s).idempotent());
  sim.settle();
  const auto r = drain(9s);
  sim.settle();
  last().complete(asio::error::timed_out);
  sim.settle();
  EXPECT_EQ(net->counts().open, 0U) << "nothing idles while it sleeps";
  EXPECT_EQ(r->completions, 0);
  sim.advance(1s);
  ASSERT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(retried->error) << retried->error.message();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  end_clean();
}

TEST_F(ClientEnd, QueuedCallsAreServed) {
  options.pool.max_connections = 1;
  where = target("static://10.0.0.1:80");
  started();
  const auto first = call();
  sim.settle();
  const auto second = call();
  sim.settle();
  const auto r = drain(5s);
  operations[0]->complete({});
  sim.settle();
  ASSERT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(second->error);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(r->completions, 1);
  end_clean();
}

TEST_F(ClientEnd, AtTheDeadlineCallsInEveryStageAreCancelled) {
  options.pool.max_connections = 1;
  options.retry.delay = 30s;
  where = target("static://10.0.0.1:80");
  started();
  const auto sleeping = call(call_options(1min).idempotent());
  sim.settle();
  last().complete(asio::error::timed_out);
  sim.settle();
  const auto running = call(call_options(1min));
  sim.advance(100ms);
  const auto queued = call(call_options(1min));
  sim.settle();
  const auto at = sim.now() + 2s;
  const auto r = drain(2s);
  sim.advance(1900ms);
  for (const auto& c : {sleeping, running, queued}) EXPECT_EQ(c->completions, 0);
  sim.advance(200ms);
  for (const auto& c : {sleeping, running, queued}) {
    EXPECT_EQ(c->completions, 1);
    EXPECT_EQ(c->error, errc::closed);
  }
  EXPECT_EQ(r->completions, 1);
  EXPECT_EQ(r->error, errc::deadline_exceeded);
  EXPECT_LE(r->at, at + 10ms);
  operations.clear();
  end_clean();
}

TEST_F(ClientEnd, LeasesOfItsOwnAreWaitedFor) {
  started();
  lease<scripted_connection> held;
  client->async_checkout([&](error_code, auto l) { held = std::move(l); });
  const auto running = call();
  sim.settle();
  const auto r = drain(5s);
  last().complete({});
  sim.advance(1s);
  EXPECT_EQ(r->completions, 0);
  held = {};
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  end_clean();
}

TEST_F(ClientEnd, Fault124_CloseAndDestructionEndItAtOnce) {
  for (const bool destroyed : {false, true}) {
    SCOPED_TRACE(destroyed);
    started();
    const auto running = call();
    sim.settle();
    const auto first = drain(5s);
    const auto second = drain(7s);
    sim.settle();
    destroyed ? client.reset() : client->close();
    EXPECT_EQ(first->completions, 0);
    sim.settle();
    for (const auto& r : {first, second}) {
      EXPECT_EQ(r->completions, 1);
      EXPECT_EQ(r->error, errc::closed);
    }
    EXPECT_EQ(running->error, errc::closed);
    operations.clear();
    client.reset();
    end_clean();
  }
}

TEST_F(ClientEnd, AskedAgainWithLessTimeTheEarliestDeadlineCounts) {
  started();
  const auto running = call(call_options(1min));
  sim.settle();
  const auto late = drain(10s);
  const auto early = drain(1s);
  sim.advance(1100ms);
  EXPECT_EQ(running->error, errc::closed);
  for (const auto& r : {late, early}) EXPECT_EQ(r->error, errc::deadline_exceeded);
  operations.clear();
  end_clean();
}

TEST_F(ClientEnd, Fault127_AContextThatGoesFirstCallsNobody) {
  auto inner = std::make_unique<simulation>();
  const auto connector = std::make_shared<scripted_connector>(*inner);
  scripted_dns source(*inner);
  auto d = discovery::create(inner->executor(), {}, source.share(), inner->time());
  scripted_client c(inner->executor(), d, where, connector, options, inner->time());
  inner->advance(1s);
  const auto token = std::make_shared<int>();
  std::vector<operation_handler> pending;
  c.async_call(
      [&](attempt&, scripted_connection&, operation_handler done) {
        pending.push_back(std::move(done));
      },
      call_options(),
      [token](error_code, const call_history&) { ADD_FAILURE() << "called"; });
  inner->settle();
  c.async_drain(inner->now() + 1s, [token](error_code) { ADD_FAILURE() << "called"; });
  inner->settle();
  inner->time()->stop();
  pending.clear();
  d.reset();
  inner.reset();
  EXPECT_EQ(token.use_count(), 1);
  c.async_drain(time_point::max(), [token](error_code) { ADD_FAILURE() << "called"; });
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
