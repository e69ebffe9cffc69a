// SPDX-License-Identifier: Apache-2.0
// Connections at rest: how long, how many, and whether they are alive.

#include "pool_world.hpp"

#include <thread>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using Idle = PoolWorld;

TEST_F(Idle, IsClosedAfterIdleTimeout) {
  start({"10.0.0.1"});
  sim.advance(49s);
  EXPECT_EQ(open_now(), 1U);
  sim.advance(1s);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::idle), 1U);
  EXPECT_EQ(pool->gauges().endpoints_active, 1U);  // proven is proven
}

TEST_F(Idle, UseKeepsItOpenWithoutAskingForTheTime) {
  start({"10.0.0.1"});
  for (int i = 0; i < 100; ++i) {
    sim.advance(10s);
    auto l = pool->try_checkout();
    ASSERT_TRUE(l.has_value());
  }
  EXPECT_EQ(opened_ever(), 1U);
}

TEST_F(Idle, TheSurplusGoesTheBusyOneStays) {
  start({"10.0.0.1"});
  { auto burst = take(5); }
  for (int i = 0; i < 60; ++i) {
    sim.advance(1s);
    auto l = pool->try_checkout();
  }
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(closed_for(close_reason::idle), 4U);
}

TEST_F(Idle, ZeroMeansNever) {
  options.idle_timeout = 0s;
  options.max_lifetime = 0s;
  start({"10.0.0.1"});
  sim.advance(100h);
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(sim.time()->armed_timers(), 0U);  // nothing waits for time
}

TEST_F(Idle, Fault112_LifetimesEndWithJitter) {
  options.max_lifetime = 100s;
  options.idle_timeout = 0s;
  start({"10.0.0.1"});
  { auto burst = take(10); }
  sim.advance(89s);
  EXPECT_EQ(open_now(), 10U);
  sim.advance(11s);
  EXPECT_LT(open_now(), 10U);
  EXPECT_GT(open_now(), 0U);
  sim.advance(11s);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::lifetime), 10U);
}

TEST_F(Idle, ALeasedOneLivesUntilItComesBack) {
  options.max_lifetime = 10s;
  start({"10.0.0.1"});
  auto l = take();
  sim.advance(20s);
  EXPECT_EQ(open_now(), 1U);
  l = {};
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Idle, MinIdleIsRestoredAfterARefusalWithoutACaller) {
  options.min_idle = 1;
  start({"10.0.0.1"});
  sim.advance(1s);
  net->refuse(ep("10.0.0.1"));
  net->hang_up(ep("10.0.0.1"));
  sim.advance(3s);
  EXPECT_EQ(open_now(), 0U);
  net->accept(ep("10.0.0.1"));
  sim.advance(2s);  // the longest pause of an active endpoint is one
  EXPECT_EQ(pool->gauges().idle, 1U);
}

TEST_F(Idle, MinIdleIsKeptThroughUseAndLoss) {
  options.min_idle = 3;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  EXPECT_EQ(open_now(), 6U);
  auto leases = take(4);
  sim.advance(1s);
  EXPECT_EQ(pool->gauges().idle, 6U);
  net->hang_up(ep("10.0.0.1"));
  sim.advance(1s);
  EXPECT_GE(pool->gauges().idle, 6U);
}

TEST_F(Idle, MinIdleIsKeptForAQuickCheckoutAfterALongRest) {
  options.min_idle = 1;
  options.idle_timeout = 0s;
  start({"10.0.0.1"});
  sim.advance(10min);
  auto l = pool->try_checkout();
  sim.settle();
  EXPECT_EQ(pool->gauges().idle, 1U);
}

TEST_F(Idle, Fault105_AHangUpIsNoticedWhileItRests) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  ASSERT_TRUE(net->peers().front()->is_watched());
  net->hang_up(ep("10.0.0.1"));
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::peer_closed), 1U);
}

TEST_F(Idle, TheNoticeIsArmedSoonAfterAReturnAndNotBefore) {
  start({"10.0.0.1"});
  auto l = take();
  sim.advance(1s);
  EXPECT_FALSE(net->peers().front()->is_watched());
  l = {};
  sim.settle();
  EXPECT_FALSE(net->peers().front()->is_watched());
  sim.advance(20ms);
  EXPECT_TRUE(net->peers().front()->is_watched());
  l = take();
  EXPECT_TRUE(net->peers().front()->is_watched());  // nothing is cancelled for a checkout
}

TEST_F(Idle, NoNoticeIsArmedForOneThatIsLentAgainAndAgain) {
  start({"10.0.0.1"});
  auto l = take();
  for (int i = 0; i < 30; ++i) {
    l = {};
    sim.advance(7ms);
    ASSERT_FALSE(net->peers().front()->is_watched()) << i;
    l = take();
  }
  l = {};
  sim.advance(20ms);
  EXPECT_TRUE(net->peers().front()->is_watched());
}

TEST_F(Idle, Fault109_AHealthyStirKeepsItAndArmsItAgain) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  net->peers().front()->stir();
  sim.settle();
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(pool->gauges().idle, 1U);
  sim.advance(20ms);
  EXPECT_TRUE(net->peers().front()->is_watched());
}

TEST_F(Idle, AStirDuringALeaseMeansNothingUntilTheReturn) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  auto l = take();
  net->hang_up(ep("10.0.0.1"));
  sim.settle();
  EXPECT_EQ(open_now(), 1U);  // its holder will find out
  l = {};
  sim.advance(20ms);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Idle, AHangUpWhileTheNoticeIsBeingArmedIsNotMissed) {
  start({"10.0.0.1"});
  net->peers().front()->hang_up();  // before anybody watches
  sim.advance(20ms);
  EXPECT_EQ(open_now(), 0U);
}

/// Its peer hangs up at the very moment its notice is armed: another thread tells first.
class hasty_connection final : public pooled_connection {
 public:
  explicit hasty_connection(boost::asio::any_io_executor executor)
      : executor_(std::move(executor)) {}
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return false; }
  bool watch_idle(std::weak_ptr<idle_observer> observer) override {
    std::thread([&observer] { observer.lock()->stirred(); }).join();
    return true;
  }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return executor_; }

 private:
  boost::asio::any_io_executor executor_;
};

struct hasty_connector final : connector {
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    boost::asio::post(request.executor, [done, executor = request.executor] {
      done({}, std::make_unique<hasty_connection>(executor));
    });
    return nullptr;
  }
};

TEST_F(Idle, AStirBeforeTheArmingCallHasReturnedIsNotLost) {
  basic_pool<hasty_connection> hasty(sim.executor(),
                                     std::make_unique<scripted_feed>(feed),
                                     std::make_shared<hasty_connector>(),
                                     {},
                                     sim.time());
  dns({"10.0.0.1"});
  EXPECT_EQ(hasty.gauges().idle, 1U);
  sim.advance(20ms);
  EXPECT_EQ(hasty.gauges().idle, 0U);
  EXPECT_EQ(hasty.counters().closed, 1U);
}

TEST_F(Idle, ANoticeThatIsArmedDoesNotPushBackTheTimeout) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  for (int i = 0; i < 4; ++i) {
    sim.advance(12s);
    net->peers().front()->stir();
    sim.settle();
  }
  sim.advance(2s);
  EXPECT_EQ(open_now(), 0U);
}

struct Unwatchable : PoolWorld {
  Unwatchable() {
    connect_behaviour plain;
    plain.can_watch = false;
    net->behave(plain);
  }
};

TEST_F(Unwatchable, IsAskedAtCheckoutAfterALongRest) {
  start({"10.0.0.1"});
  { auto two = take(2); }
  sim.advance(2s);
  for (const auto& p : net->peers()) p->break_silently();
  EXPECT_FALSE(pool->try_checkout().has_value());
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::peer_closed), 2U);
  EXPECT_EQ(pool->counters().checkouts_idle, 2U - 1U);
}

TEST_F(Unwatchable, IsTrustedAfterAShortRest) {
  start({"10.0.0.1"});
  sim.advance(2s);
  { auto l = pool->try_checkout(); }
  net->peers().front()->break_silently();
  sim.advance(500ms);
  EXPECT_TRUE(pool->try_checkout().has_value());
}

TEST_F(Unwatchable, AWaitingCheckoutOpensAnotherInstead) {
  start({"10.0.0.1"});
  sim.advance(2s);
  net->peers().front()->break_silently();
  auto l = take();
  EXPECT_TRUE(l);
  EXPECT_EQ(opened_ever(), 2U);
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(Idle, AQuietPoolArmsNothingButTheTimeout) {
  start({"10.0.0.1"});
  { auto l = take(); }
  sim.advance(5s);
  EXPECT_EQ(sim.time()->armed_timers(), 1U);
  const auto before = pool->counters().checkouts;
  sim.advance(40s);
  EXPECT_EQ(pool->counters().checkouts, before);
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(Idle, PreconnectOpensEverywhereWithoutACallAndForNewcomers) {
  options.min_idle = 2;
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  sim.advance(1s);
  for (const auto* where : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    EXPECT_EQ(net->counts(ep(where)).open, 2U) << where;
  EXPECT_EQ(pool->counters().checkouts, 0U);
  dns({"10.0.0.1", "10.0.0.4", "10.0.0.5"});
  sim.advance(1s);
  for (const auto* where : {"10.0.0.1", "10.0.0.4", "10.0.0.5"}) {
    EXPECT_EQ(net->counts(ep(where)).open, 2U) << where;
  }
  EXPECT_EQ(open_now(), 6U);
  EXPECT_EQ(pool->counters().checkouts, 0U);
}

TEST_F(Idle, PreconnectIsRestoredAfterIdleTimeouts) {
  options.min_idle = 2;
  start({"10.0.0.1"});
  sim.advance(10min);
  EXPECT_EQ(pool->gauges().idle, 2U);
  EXPECT_GT(closed_for(close_reason::idle), 0U);
}

TEST_F(Idle, Fault109_BytesThatNobodyAskedForAreTheReason) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  net->peers().front()->send_unasked();
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::unexpected_bytes), 1U);
  const auto l = take();
  EXPECT_FALSE(l.is_reused());
}

TEST_F(Unwatchable, Fault109_BytesThatNobodyAskedForAreTheReason) {
  start({"10.0.0.1"});
  sim.advance(20ms);
  net->peers().front()->send_unasked();
  sim.advance(2s);
  EXPECT_FALSE(pool->try_checkout().has_value());
  sim.settle();
  EXPECT_EQ(closed_for(close_reason::unexpected_bytes), 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
