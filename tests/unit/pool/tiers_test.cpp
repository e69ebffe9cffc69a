// SPDX-License-Identifier: Apache-2.0
// Priorities (RFC 2782): who serves, the way to the next tier, and the way back.

#include "pool_world.hpp"

#include <boost/asio/error.hpp>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using addresses = std::vector<std::string>;

/// Addresses in 10.0.5.0/24 have priority 5, those in 10.0.10.0/24 priority 10.
struct TierPool : PoolWorld {
  void show(const addresses& all) { publish(with_priorities(all)); }
  snapshot with_priorities(const addresses& all) {
    snapshot s = answer_of(all);
    for (auto& e : s.endpoints) {
      e.where.priority = e.where.addr.to_v4().to_bytes()[2];
    }
    return s;
  }
  void start_with(const addresses& all) {
    start();
    show(all);
    sim.advance(1ms);
  }
  void kill(const std::string& a) {
    sim.advance(50ms);  // its connections' notices are armed
    net->refuse(ep(a));
    net->hang_up(ep(a));
    sim.settle();
  }
  std::set<std::string> served(int calls) {
    std::set<std::string> all;
    for (int i = 0; i < calls; ++i) all.insert(take().where().addr.to_string());
    return all;
  }
  tried_endpoint tried(const scripted_lease& l) { return {l.endpoint_id(), sim.now()}; }
};
using set = std::set<std::string>;

TEST_F(TierPool, Fault50_AStandbyIsWarmedAndRests) {
  start_with({"10.0.0.1", "10.0.5.1"});
  EXPECT_EQ(open_now(), 2U);
  EXPECT_EQ(served(50), set{"10.0.0.1"});
  sim.advance(options.idle_timeout - 1s);
  (void)take();
  sim.advance(2s);
  EXPECT_EQ(closed_for(close_reason::idle), 1U);
  EXPECT_EQ(net->counts(ep("10.0.5.1")).open, 0U);
  EXPECT_EQ(pool->gauges().endpoints_active, 2U);
}

TEST_F(TierPool, Fault50_AFailoverNeedsNoConnectAndTheWayBackNoCall) {
  start_with({"10.0.0.1", "10.0.0.2", "10.0.5.1"});
  kill("10.0.0.1");
  EXPECT_EQ(served(20), set{"10.0.0.2"});
  kill("10.0.0.2");
  EXPECT_EQ(served(20), set{"10.0.5.1"});
  EXPECT_EQ(opened_ever(), 3U);

  net->accept(ep("10.0.0.2"));
  sim.advance(options.warm_backoff_max);
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, 1U);
  EXPECT_EQ(served(20), set{"10.0.0.2"});
  EXPECT_EQ(net->counts(ep("10.0.5.1")).open, 1U) << "rests, is not drained";
  EXPECT_EQ(told(endpoint_change::drained), 0U);
}

TEST_F(TierPool, Fault50_ATierThatStaysDownIsAskedOnTheScheduleOfWarming) {
  start_with({"10.0.0.1", "10.0.5.1"});
  kill("10.0.0.1");
  EXPECT_EQ(served(1), set{"10.0.5.1"});
  sim.advance(20s);
  const auto before = net->counts(ep("10.0.0.1")).asked;
  for (int i = 0; i < 100; ++i) {
    sim.advance(1s);
    (void)take();  // asks for nothing more
  }
  const auto asked = net->counts(ep("10.0.0.1")).asked - before;
  EXPECT_GE(asked, 10U);
  EXPECT_LE(asked, 20U);
}

TEST_F(TierPool, Fault50_AColdStartGoesOnAtOnceWhenATierRefuses) {
  net->refuse(ep("10.0.0.1"));
  net->refuse(ep("10.0.0.2"));
  start();
  const auto a = checkout();
  show({"10.0.0.1", "10.0.0.2", "10.0.5.1"});
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.5.1");
  net->accept(ep("10.0.0.1"));
  sim.advance(1s);
  EXPECT_EQ(served(5), set{"10.0.0.1"});
}

TEST_F(TierPool, Fault50_AColdStartWaitsForASlowTierAndNotForAStandby) {
  net->accept(ep("10.0.0.1"), 400ms);
  net->hang(ep("10.0.5.2"));
  start();
  const auto a = checkout();
  show({"10.0.0.1", "10.0.5.1", "10.0.5.2"});
  sim.advance(399ms);
  EXPECT_EQ(net->counts(ep("10.0.5.1")).open, 1U);
  EXPECT_TRUE(a->pending());
  EXPECT_FALSE(pool->try_checkout().has_value());
  sim.advance(1ms);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.1");
}

TEST_F(TierPool, Fault50_AColdStartWaitsForASilentTierNoLongerThanAConnect) {
  net->hang(ep("10.0.0.1"));
  start();
  const auto a = checkout();
  show({"10.0.0.1", "10.0.5.1"});
  sim.advance(options.connect_timeout - 1ms);
  EXPECT_TRUE(a->pending());
  sim.advance(1ms);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.5.1");
}

// Their next attempts are due again before all have had one: 8 at a time, 3 s each.
TEST_F(TierPool, Fault50_ManySilentEndpointsDoNotKeepTheNextTierFromBeingTried) {
  addresses all{"10.0.5.1"};
  for (int i = 1; i <= 40; ++i) {
    all.push_back("10.0.0." + std::to_string(i));
    net->hang(ep(all.back()));
  }
  start();
  const auto a = checkout(1min);
  show(all);
  sim.advance(30s);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.5.1");
}

TEST_F(TierPool, Fault50_ManySilentEndpointsDoNotKeepTheirTierFromComingBack) {
  addresses all{"10.0.5.1"};
  for (int i = 1; i <= 60; ++i) all.push_back("10.0.0." + std::to_string(i));
  start_with(all);
  sim.advance(1s);
  ASSERT_EQ(open_now(), all.size());
  for (std::size_t i = 1; i < all.size(); ++i) kill(all[i]);
  ASSERT_EQ(served(3), set{"10.0.5.1"});
  for (std::size_t i = 1; i < all.size(); ++i) net->hang(ep(all[i]));
  sim.advance(5min);
  std::map<std::string, std::size_t> before;
  for (const auto& a : all) before[a] = net->counts(ep(a)).asked;
  sim.advance(2min);
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_GT(net->counts(ep(all[i])).asked, before[all[i]]) << all[i];
  }
}

TEST_F(TierPool, Fault50_ARetryPrefersTheRestOfItsTierThenTheNextOne) {
  start_with({"10.0.0.1", "10.0.0.2", "10.0.5.1", "10.0.10.1"});
  std::vector<tried_endpoint> failed;
  set first;
  for (int i = 0; i < 2; ++i) {
    const auto w = checkout(1s, failed);
    sim.settle();
    ASSERT_TRUE(w->leased());
    first.insert(w->where());
    failed.push_back(tried(w->lease));
  }
  EXPECT_EQ(first, (set{"10.0.0.1", "10.0.0.2"}));
  for (const char* next : {"10.0.5.1", "10.0.10.1"}) {
    const auto w = checkout(1s, failed);
    sim.settle();
    ASSERT_TRUE(w->leased());
    EXPECT_EQ(w->where(), next);
    failed.push_back(tried(w->lease));
  }
  EXPECT_NE(served(1), set{"10.0.5.1"}) << "others stay where they were";
  sim.advance(1ms);
  for (auto& f : failed) f.failed_at = sim.now();
  const auto w = checkout(1s, failed);  // has tried everything: a new connection to the best
  sim.settle();
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->lease.where().addr.to_v4().to_bytes()[2], 0);
  EXPECT_FALSE(w->lease.is_reused());
}

TEST_F(TierPool, Fault50_ARetryConnectsToTheNextTierWhenNothingIdlesThere) {
  start_with({"10.0.0.1", "10.0.5.1"});
  sim.advance(50ms);
  net->hang_up(ep("10.0.5.1"));
  sim.settle();
  auto l = take();
  const auto w = checkout(1s, {tried(l)});
  sim.settle();
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.5.1");
  EXPECT_EQ(net->counts(ep("10.0.5.1")).opened, 2U);
}

TEST_F(TierPool, Fault50_ARetryWaitsForAConnectionOfTheNextTierToComeBack) {
  options.max_connections = 1;
  start_with({"10.0.0.1", "10.0.5.1"});
  auto l = take();
  const auto a = checkout(1s, {tried(l)});
  sim.settle();
  ASSERT_TRUE(a->leased());
  const auto b = checkout(1s, {tried(l)});
  const auto plain = checkout(1s);
  sim.settle();
  EXPECT_TRUE(b->pending());
  a->lease = {};
  sim.settle();
  ASSERT_TRUE(b->leased());
  b->lease = {};
  sim.settle();
  EXPECT_TRUE(plain->pending()) << "a full tier is not one that is down";
  l = {};
  sim.settle();
  ASSERT_TRUE(plain->leased());
  EXPECT_EQ(plain->where(), "10.0.0.1");
}

TEST_F(TierPool, Fault50_WhenAllTiersAreDownTheFirstThatAnswersServes) {
  start_with({"10.0.0.1", "10.0.5.1"});
  kill("10.0.0.1");
  kill("10.0.5.1");
  const auto refused = checkout(10s);
  sim.settle();
  EXPECT_EQ(refused->error, boost::asio::error::connection_refused);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).failed, 1U);
  EXPECT_EQ(net->counts(ep("10.0.5.1")).failed, 1U);
  const auto a = checkout(10s);
  net->accept(ep("10.0.5.1"));
  sim.advance(1s);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.5.1");
}

TEST_F(TierPool, Fault50_AtTheTotalLimitAStandbyMakesRoom) {
  options.max_connections = options.max_total_connections = 2;
  start_with({"10.0.0.1", "10.0.5.1"});
  auto l = take();
  const auto a = checkout();
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.1");
  EXPECT_EQ(net->counts(ep("10.0.5.1")).open, 0U);
}

TEST_F(TierPool, Fault50_AtTheTotalLimitABetterTierComesBack) {
  options.max_connections = options.max_total_connections = 2;
  start_with({"10.0.0.1", "10.0.5.1"});
  kill("10.0.0.1");
  auto both = take(2);
  net->accept(ep("10.0.0.1"));
  sim.advance(10s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U) << "no room";
  both.clear();
  sim.advance(10s);
  EXPECT_EQ(served(5), set{"10.0.0.1"});
}

TEST_F(TierPool, Fault50_TryingABetterTierAgainHoldsNobodyUp) {
  start_with({"10.0.0.1", "10.0.5.1"});
  kill("10.0.0.1");
  EXPECT_EQ(served(1), set{"10.0.5.1"});
  net->hang(ep("10.0.0.1"));
  sim.advance(1s);
  ASSERT_EQ(net->counts(ep("10.0.0.1")).opening, 1U);
  const auto l = take();
  const auto a = checkout();
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.5.1");
}

TEST_F(TierPool, Fault50_ANewPriorityMovesCallsAndNoConnection) {
  start_with({"10.0.0.1", "10.0.5.1"});
  snapshot s = with_priorities({"10.0.0.1", "10.0.5.1"});
  std::swap(s.endpoints[0].where.priority, s.endpoints[1].where.priority);
  publish(s);
  EXPECT_EQ(served(20), set{"10.0.5.1"});
  EXPECT_EQ(opened_ever(), 2U);
  EXPECT_EQ(open_now(), 2U);
}

TEST_F(TierPool, Fault50_ARetainedOneServesBeforeAStandby) {
  start_with({"10.0.0.1", "10.0.5.1"});
  net->hang(ep("10.0.0.2"));
  net->hang(ep("10.0.0.3"));
  show({"10.0.0.2", "10.0.0.3", "10.0.5.1"});
  EXPECT_EQ(served(20), set{"10.0.0.1"});
  sim.advance(options.replacement_deadline);
  EXPECT_EQ(served(20), set{"10.0.5.1"});
}

TEST_F(TierPool, Fault43_Fault103_AMissingFamilyIsPassedOverAndSaysNothingOfTheAddress) {
  const std::string v6 = "fe00::1";
  net->fail(ep(v6), make_error_code(boost::system::errc::network_unreachable));
  start();
  const auto a = checkout();
  dns({"10.0.0.1", v6});
  ASSERT_TRUE(a->leased()) << "at once: no stagger after a failure";
  EXPECT_EQ(a->where(), "10.0.0.1");
  EXPECT_EQ(feed->count(endpoint_outcome::connect_refused), 0U);
  EXPECT_EQ(feed->refreshes, 0);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
