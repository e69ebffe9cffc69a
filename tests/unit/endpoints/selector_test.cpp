// SPDX-License-Identifier: Apache-2.0
// Whose connection is lent next.

#include "endpoints/selector.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

namespace redial::inline REDIAL_ABI::detail {
namespace {

struct Selector : ::testing::Test {
  endpoint_entry& make(std::uint32_t idle, std::uint32_t leases) {
    endpoint_entry& e = entries.emplace_back();
    e.id = entries.size();
    e.idle = idle;
    e.leases = leases;
    choice.admit(e);
    return e;
  }
  std::map<std::uint64_t, int> picks(int times) {
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < times; ++i) ++seen[choice.pick_idle()->id];
    return seen;
  }
  std::deque<endpoint_entry> entries;
  selector choice{42};
};

TEST_F(Selector, NothingIdleIsNoChoice) {
  EXPECT_EQ(choice.pick_idle(), nullptr);
  make(0, 0);
  EXPECT_EQ(choice.pick_idle(), nullptr);
}

TEST_F(Selector, OfTwoTheOneWithAnIdleConnectionThenFewerLeases) {
  auto& busy = make(1, 5);
  auto& empty = make(0, 0);
  EXPECT_EQ(picks(50), (std::map<std::uint64_t, int>{{busy.id, 50}}));
  empty.idle = 1;
  choice.gained_idle(empty);
  EXPECT_EQ(picks(50), (std::map<std::uint64_t, int>{{empty.id, 50}}));
}

TEST_F(Selector, AnIdleConnectionAnywhereIsUsedRatherThanNone) {
  for (int i = 0; i < 99; ++i) make(0, 0);
  auto& only = make(1, 9);
  EXPECT_EQ(picks(200), (std::map<std::uint64_t, int>{{only.id, 200}}));
}

TEST_F(Selector, TheLighterOneOfTwoStarvesFromTwoLeasesLessOn) {
  make(1, 3);
  auto& lighter = make(0, 2);
  lighter.connections = 2;
  const auto starved = [&] {
    EXPECT_NE(choice.pick_idle(), nullptr);
    return choice.take_starved();
  };
  EXPECT_EQ(starved(), nullptr);  // one less is chance
  lighter.leases = 1;
  EXPECT_EQ(starved(), &lighter);
  lighter.opening = 1;
  EXPECT_EQ(starved(), nullptr);  // it gets one already
  lighter.leases = 2;
  lighter.opening = lighter.connections = 0;
  EXPECT_EQ(starved(), &lighter);  // without any it would never be looked at
}

TEST_F(Selector, EqualsShareEvenly) {
  for (int i = 0; i < 4; ++i) make(3, 1);
  for (const auto& [id, times] : picks(4000)) {
    EXPECT_GT(times, 800) << id;
    EXPECT_LT(times, 1200) << id;
  }
}

TEST_F(Selector, PlacesStayRightThroughRemovals) {
  for (int i = 0; i < 20; ++i) make(i % 2 == 0 ? 1U : 0U, 0);
  std::set<std::uint64_t> left;
  for (auto& e : entries) {
    if (e.id % 3 == 0) {
      choice.remove(e);
    } else if (e.idle != 0) {
      left.insert(e.id);
    }
  }
  for (const auto& [id, times] : picks(500)) EXPECT_TRUE(left.contains(id)) << id;
  for (auto& e : entries) {
    if (!e.is_usable()) continue;
    if (e.idle != 0) {
      e.idle = 0;
    }
    choice.remove(e);
  }
  EXPECT_TRUE(choice.usable().empty());
  EXPECT_FALSE(choice.has_idle());
}

TEST_F(Selector, WhoComesAndGoesIsKnownToTheNextChoice) {
  for (int i = 0; i < 20; ++i) make(1, 0);
  while (entries.size() < 60) {
    EXPECT_NE(choice.pick_idle(), nullptr);
    make(1, 0);
    endpoint_entry& gone = *choice.usable()[entries.size() % choice.usable().size()];
    choice.remove(gone);  // still with something idle, so that only its absence tells
    for (int i = 0; i < 3; ++i) EXPECT_NE(choice.pick_idle(), &gone);
  }
  while (!choice.usable().empty()) choice.remove(*choice.usable().front());
  EXPECT_EQ(choice.pick_idle(), nullptr);
  auto& only = make(1, 0);
  EXPECT_EQ(choice.pick_idle(), &only);
}

TEST_F(Selector, TheOnlyOneWithoutAnythingIdleIsNotStarved) {
  make(0, 0);
  EXPECT_EQ(choice.pick_idle(), nullptr);
  EXPECT_FALSE(choice.is_starving());
}

TEST_F(Selector, ConditionsAreMetWheneverSomebodyMeetsThem) {
  for (int i = 0; i < 50; ++i) make(1, 0);
  for (int i = 0; i < 100; ++i) {
    const auto* e = choice.pick_idle([](const endpoint_entry& c) { return c.id == 17; });
    ASSERT_NE(e, nullptr);
    EXPECT_EQ(e->id, 17U);
  }
  EXPECT_EQ(choice.pick([](const endpoint_entry&) { return false; }), nullptr);
}

TEST_F(Selector, AStarvedOneThatLeavesIsForgotten) {
  for (const bool leaves : {true, false}) {
    auto& busy = make(1, 5);
    auto& empty = make(0, 0);
    EXPECT_EQ(choice.pick_idle(), &busy);
    EXPECT_TRUE(choice.is_starving());
    leaves ? choice.remove(empty) : choice.change(empty, 1, 0);
    EXPECT_EQ(choice.take_starved(), nullptr);
    choice.remove(busy);
  }
}

TEST_F(Selector, OneThatIsDownWhenAdmittedServesOnlyIfNobodyElseCan) {
  auto& down = entries.emplace_back();
  down.failures = 1;
  choice.admit(down);
  EXPECT_TRUE(down.is_serving());
  auto& standby = entries.emplace_back();
  standby.priority = 1;
  choice.admit(standby);
  EXPECT_FALSE(down.is_serving());
  EXPECT_TRUE(standby.is_serving());
}

TEST_F(Selector, ConnectsGoToTheLessLoaded) {
  auto& a = make(0, 3);
  auto& b = make(0, 1);
  b.opening = 1;
  const auto any = [](const endpoint_entry&) { return true; };
  EXPECT_EQ(choice.pick(any), &b);
  b.opening = 3;
  EXPECT_EQ(choice.pick(any), &a);
}

TEST(FastRandom, TwoBelowAreDifferentAndInRange) {
  fast_random random(1);
  for (std::uint32_t n = 2; n < 10; ++n) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (int i = 0; i < 3000; ++i) {
      const auto two = random.two_below(n);
      ASSERT_NE(two.first, two.second);
      ASSERT_LT(two.first, n);
      ASSERT_LT(two.second, n);
      seen.insert({two.first, two.second});
    }
    EXPECT_EQ(seen.size(), n * (n - 1)) << n;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
