// SPDX-License-Identifier: Apache-2.0
// How many connections are opened at once, and how fast they come back.

#include "pool/connect_pace.hpp"
#include "pool_world.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct ConnectLimits : PoolWorld {
  std::size_t connecting() { return pool->gauges().connecting; }
};

TEST_F(ConnectLimits, NoMoreAreOpenedAtOnceThanAllowed) {
  options.max_connecting = 3;
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 100ms);
  auto first = take();
  std::vector<wait> all;
  for (int i = 0; i < 10; ++i) all.push_back(checkout(5s));
  std::size_t peak = 0;
  for (int i = 0; i < 50; ++i) {
    sim.advance(10ms);
    peak = std::max<std::size_t>(peak, net->counts().opening);
  }
  EXPECT_EQ(peak, 3U);
  for (const auto& w : all) EXPECT_TRUE(w->leased());
}

TEST_F(ConnectLimits, WarmingCountsToo) {
  options.max_connecting = 2;
  net->behave([] {
    connect_behaviour slow;
    slow.latency = 100ms;
    return slow;
  }());
  options.warm_stagger = 0s;
  start();
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  EXPECT_EQ(connecting(), 2U);
  sim.advance(1s);
  EXPECT_EQ(pool->gauges().endpoints_active, 5U);
}

struct SilentCrowd : ConnectLimits {
  /// Every connection is leased; of twelve endpoints only three go on to answer.
  void fall_silent() {
    options.max_connecting = 8;
    std::vector<std::string> all;
    for (int i = 1; i <= 12; ++i) all.push_back("10.0.0." + std::to_string(i));
    start(all);
    sim.advance(1s);
    leases = take(12);
    for (int i = 4; i <= 12; ++i) net->hang(ep("10.0.0." + std::to_string(i)));
  }
  std::vector<scripted_lease> leases;
};

TEST_F(SilentCrowd, DoesNotHoldEveryPlaceUntilTheConnectTimeout) {
  fall_silent();
  std::vector<wait> all;
  for (int i = 0; i < 40; ++i) all.push_back(checkout(5s));
  std::size_t peak = 0;
  for (int i = 0; i < 250; ++i) {  // 2.5 s of the 3 s that a connect may take
    sim.advance(10ms);
    peak = std::max<std::size_t>(peak, net->counts().opening);
  }
  EXPECT_LE(peak, 8U);
  for (const auto& w : all) EXPECT_TRUE(w->leased());
}

// A long way is no silence: those that were begun first go on.
TEST_F(SilentCrowd, ConnectsThatAreSlowEverywhereGetThrough) {
  options.max_connecting = 8;
  std::vector<std::string> all;
  for (int i = 1; i <= 40; ++i) all.push_back("10.0.0." + std::to_string(i));
  start(all);
  sim.advance(1s);
  leases = take(40);
  net->behave([] {
    connect_behaviour slow;
    slow.latency = 800ms;
    return slow;
  }());
  std::vector<wait> waiting;
  for (int i = 0; i < 12; ++i) waiting.push_back(checkout(5s));
  sim.advance(810ms);
  EXPECT_EQ(std::ranges::count_if(waiting, [](const wait& w) { return w->leased(); }), 6);
  sim.advance(2s);
  for (const auto& w : waiting) EXPECT_TRUE(w->leased());
}

// 1000 connections of 20 endpoints go at once, and nobody waits for new ones.
TEST_F(ConnectLimits, Fault148_AMassDrainIsFollowedByATrickle) {
  options.min_idle = 50;
  options.max_total_connections = 2500;
  options.spare_connects_per_second = 200;
  net->behave([] {
    connect_behaviour slow;
    slow.latency = 5ms;
    return slow;
  }());
  std::vector<std::string> old_ones;
  std::vector<std::string> new_ones;
  for (int i = 1; i <= 20; ++i) {
    old_ones.push_back("10.0.0." + std::to_string(i));
    new_ones.push_back("10.0.1." + std::to_string(i));
  }
  start(old_ones);
  sim.advance(20s);
  ASSERT_EQ(open_now(), 1000U);

  const std::size_t before = opened_ever();
  dns(new_ones);
  std::size_t peak = 0;
  std::size_t busiest = 0;
  std::size_t last = before;
  int seconds = 0;
  for (; seconds < 60 && opened_ever() < before + 1000; ++seconds) {
    for (int i = 0; i < 100; ++i) {
      sim.advance(10ms);
      peak = std::max<std::size_t>(peak, net->counts().opening);
    }
    busiest = std::max(busiest, opened_ever() - last);
    last = opened_ever();
  }
  EXPECT_EQ(open_now(), 1000U);
  EXPECT_LE(peak, options.max_warming);
  EXPECT_LE(busiest, 20U + 200U * 11 / 10 + options.max_warming);
  EXPECT_GE(seconds, 4);
  RecordProperty("peak_connecting", static_cast<int>(peak));
  RecordProperty("busiest_second", static_cast<int>(busiest));
}

TEST_F(ConnectLimits, CallersDoNotWaitForTheTrickle) {
  options.spare_connects_per_second = 1;
  options.min_idle = 2;
  start({"10.0.0.1"});
  sim.advance(1s);
  EXPECT_EQ(take(40).size(), 40U);
}

TEST(ConnectPace, ABurstThenOnePerStep) {
  detail::fast_random random(5);
  detail::connect_pace pace(100, 4);
  time_point now = time_point{} + 1h;
  int taken = 0;
  while (pace.take(now, random)) ++taken;
  EXPECT_GE(taken, 4);
  EXPECT_LE(taken, 6);
  taken = 0;
  const time_point end = now + 10s;
  for (now = pace.next(); now < end; now = pace.next()) {
    ASSERT_TRUE(pace.take(now, random));
    ++taken;
  }
  EXPECT_NEAR(taken, 1000, 30);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
