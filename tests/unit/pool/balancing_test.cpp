// SPDX-License-Identifier: Apache-2.0
// Policies of choice as callers see them: who waits where, what is opened for whom, and where a
// retry goes. The policies themselves are tested in endpoints/balancer_test.cpp.

#include "pool_world.hpp"

#include <algorithm>
#include <cstdint>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Balancing : PoolWorld {
  checkout_options with(endpoint_key key, std::vector<tried_endpoint> tried = {}) const {
    checkout_options o(sim.now() + 5s);
    o.key = key;
    o.tried = std::move(tried);
    return o;
  }
  scripted_lease take_by(endpoint_key key, std::vector<tried_endpoint> tried = {}) {
    auto w = checkout(with(key, std::move(tried)));
    sim.settle();
    EXPECT_TRUE(w->leased()) << w->error.message();
    return std::move(w->lease);
  }
  std::string home(endpoint_key key) { return name(take_by(key)); }
  static std::string name(const scripted_lease& l) { return l.where().addr.to_string(); }
  /// Leases of each, one call at a time.
  std::map<std::string, int> calls(int n) {
    std::map<std::string, int> seen;
    for (int i = 0; i < n; ++i) ++seen[name(take())];
    return seen;
  }
  const std::vector<std::string> three{"10.0.0.1", "10.0.0.2", "10.0.0.3"};
};

struct InTurn : Balancing {
  InTurn() { options.balance = balancing::round_robin; }
};

TEST_F(InTurn, OneCallAtATimeIsEven) {
  start(three);
  sim.advance(1s);
  for (const auto& [where, n] : calls(301)) EXPECT_NEAR(n, 100.5, 0.5) << where;
  EXPECT_EQ(opened_ever(), 3U);
}

TEST_F(InTurn, LeasesHeldAtOnceAreEvenAndSoAreConnects) {
  start(three);
  sim.advance(1s);
  auto held = take(30);
  for (const auto& where : three) EXPECT_EQ(net->counts(ep(where)).open, 10U) << where;
  held.clear();
  sim.settle();
  for (const auto& [where, n] : calls(30)) EXPECT_EQ(n, 10) << where;
}

TEST_F(InTurn, WaitersAtOnceAreSpreadToo) {
  start(three);
  sim.advance(1s);
  auto held = take(3);
  std::vector<wait> many;
  for (int i = 0; i < 27; ++i) many.push_back(checkout());
  sim.settle();
  for (const auto& where : three) EXPECT_EQ(net->counts(ep(where)).open, 10U) << where;
}

TEST_F(InTurn, DepartedOnesHaveNoTurnAndNewcomersHave) {
  start(three);
  sim.advance(1s);
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.4"});
  sim.advance(1s);
  const auto seen = calls(300);
  EXPECT_EQ(seen.count("10.0.0.3"), 0U);
  for (const auto& [where, n] : seen) EXPECT_EQ(n, 100) << where;
}

TEST_F(InTurn, OneThatRefusesLosesItsTurnsAndGetsThemBack) {
  start(three);
  sim.advance(20ms);
  net->refuse(ep("10.0.0.2"));
  net->hang_up(ep("10.0.0.2"));
  sim.advance(20ms);
  EXPECT_EQ(calls(100).count("10.0.0.2"), 0U);
  net->accept(ep("10.0.0.2"));
  sim.advance(2s);  // the longest pause of an active endpoint is one
  (void)calls(10);  // one of them asks for the connection
  sim.settle();
  for (const auto& [where, n] : calls(300)) EXPECT_EQ(n, 100) << where;
}

TEST_F(InTurn, ARetryGoesToOneNotTried) {
  start(three);
  sim.advance(1s);
  for (int i = 0; i < 30; ++i) {
    const auto first = take();
    const auto second = take_by({}, {{first.endpoint_id(), sim.now()}});
    EXPECT_NE(first.where(), second.where());
  }
}

struct Keyed : Balancing {
  Keyed() { options.balance = balancing::consistent_hash; }
};

TEST_F(Keyed, TheSameEndpointForTheSameKey) {
  start(three);
  sim.advance(1s);
  std::set<std::string> all;
  for (int k = 0; k < 40; ++k) {
    const auto first = home(k);
    all.insert(first);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(home(k), first) << k;
  }
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(opened_ever(), 3U);
}

TEST_F(Keyed, TryCheckoutKnowsTheKeyAndDoesNotGoElsewhere) {
  start(three);
  sim.advance(1s);
  auto first = pool->try_checkout(with("a"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(pool->try_checkout(with("a")).error(), errc::no_idle_connection);
  EXPECT_EQ(pool->gauges().idle, 2U);
}

TEST_F(Keyed, WithoutAnIdleConnectionOneIsOpenedThere) {
  start(three);
  sim.advance(1s);
  const auto first = take_by("a");
  net->accept(first.where(), 100ms);
  const auto w = checkout(with("a"));
  sim.advance(99ms);
  EXPECT_TRUE(w->pending());  // beside two idle ones of others
  EXPECT_EQ(pool->gauges().idle, 2U);
  sim.advance(1ms);
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->lease.where(), first.where());
}

TEST_F(Keyed, WaitersForOneEndpointDoNotHoldUpOthers) {
  options.max_connections = 1;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  int a = 0;
  int b = 0;
  while (home(a) != "10.0.0.1") ++a;
  while (home(b) != "10.0.0.2") ++b;
  auto at_a = take_by(a);
  auto at_b = take_by(b);
  const auto for_b = checkout(with(b));  // both are full, so whatever frees first
  sim.settle();
  EXPECT_TRUE(for_b->pending());
  at_a = {};
  sim.settle();
  EXPECT_TRUE(for_b->leased());
  EXPECT_EQ(for_b->where(), "10.0.0.1");
}

TEST_F(Keyed, AFullEndpointsCallsGoToTheKeysNextOne) {
  options.max_connections = 2;
  start(three);
  sim.advance(1s);
  const auto first = take_by("a");
  const auto second = take_by("a");
  EXPECT_EQ(first.where(), second.where());
  const auto third = take_by("a");
  EXPECT_NE(third.where(), first.where());
  // Where a retry would go.
  const auto retry = take_by("a", {{first.endpoint_id(), sim.now()}});
  EXPECT_EQ(third.where(), retry.where());
}

TEST_F(Keyed, ARetryGoesThroughTheKeysOrder) {
  start(three);
  sim.advance(1s);
  std::vector<tried_endpoint> tried;
  std::set<std::string> seen;
  for (int i = 0; i < 3; ++i) {
    const auto l = take_by(5, tried);
    seen.insert(name(l));
    tried.push_back({l.endpoint_id(), sim.now()});
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(home(5), name(take_by(5)));
}

TEST_F(Keyed, WhileAnEndpointIsDownItsKeysAreElsewhereThenTheyComeBack) {
  start(three);
  sim.advance(20ms);
  const auto where = home(9);
  net->refuse(ep(where));
  net->hang_up(ep(where));
  sim.advance(20ms);
  const auto first = checkout(with(9));  // it asks there, is refused, and goes on
  sim.settle();
  ASSERT_TRUE(first->leased());
  EXPECT_NE(first->where(), where);
  const auto other = first->where();
  first->lease = {};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(home(9), other);
    sim.advance(100ms);
  }
  net->accept(ep(where));
  sim.advance(2s);
  (void)home(9);  // asks for a connection for later callers
  sim.settle();
  EXPECT_EQ(home(9), where);
}

TEST_F(Keyed, ASilentEndpointHoldsItsKeysFor250Ms) {
  start(three);
  sim.advance(1s);
  const auto held = take_by(3);
  net->hang(held.where());
  const auto w = checkout(with(3));
  sim.advance(249ms);
  EXPECT_TRUE(w->pending());
  sim.advance(2ms);
  ASSERT_TRUE(w->leased());
  EXPECT_NE(w->lease.where(), held.where());
}

TEST_F(Keyed, OnlyADepartedEndpointsKeysMove) {
  start(three);
  sim.advance(1s);
  std::vector<std::string> before;
  for (int k = 0; k < 60; ++k) before.push_back(home(k));
  dns({"10.0.0.1", "10.0.0.3"});
  sim.advance(1s);
  for (int k = 0; k < 60; ++k) {
    const auto& old = before[static_cast<std::size_t>(k)];
    EXPECT_EQ(home(k) == old, old != "10.0.0.2") << k;
  }
}

TEST_F(Keyed, AtTheTotalLimitAnIdleOneElsewhereMakesRoom) {
  options.max_connections = 3;
  options.max_total_connections = 3;
  start(three);
  sim.advance(1s);
  const auto first = take_by(1);
  const auto second = take_by(1);
  EXPECT_EQ(first.where(), second.where());
  EXPECT_EQ(open_now(), 3U);
}

/// Always the one with the highest address that it sees.
struct highest final : endpoint_chooser {
  std::size_t choose(const choice_request& r) noexcept override {
    if (r.key) return none;
    const auto among = r.among;
    const auto it = std::max_element(among.begin(), among.end(), [](const auto& a, const auto& b) {
      return *a.where < *b.where;
    });
    return static_cast<std::size_t>(it - among.begin());
  }
};

struct OwnPolicy : Balancing {
  OwnPolicy() { options.chooser = std::make_shared<highest>(); }
};

TEST_F(OwnPolicy, DecidesWhereCallsGoAndWhatIsOpened) {
  options.max_connections = 2;
  start(three);
  sim.advance(1s);
  const auto held = take(5);
  EXPECT_EQ(name(held[0]), "10.0.0.3");
  EXPECT_EQ(name(held[1]), "10.0.0.3");
  EXPECT_EQ(name(held[2]), "10.0.0.2");
  EXPECT_EQ(name(held[4]), "10.0.0.1");
}

TEST_F(OwnPolicy, AWaiterKeepsItsPlaceUntilItIsServedThere) {
  start(three);
  sim.advance(1s);
  const auto held = take();
  net->accept(ep("10.0.0.3"), 100ms);
  const auto w = checkout();
  sim.advance(50ms);
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"});  // it would be the choice now
  sim.advance(20ms);
  EXPECT_TRUE(w->pending());
  sim.advance(30ms);
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.0.3");
  EXPECT_EQ(name(take()), "10.0.0.4");
}

TEST_F(OwnPolicy, NoneLeavesACallToTheDefault) {
  start(three);
  sim.advance(1s);
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) seen.insert(home("any"));
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(OwnPolicy, ASlowStartDoesNotOverruleIt) {
  options.health.slow_start = 10s;
  options.idle_timeout = 0s;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20s);
  dns(three);
  for (int i = 0; i < 30; ++i) {
    auto found = pool->try_checkout();
    ASSERT_TRUE(found);
    EXPECT_EQ(name(*found), "10.0.0.3");
  }
}

TEST_F(OwnPolicy, ADepartedOneIsNotOffered) {
  start(three);
  sim.advance(1s);
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  EXPECT_EQ(name(take()), "10.0.0.2");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
