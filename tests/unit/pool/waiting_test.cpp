// SPDX-License-Identifier: Apache-2.0
// The queue: who waits, for how long, and what is opened meanwhile.

#include "pool_world.hpp"

#include <boost/asio/error.hpp>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Waiting : PoolWorld {
  Waiting() { options.max_connections = 1; }
};

TEST_F(Waiting, FirstComeFirstServed) {
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout();
  const auto b = checkout();
  sim.settle();
  EXPECT_TRUE(a->pending());
  l = {};
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_TRUE(b->pending());
  a->lease = {};
  sim.settle();
  EXPECT_TRUE(b->leased());
  EXPECT_EQ(opened_ever(), 1U);
}

TEST_F(Waiting, TryCheckoutDoesNotOvertake) {
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout();
  l = {};
  EXPECT_FALSE(pool->try_checkout().has_value());
  sim.settle();
  EXPECT_TRUE(a->leased());
}

TEST_F(Waiting, Fault149_ATimedOutWaiterLeavesNoHoleAndGetsNothing) {
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout(1s);
  const auto b = checkout(5s);
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
  EXPECT_EQ(a->at - sim_scheduler::start, 1s);
  l = {};
  sim.settle();
  EXPECT_FALSE(a->lease);
  EXPECT_TRUE(b->leased());
  EXPECT_EQ(pool->counters().checkout_timeouts, 1U);
}

TEST_F(Waiting, Fault150_AConnectionThatFreesAtTheTimeoutGoesToTheNext) {
  start({"10.0.0.1"});
  auto l = take();
  // At the same instant as the timeout, and before the pool's timer, which is armed later.
  sim.time()->call_at(sim.now() + 1s, [&] { l = {}; });
  const auto a = checkout(1s);
  const auto b = checkout(5s);
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
  EXPECT_TRUE(b->leased());
}

TEST_F(Waiting, Fault149_AFullQueueIsAnErrorAtOnce) {
  options.queue_limit = 2;
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout();
  const auto b = checkout();
  const auto c = checkout();
  sim.settle();
  EXPECT_TRUE(a->pending() && b->pending());
  EXPECT_EQ(c->error, errc::queue_full);
  EXPECT_EQ(pool->counters().queue_rejections, 1U);
}

TEST_F(Waiting, Fault89_AQueueLimitOfZeroFailsFast) {
  options.queue_limit = 0;
  start({"10.0.0.1"});
  const auto a = checkout();
  const auto b = checkout();
  sim.settle();
  EXPECT_TRUE(a->leased());
  EXPECT_EQ(b->error, errc::queue_full);
}

TEST_F(Waiting, APastDeadlineTakesIdleOnesOnly) {
  start({"10.0.0.1"});
  const auto a = checkout(-1s);
  const auto b = checkout(-1s);
  sim.settle();
  EXPECT_TRUE(a->leased());
  EXPECT_EQ(b->error, errc::checkout_timeout);
  EXPECT_EQ(opened_ever(), 1U);
}

TEST_F(Waiting, WithoutADeadlineCheckoutTimeoutCounts) {
  options.checkout_timeout = 3s;
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout();
  sim.advance(3s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
}

TEST_F(Waiting, ATimeoutCountsFromNowAndNeverIsNever) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  auto l = take();
  const auto a = checkout(checkout_options(7s));
  const auto b = checkout(checkout_options(time_point::max()));
  sim.advance(6s);
  EXPECT_TRUE(a->pending());
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
  sim.advance(48h);
  EXPECT_TRUE(b->pending());
  l = {};
  sim.settle();
  EXPECT_TRUE(b->leased());
}

TEST_F(Waiting, Fault126_CancelTwiceAndAfterCompletion) {
  start({"10.0.0.1"});
  auto l = take();
  boost::asio::cancellation_signal signal;
  const auto a = cancellable(signal);
  const auto b = checkout();
  signal.emit(boost::asio::cancellation_type::total);
  signal.emit(boost::asio::cancellation_type::terminal);
  sim.settle();
  EXPECT_EQ(a->error, boost::asio::error::operation_aborted);
  signal.emit(boost::asio::cancellation_type::terminal);
  l = {};
  sim.settle();
  EXPECT_EQ(a->completions, 1);
  EXPECT_TRUE(b->leased());
}

TEST_F(Waiting, Fault126_CancelledAfterALeaseIsOnItsWayStillGetsIt) {
  start({"10.0.0.1"});
  auto l = take();
  boost::asio::cancellation_signal signal;
  const auto a = cancellable(signal);
  sim.settle();
  l = {};
  signal.emit(boost::asio::cancellation_type::terminal);
  sim.settle();
  EXPECT_TRUE(a->leased());
}

TEST_F(Waiting, ConnectsAreOpenedOnDemandAndNoMore) {
  options.max_connections = 10;
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 100ms);
  auto l = take();
  std::vector<wait> four;
  for (int i = 0; i < 4; ++i) four.push_back(checkout());
  sim.settle();
  EXPECT_EQ(pool->gauges().connecting, 4U);
  sim.advance(100ms);
  for (const auto& w : four) EXPECT_TRUE(w->leased());
  EXPECT_EQ(opened_ever(), 5U);
}

TEST_F(Waiting, ConnectsBelongToThePoolNotToAWaiter) {
  options.max_connections = 10;
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 100ms);
  auto l = take();
  boost::asio::cancellation_signal signal;
  const auto a = cancellable(signal);
  const auto b = checkout(20ms);
  sim.advance(50ms);
  signal.emit(boost::asio::cancellation_type::terminal);
  EXPECT_EQ(pool->gauges().connecting, 2U);
  const auto c = checkout();
  sim.settle();
  EXPECT_EQ(pool->gauges().connecting, 2U);  // one of the two will do
  sim.advance(50ms);
  EXPECT_TRUE(c->leased());
  EXPECT_EQ(pool->gauges().idle, 1U);
  EXPECT_EQ(opened_ever(), 3U);
}

TEST_F(Waiting, AWaiterTakesWhatFreesBeforeItsConnectOpens) {
  options.max_connections = 10;
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 100ms);
  auto l = take();
  const auto a = checkout();
  sim.advance(10ms);
  l = {};
  sim.settle();
  EXPECT_TRUE(a->leased());
  sim.advance(1s);
  EXPECT_EQ(open_now(), 2U);  // the late one rests
}

TEST_F(Waiting, LimitsPerEndpointAndInAll) {
  options.max_connections = 3;
  options.max_total_connections = 5;
  start({"10.0.0.1", "10.0.0.2"});
  std::vector<wait> ten;
  for (int i = 0; i < 10; ++i) ten.push_back(checkout());
  sim.advance(1s);
  EXPECT_EQ(open_now(), 5U);
  EXPECT_LE(net->counts(ep("10.0.0.1")).open, 3U);
  EXPECT_LE(net->counts(ep("10.0.0.2")).open, 3U);
  EXPECT_EQ(pool->gauges().waiting, 5U);
}

TEST_F(Waiting, Fault97_ASilentEndpointHoldsNobodyFor250Ms) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  auto held = take(2);
  net->hang(ep("10.0.0.1"));
  std::vector<wait> four;
  for (int i = 0; i < 4; ++i) four.push_back(checkout());
  sim.advance(249ms);
  sim.advance(2ms);
  for (const auto& w : four) EXPECT_TRUE(w->leased());
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, 5U);
}

TEST_F(Waiting, Fault97_ASlowOnlyEndpointIsNotAskedTwice) {
  options.max_connections = 10;
  start({"10.0.0.1"});
  auto held = take();
  net->accept(ep("10.0.0.1"), 2s);
  const auto a = checkout();
  sim.advance(1s);
  EXPECT_EQ(pool->gauges().connecting, 1U);
  sim.advance(1s);
  EXPECT_TRUE(a->leased());
}

TEST_F(Waiting, ARefusalGoesElsewhereAndPauses) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  auto held = take(2);
  net->refuse(ep("10.0.0.1"));
  std::vector<wait> many;
  for (int i = 0; i < 8; ++i) many.push_back(checkout());
  sim.settle();
  for (const auto& w : many) EXPECT_TRUE(w->leased());
  EXPECT_LE(net->counts(ep("10.0.0.1")).failed, 8U);
  const auto failed = net->counts(ep("10.0.0.1")).failed;
  auto more = checkout();
  sim.settle();
  EXPECT_TRUE(more->leased());
  EXPECT_EQ(net->counts(ep("10.0.0.1")).failed, failed);  // it rests
}

TEST_F(Waiting, TheOnlyEndpointIsAskedAgainUntilItIsBack) {
  options.max_connections = 10;
  start({"10.0.0.1"});
  auto held = take();
  net->refuse(ep("10.0.0.1"));
  const auto a = checkout(5s);
  sim.advance(2s);
  EXPECT_TRUE(a->pending());
  EXPECT_TRUE(pool->last_connect_error());
  net->accept(ep("10.0.0.1"));
  sim.advance(1s);  // the longest pause of an active endpoint
  EXPECT_TRUE(a->leased());
  EXPECT_FALSE(pool->last_connect_error());
}

TEST_F(Waiting, Fault153_WhenEveryEndpointRefusesTheWaitEndsWithTheCause) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  for (const auto* a : {"10.0.0.1", "10.0.0.2"}) {
    net->refuse(ep(a));
    net->hang_up(ep(a));
  }
  sim.advance(20ms);
  const auto first = checkout(60s);
  sim.settle();
  EXPECT_EQ(first->error, boost::asio::error::connection_refused);
  const auto second = checkout(60s);
  sim.settle();
  EXPECT_TRUE(second->pending()) << "what was refused before it came says nothing of now";
  sim.advance(1s);
  EXPECT_EQ(second->error, boost::asio::error::connection_refused);
}

TEST_F(Waiting, Fault153_WhileALeaseIsOutItMayComeBack) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  auto l = take();
  for (const auto* a : {"10.0.0.1", "10.0.0.2"}) {
    net->refuse(ep(a));
    if (ep(a) != l.where()) net->hang_up(ep(a));
  }
  sim.advance(20ms);
  const auto a = checkout(60s);
  sim.advance(10s);
  EXPECT_TRUE(a->pending());
  l.end(lease_end::reset);
  sim.advance(1s);
  EXPECT_EQ(a->error, boost::asio::error::connection_refused);
}

TEST_F(Waiting, AWaiterWhoTriedAnEndpointIsNotCoveredByAConnectToIt) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  net->accept(ep("10.0.0.1"), 200ms);
  net->accept(ep("10.0.0.2"), 200ms);
  auto held = take(2);
  const auto first =
      held[0].where() == ep("10.0.0.1") ? held[0].endpoint_id() : held[1].endpoint_id();
  const auto a = checkout(5s, {{first, sim.now()}});
  const auto b = checkout(5s, {{first, sim.now()}});
  sim.advance(200ms);
  ASSERT_TRUE(a->leased() && b->leased());
  EXPECT_EQ(a->where(), "10.0.0.2");
  EXPECT_EQ(b->where(), "10.0.0.2");
}

// What a retry may not do is wait for an endpoint that does not serve while the one it has tried
// does.
TEST_F(Waiting, ATriedEndpointServesWhenTheOtherOneRefuses) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  net->refuse(ep("10.0.0.2"));
  net->hang_up(ep("10.0.0.2"));
  sim.advance(20ms);
  auto held = take();
  const auto a = checkout(5s, {{held.endpoint_id(), sim.now()}});
  sim.advance(300ms);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.1");
  EXPECT_FALSE(a->lease.is_reused());
}

TEST_F(Waiting, Fault97_ATriedEndpointServesWhenTheOtherOneIsSilent) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  net->hang(ep("10.0.0.2"));
  net->hang_up(ep("10.0.0.2"));
  sim.advance(20ms);
  auto held = take();
  const auto a = checkout(5s, {{held.endpoint_id(), sim.now()}});
  sim.advance(300ms);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.1");
}

TEST_F(Waiting, ATriedEndpointServesWhenTheOtherOneMayNotBeConnectedTo) {
  options.max_connections = 10;
  start({"10.0.0.1", "10.0.0.2"});
  auto seen = answer_of({"10.0.0.1", "10.0.0.2"});
  seen.endpoints[1].presence = presence::absent;
  seen.endpoints[1].doubted = true;
  publish(seen);
  sim.advance(20ms);
  net->hang_up(ep("10.0.0.2"));
  sim.advance(20ms);
  auto held = take();
  const auto a = checkout(5s, {{held.endpoint_id(), sim.now()}});
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.1");
}

TEST_F(Waiting, AtTheTotalLimitAnUnwantedIdleOneMakesRoom) {
  options.max_connections = 2;
  options.max_total_connections = 2;
  start({"10.0.0.1", "10.0.0.2"});
  auto held = take(2);
  const auto id = held[0].endpoint_id();
  const auto other = held[1].where();
  held[0] = {};  // idle, of the endpoint that the waiter has tried
  const auto a = checkout(5s, {{id, sim.now() + 1h}});
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->lease.where(), other);
  EXPECT_EQ(open_now(), 2U);
}

TEST_F(Waiting, Fault150_AConnectionThatOpensAtTheTimeoutRests) {
  options.max_connections = 2;
  start({"10.0.0.1"});
  const auto held = take();
  net->accept(ep("10.0.0.1"), 1s);
  const auto w = checkout(1s);
  sim.advance(1s);
  EXPECT_EQ(w->completions, 1);
  // Whichever came first, the connection is neither lost nor with somebody who was told no.
  EXPECT_EQ(w->leased() ? 0U : 1U, pool->gauges().idle);
  EXPECT_EQ(static_cast<bool>(w->error), !w->lease);
  EXPECT_EQ(open_now(), 2U);
}

TEST_F(Waiting, Fault150_WithoutAnotherWaiterItGoesBackToIdle) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  auto l = take();
  sim.time()->call_at(sim.now() + 1s, [&] { l = {}; });
  const auto a = checkout(1s);
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
  EXPECT_FALSE(a->lease);
  EXPECT_EQ(pool->gauges().idle, 1U);
  EXPECT_EQ(open_now(), 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
