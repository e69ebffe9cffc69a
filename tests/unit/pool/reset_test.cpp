// SPDX-License-Identifier: Apache-2.0
// Whole-pool resets: new connections first, then the old ones go.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

using Reset = PoolWorld;

TEST_F(Reset, TheOldOnesServeUntilANewOneIsOpen) {
  start({"10.0.0.1"});
  { auto three = take(3); }
  auto held = take();
  net->accept(ep("10.0.0.1"), 100ms);
  EXPECT_TRUE(pool->reset());
  sim.advance(99ms);
  EXPECT_TRUE(pool->try_checkout().has_value());
  EXPECT_EQ(open_now(), 3U);
  sim.advance(1ms);
  EXPECT_EQ(open_now(), 2U);  // the new one, and the leased one
  EXPECT_EQ(pool->gauges().draining, 1U);
  held = {};
  sim.settle();
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(closed_for(close_reason::reset), 3U);
  EXPECT_EQ(opened_ever(), 4U);
}

TEST_F(Reset, IsSingleFlightAndAtMostOncePerInterval) {
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 3s - 1ms);
  EXPECT_TRUE(pool->reset());
  EXPECT_FALSE(pool->reset());
  sim.advance(2500ms);
  EXPECT_FALSE(pool->reset());  // still under way
  sim.advance(500ms);
  net->accept(ep("10.0.0.1"));
  EXPECT_TRUE(pool->reset());
  sim.settle();
  EXPECT_FALSE(pool->reset());  // done, but too soon
  sim.advance(2s);
  EXPECT_TRUE(pool->reset());
  EXPECT_EQ(pool->counters().resets, 3U);
  EXPECT_EQ(pool->counters().resets_suppressed, 3U);
  EXPECT_EQ(events->count(event_kind::reset, "suppressed"), 3U);
  EXPECT_EQ(events->count(event_kind::reset, "done"), 3U);
  EXPECT_EQ(feed->refreshes, 3);
}

TEST_F(Reset, WithNothingOpenThereIsNothingToDo) {
  start({"10.0.0.1"});
  sim.advance(60s);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_TRUE(pool->reset());
  sim.settle();
  EXPECT_EQ(opened_ever(), 1U);
}

TEST_F(Reset, WhileNewConnectsFailTheOldOnesServe) {
  start({"10.0.0.1"});
  net->refuse(ep("10.0.0.1"));
  EXPECT_TRUE(pool->reset());
  for (int i = 0; i < 20; ++i) {
    sim.advance(500ms);
    EXPECT_TRUE(pool->try_checkout().has_value());
  }
  net->accept(ep("10.0.0.1"));
  sim.advance(2s);
  EXPECT_EQ(closed_for(close_reason::reset), 1U);
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(Reset, AFullPoolGivesUpAnOldOneForTheFirstNewOne) {
  options.max_connections = 2;
  options.max_total_connections = 2;
  start({"10.0.0.1"});
  auto leases = take(2);
  EXPECT_TRUE(pool->reset());
  const auto a = checkout();
  sim.settle();
  EXPECT_TRUE(a->pending());
  leases[0] = {};
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_FALSE(a->lease.is_reused());
  EXPECT_EQ(pool->gauges().draining, 1U);
}

TEST_F(Reset, AConnectUnderWayCountsAsNew) {
  start({"10.0.0.1"});
  auto held = take();
  net->accept(ep("10.0.0.1"), 100ms);
  const auto a = checkout();
  sim.advance(50ms);
  EXPECT_TRUE(pool->reset());
  sim.advance(50ms);
  EXPECT_TRUE(a->leased());
  EXPECT_EQ(pool->gauges().draining, 1U);
  EXPECT_EQ(opened_ever(), 2U);
}

TEST_F(Reset, LeasedOldOnesAreCancelledAtTheDrainDeadline) {
  start({"10.0.0.1"});
  auto held = take();
  EXPECT_TRUE(pool->reset());
  sim.advance(29s);
  EXPECT_EQ(open_now(), 2U);
  sim.advance(1s);
  EXPECT_EQ(open_now(), 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
