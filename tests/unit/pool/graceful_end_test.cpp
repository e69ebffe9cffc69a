// SPDX-License-Identifier: Apache-2.0
// A pool that ends in good order.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

struct drain_result {
  int completions = 0;
  error_code error;
  time_point at{};
};

class GracefulEnd : public PoolWorld {
 protected:
  std::shared_ptr<drain_result> drain(duration limit) {
    auto r = std::make_shared<drain_result>();
    pool->async_drain(sim.now() + limit, [this, r](error_code ec) { note(*r, ec); });
    return r;
  }
  void note(drain_result& r, error_code ec) const {
    ++r.completions;
    r.error = ec;
    r.at = sim.now();
  }
};

TEST_F(GracefulEnd, WithNothingOutItEndsAtOnceButNeverInline) {
  start({"10.0.0.1", "10.0.0.2"});
  ASSERT_EQ(open_now(), 2U);
  const auto before = sim.now();
  const auto r = drain(10s);
  EXPECT_EQ(r->completions, 0);
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(r->at, before);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::shutdown), 2U);
  EXPECT_TRUE(feed->stopped);
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
}

TEST_F(GracefulEnd, IdleOnesCloseAtOnceAndLeasedOnesWhenTheyComeBack) {
  start({"10.0.0.1", "10.0.0.2"});
  auto held = take();
  const auto r = drain(10s);
  sim.settle();
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(pool->try_checkout().error(), errc::closed);
  EXPECT_EQ(pool->try_checkout(checkout_options()).error(), errc::closed);
  const auto refused = checkout();
  EXPECT_FALSE(pool->reset());
  sim.advance(3s);
  EXPECT_EQ(refused->error, errc::closed);
  EXPECT_EQ(r->completions, 0);
  EXPECT_FALSE(feed->stopped);
  held = {};
  EXPECT_EQ(r->completions, 0);
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_TRUE(feed->stopped);
}

TEST_F(GracefulEnd, WhoWaitsAlreadyIsServed) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  auto held = take();
  const auto first = checkout();
  const auto second = checkout();
  const auto r = drain(10s);
  sim.advance(1s);
  EXPECT_TRUE(first->pending());
  held = {};
  sim.settle();
  ASSERT_TRUE(first->leased());
  first->lease.end(lease_end::failed);  // the next one needs a connection of its own
  sim.settle();
  ASSERT_TRUE(second->leased());
  EXPECT_EQ(r->completions, 0);
  second->lease = {};
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(opened_ever(), 2U);
}

TEST_F(GracefulEnd, WhoWaitsForAFirstConnectionIsServedBySomethingNew) {
  net->behave([] {
    connect_behaviour slow;
    slow.latency = 200ms;
    return slow;
  }());
  start();
  const auto w = checkout();
  const auto r = drain(10s);
  sim.settle();
  dns({"10.0.0.1"});
  sim.advance(300ms);
  ASSERT_TRUE(w->leased());
  w->lease = {};
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
}

TEST_F(GracefulEnd, NobodyIsWaitedForWhoHasLeft) {
  net->hang(ep("10.0.0.1"));
  start({"10.0.0.1"});
  asio::cancellation_signal signal;
  const auto gone = cancellable(signal);
  const auto expired = checkout(100ms);
  const auto r = drain(10s);
  sim.settle();
  EXPECT_EQ(net->counts().opening, 1U);
  signal.emit(asio::cancellation_type::total);
  sim.settle();
  EXPECT_EQ(r->completions, 0);
  sim.advance(200ms);
  EXPECT_EQ(expired->completions, 1);
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(net->counts().opening, 0U);
}

TEST_F(GracefulEnd, ConnectsForNobodyAreAbandoned) {
  net->hang(ep("10.0.0.1"));
  start({"10.0.0.1"});
  ASSERT_EQ(net->counts().opening, 1U);
  const auto r = drain(10s);
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
  EXPECT_EQ(net->counts().opening, 0U);
}

TEST_F(GracefulEnd, AtTheDeadlineTheRestIsCancelled) {
  struct observer final : lease_observer {
    void lease_cancelled(error_code why) override { told = why; }
    error_code told;
  };
  options.max_connections = 1;
  start({"10.0.0.1"});
  auto held = take();
  const auto watcher = std::make_shared<observer>();
  held.observe(watcher);
  held.keep_until(sim.now() + 1h);
  const auto queued = checkout(1min);
  const auto at = sim.now() + 2s;
  const auto r = drain(2s);
  sim.advance(1900ms);
  EXPECT_EQ(r->completions, 0);
  EXPECT_EQ(open_now(), 1U);
  sim.advance(200ms);
  EXPECT_EQ(r->completions, 1);
  EXPECT_EQ(r->error, errc::deadline_exceeded);
  EXPECT_GE(r->at, at);
  EXPECT_LE(r->at, at + 10ms);
  EXPECT_EQ(watcher->told, errc::closed);
  EXPECT_EQ(queued->error, errc::closed);
  EXPECT_EQ(open_now(), 0U);
  held = {};
  sim.settle();
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
}

TEST_F(GracefulEnd, ADeadlineThatHasPassedIsNow) {
  start({"10.0.0.1"});
  auto held = take();
  const auto r = drain(-1s);
  EXPECT_EQ(r->completions, 0);
  sim.settle();
  EXPECT_EQ(r->error, errc::deadline_exceeded);
  EXPECT_EQ(open_now(), 0U);
  held = {};
}

TEST_F(GracefulEnd, AskedAgainTheEarliestDeadlineCountsAndAllCompleteTogether) {
  start({"10.0.0.1"});
  auto held = take();
  const auto late = drain(10s);
  const auto early = drain(1s);
  const auto later = drain(1min);
  sim.advance(1100ms);
  for (const auto& r : {late, early, later}) {
    EXPECT_EQ(r->completions, 1);
    EXPECT_EQ(r->error, errc::deadline_exceeded);
  }
  held = {};
}

TEST_F(GracefulEnd, AfterTheEndItSaysHowItEnded) {
  start({"10.0.0.1"});
  const auto first = drain(1s);
  sim.settle();
  const auto again = drain(1s);
  EXPECT_EQ(again->completions, 0);
  sim.settle();
  EXPECT_EQ(again->completions, 1);
  EXPECT_FALSE(again->error);
}

TEST_F(GracefulEnd, AfterAnAbruptEndItSaysSo) {
  start({"10.0.0.1"});
  pool->close();
  const auto late = drain(1s);
  sim.settle();
  EXPECT_EQ(late->completions, 1);
  EXPECT_EQ(late->error, errc::closed);
}

TEST_F(GracefulEnd, Fault124_CloseAndDestructionEndItAtOnce) {
  for (const bool destroyed : {false, true}) {
    SCOPED_TRACE(destroyed);
    start({"10.0.0.1"});
    auto held = take();
    const auto r = drain(10s);
    sim.settle();
    destroyed ? pool.reset() : pool->close();
    EXPECT_EQ(r->completions, 0);
    sim.settle();
    EXPECT_EQ(r->completions, 1);
    EXPECT_EQ(r->error, errc::closed);
    EXPECT_EQ(open_now(), 0U);
    held = {};
    sim.settle();
    pool.reset();
    EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
    feed = std::make_shared<feed_script>();
  }
}

TEST_F(GracefulEnd, Fault126_CancellingEndsTheWaitingAndNotTheDrain) {
  start({"10.0.0.1"});
  auto held = take();
  asio::cancellation_signal signal;
  auto r = std::make_shared<drain_result>();
  pool->async_drain(
      sim.now() + 10s,
      asio::bind_cancellation_slot(signal.slot(), [this, r](error_code ec) { note(*r, ec); }));
  sim.settle();
  signal.emit(asio::cancellation_type::partial);
  EXPECT_EQ(r->completions, 0);
  signal.emit(asio::cancellation_type::terminal);
  sim.settle();
  signal.emit(asio::cancellation_type::terminal);
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_EQ(r->error, asio::error::operation_aborted);
  EXPECT_EQ(pool->try_checkout().error(), errc::closed);
  EXPECT_EQ(open_now(), 1U);
  held = {};
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_TRUE(feed->stopped);
}

TEST_F(GracefulEnd, TheEndOfALeaseByTheEndpointsOwnDrainIsWaitedFor) {
  options.drain_deadline = 1s;
  start({"10.0.0.1", "10.0.0.2"});
  auto held = take(2);
  dns({"10.0.0.3"});
  sim.advance(100ms);
  const auto r = drain(10s);
  sim.advance(2s);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(r->completions, 0) << "both are closed, but still held";
  held.clear();
  sim.settle();
  EXPECT_EQ(r->completions, 1);
  EXPECT_FALSE(r->error);
}

TEST_F(GracefulEnd, Fault129_ItsHandlerMayDestroyThePool) {
  start({"10.0.0.1"});
  int called = 0;
  pool->async_drain(sim.now() + 1s, [&](error_code) {
    ++called;
    pool.reset();
  });
  sim.settle();
  EXPECT_EQ(called, 1);
}

TEST(GracefulEndOrphan, Fault127_TheContextGoesFirst) {
  std::optional<simulation> sim{std::in_place};
  auto net = std::make_shared<scripted_connector>(*sim);
  auto feed = std::make_shared<feed_script>();
  scripted_pool pool(sim->executor(), std::make_unique<scripted_feed>(feed), net, {}, sim->time());
  auto token = std::make_shared<int>();
  pool.async_checkout([token](error_code, scripted_lease) { ADD_FAILURE() << "called"; });
  sim->settle();
  pool.async_drain(sim->now() + 1s, [token](error_code) { ADD_FAILURE() << "called"; });
  sim->settle();
  feed->handler = nullptr;
  sim.reset();
  EXPECT_EQ(token.use_count(), 1);
  pool.async_drain(time_point::max(), [token](error_code) { ADD_FAILURE() << "called"; });
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
