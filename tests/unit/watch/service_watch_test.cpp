// SPDX-License-Identifier: Apache-2.0

#include "watch/service_watch.hpp"

#include "service_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::addresses_of;
using testing::at;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::service_world;
using testing::services;
using ::testing::SizeIs;
using testing::srv;
using ::testing::UnorderedElementsAre;
using testing::v4;
using testing::v4s;
using testing::watch_world;
using namespace std::chrono_literals;

// 10.0.0.1 is a.test, 10.0.0.2 is b.test.
class ServiceWatch : public ::testing::Test {
 protected:
  ServiceWatch() {
    world_.hosts["a.test"] = addresses_of(v4s({1}));
    world_.hosts["b.test"] = addresses_of(v4s({2}));
  }
  service_world world_;
};

TEST_F(ServiceWatch, TargetsAreFollowedAndTheirAddressesServe) {
  world_.say({srv("a.test", 80), srv("b.test", 81)});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.followed, UnorderedElementsAre("a.test", "b.test"));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.2:81 (b.test)"));
  EXPECT_EQ(world_.current()->name, "_s._tcp.test");
  EXPECT_EQ(world_.current()->state, freshness::fresh);
  EXPECT_FALSE(world_.current()->error);
  EXPECT_THAT(world_.published, SizeIs(1)) << "the first one waits for both";
}

TEST_F(ServiceWatch, PrioritiesAndWeightsChangeWithoutANewLife) {
  world_.say({srv("a.test", 80, 1, 10)}, 5s);
  world_.start();
  world_.run_for(1s);
  const snapshot_entry before = *world_.entry("10.0.0.1:80 (a.test)");
  EXPECT_EQ(before.where.priority, 1);
  EXPECT_EQ(before.where.weight, 10);
  world_.say({srv("a.test", 80, 2, 20)}, 5s);
  world_.run_for(6s);
  const snapshot_entry after = *world_.entry("10.0.0.1:80 (a.test)");
  EXPECT_EQ(after.where.priority, 2);
  EXPECT_EQ(after.where.weight, 20);
  EXPECT_EQ(after.life, before.life);
  EXPECT_THAT(world_.published, SizeIs(2));
}

TEST_F(ServiceWatch, PortsOfOneTargetAreEndpointsOfTheirOwn) {
  world_.say({srv("a.test", 80, 0, 1), srv("a.test", 81, 0, 2)});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.1:81 (a.test)"));
  EXPECT_EQ(world_.entry("10.0.0.1:81 (a.test)")->where.weight, 2);
  EXPECT_THAT(world_.followed, SizeIs(1));
}

TEST_F(ServiceWatch, TargetsThatShareAddressAndPortAreEndpointsOfTheirOwn) {
  world_.hosts["b.test"] = addresses_of(v4s({1}));
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.1:80 (b.test)"));
}

TEST_F(ServiceWatch, Fault57_OneAddressOfOneTargetChangesOnlyThat) {
  world_.hosts["b.test"] = addresses_of(v4s({2, 3}));
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  const auto life_of_a = world_.entry("10.0.0.1:80 (a.test)")->life;
  const auto life_of_2 = world_.entry("10.0.0.2:80 (b.test)")->life;
  world_.target_has("b.test", v4s({2, 4}));
  EXPECT_THAT(world_.shown(),
              ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.2:80 (b.test)", "10.0.0.4:80 (b.test)"));
  EXPECT_EQ(world_.entry("10.0.0.1:80 (a.test)")->life, life_of_a);
  EXPECT_EQ(world_.entry("10.0.0.2:80 (b.test)")->life, life_of_2);
  EXPECT_THAT(world_.published, SizeIs(2));
}

TEST_F(ServiceWatch, Fault56_TwoHundredTargetsAreLookedUpSixteenAtATime) {
  std::vector<srv_record> list;
  for (unsigned n = 0; n < 200; ++n) {
    const std::string target = "t" + std::to_string(n) + ".test";
    list.push_back(srv(target));
    world_.hosts[target] = addresses_of(v4s({n + 1}));
  }
  world_.host_latency = 20ms;
  world_.say(list);
  world_.start();
  world_.run_for(1s);
  EXPECT_EQ(world_.most_waiting, 16U);
  EXPECT_THAT(world_.followed, SizeIs(200));
  EXPECT_THAT(world_.shown(), SizeIs(200));
  EXPECT_EQ(world_.left_out, 0U);
}

TEST_F(ServiceWatch, Fault56_TargetsWithoutAnAnswerDoNotStandInTheWayOfOthers) {
  std::vector<srv_record> list;
  for (unsigned n = 0; n < 40; ++n) {
    const std::string target = "t" + std::to_string(n + 100) + ".test";
    list.push_back(srv(target));
    world_.hosts[target] = n < 30 ? testing::never_answered() : addresses_of(v4s({n + 1}));
  }
  world_.say(list);
  world_.start();
  world_.run_for(2s);
  EXPECT_THAT(world_.followed, SizeIs(40));
  EXPECT_THAT(world_.shown(), SizeIs(10));
}

TEST(ServiceWatchLimits, Fault56_OverTheLimitTargetsAreLeftOutAndCounted) {
  watch_options o = watch_world::seeded();
  o.max_srv_targets = 2;
  service_world world{o};
  for (const char* t : {"a.test", "b.test", "c.test", "d.test"}) {
    world.hosts[t] = addresses_of(v4s({static_cast<unsigned>(t[0])}));
  }
  world.say({srv("a.test", 80), srv("a.test", 81), srv("b.test"), srv("c.test"), srv("d.test")});
  world.start();
  world.run_for(1s);
  EXPECT_THAT(world.followed, UnorderedElementsAre("a.test", "b.test"));
  EXPECT_THAT(world.shown(), SizeIs(3));
  EXPECT_EQ(world.left_out, 2U);
}

TEST(ServiceWatchLimits, Fault36_MaxEndpointsHoldsOverAllTargets) {
  watch_options o = watch_world::seeded();
  o.max_endpoints = 3;
  service_world world{o};
  world.hosts["a.test"] = addresses_of(v4s({3, 4}));
  world.hosts["b.test"] = addresses_of(v4s({5, 6}));
  world.say({srv("a.test"), srv("b.test")});
  world.start();
  world.run_for(1s);
  ASSERT_THAT(world.shown(), SizeIs(3));
  EXPECT_GT(world.left_out, 0U);
  const auto before = world.shown();
  world.target_has("b.test", v4s({1, 5, 6}));
  EXPECT_EQ(world.shown(), before) << "a new one takes nobody's place";
}

TEST_F(ServiceWatch, AReplacedSetNeverShowsLessWhileTheNewAddressesAreOnTheirWay) {
  world_.say({srv("a.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.host_latency = 700ms;
  world_.say({srv("b.test")}, 5s);
  world_.run_for(7s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.2:80 (b.test)"));
  for (const auto& s : world_.published) EXPECT_THAT(s->endpoints, SizeIs(1));
  EXPECT_THAT(world_.published, SizeIs(2));
  EXPECT_THAT(world_.followed, ElementsAre("b.test"));
}

TEST_F(ServiceWatch, AWholeSetThatIsReplacedWaitsForAslongAsNothingElseServes) {
  world_.say({srv("a.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.say({srv("slow.test")}, 5s);  // says nothing
  world_.run_for(30s);
  ASSERT_THAT(world_.current()->endpoints, SizeIs(1));
  EXPECT_EQ(world_.current()->endpoints[0].where.srv_target, "a.test");
  world_.target_has("slow.test", v4s({9}));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.9:80 (slow.test)"));
}

TEST_F(ServiceWatch, ASlowNewTargetIsWaitedForOneSecondWhenOthersServe) {
  world_.say({srv("a.test"), srv("b.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.say({srv("a.test"), srv("slow.test")}, 5s);
  time_point changed{};
  while (world_.published.size() == 1) {
    world_.run_for(10ms);
    if (changed == time_point{} && world_.followed.count("slow.test") != 0) changed = world_.now();
    ASSERT_LT(world_.now(), at(20s));
  }
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  EXPECT_GE(world_.now(), changed + 980ms);
  EXPECT_LE(world_.now(), changed + 1020ms);
}

TEST_F(ServiceWatch, AnUnansweredTargetDoesNotEndTheWaitForLaterOnes) {
  world_.say({srv("a.test"), srv("b.test"), srv("silent.test")}, 5s);
  world_.start();
  world_.run_for(4s);
  ASSERT_THAT(world_.shown(), SizeIs(2));
  world_.hosts["c.test"] = addresses_of(v4s({3}));
  world_.host_latency = 500ms;
  world_.say({srv("a.test"), srv("c.test"), srv("silent.test")}, 5s);
  world_.run_for(10s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.3:80 (c.test)"));
  for (const auto& s : world_.published) EXPECT_THAT(s->endpoints, SizeIs(2));
}

TEST_F(ServiceWatch, AWaitThatGoesOnAndOnDoesNotHoldBackTheNewsForEver) {
  world_.say({srv("a.test"), srv("b.test")}, 1s);
  world_.start();
  world_.run_for(1s);
  for (int n = 0; n < 20; ++n) {  // every answer has another target that says nothing
    world_.say({srv("a.test"), srv("silent" + std::to_string(n) + ".test")}, 1s);
    world_.run_for(500ms);
  }
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
}

TEST_F(ServiceWatch, TheFirstPublicationWaitsFiftyMillisecondsForOtherTargets) {
  world_.say({srv("a.test"), srv("silent.test")});
  world_.start();
  world_.run_for(51ms);
  EXPECT_EQ(world_.current(), nullptr);
  world_.run_for(2ms);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  world_.target_has("silent.test", v4s({9}));
  EXPECT_THAT(world_.shown(), SizeIs(2));
}

TEST_F(ServiceWatch, AfterAFailedStartTheFirstEndpointsWaitNoLongerThanAtAColdStart) {
  world_.start();  // a timeout
  world_.run_for(10ms);
  ASSERT_NE(world_.current(), nullptr);
  world_.say({srv("a.test"), srv("silent.test")});
  world_.run_for(350ms);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
}

TEST_F(ServiceWatch, Fault23_TtlZeroIsAskedOncePerFloor) {
  world_.say({srv("a.test")}, 0s);
  world_.start();
  world_.run_for(20s);
  EXPECT_GE(world_.questions.size(), 17U);
  EXPECT_LE(world_.questions.size(), 21U);
  EXPECT_THAT(world_.published, SizeIs(1));
}

TEST_F(ServiceWatch, FreshnessIsTheWorstOfTheParts) {
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  world_.target_says("b.test", addresses_of(v4s({2}), freshness::stale));
  EXPECT_EQ(world_.current()->state, freshness::stale);
  world_.target_says("b.test", addresses_of(v4s({2}), freshness::expired));
  EXPECT_EQ(world_.current()->state, freshness::expired);
  world_.target_says("b.test", addresses_of(v4s({2}), freshness::fresh));
  EXPECT_EQ(world_.current()->state, freshness::fresh);
}

TEST_F(ServiceWatch, FreshUntilIsTheEarliestOfTheParts) {
  auto a = std::make_shared<snapshot>(*addresses_of(v4s({1})));
  a->fresh_until = at(3s);
  world_.hosts["a.test"] = a;
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_EQ(world_.current()->fresh_until, at(3s));
}

TEST_F(ServiceWatch, AnAddressAbsentFromItsTargetIsAbsentAlthoughTheTargetIsListed) {
  auto a = std::make_shared<snapshot>(*addresses_of(v4s({1, 3})));
  a->rotating = true;
  a->endpoints[1].presence = presence::absent;
  world_.hosts["a.test"] = a;
  world_.say({srv("a.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.3:80 (a.test)!"));
  EXPECT_TRUE(world_.current()->rotating);
  EXPECT_THAT(world_.explained().endpoints.at(1).why, ::testing::HasSubstr("target's own"));
  auto doubted = std::make_shared<snapshot>(*a);
  doubted->endpoints[1].doubted = true;
  world_.target_says("a.test", doubted);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)", "10.0.0.3:80 (a.test)?"));
}

TEST_F(ServiceWatch, ReportsGoToTheTarget) {
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  world_.report(world_.current()->endpoints[1].where, endpoint_outcome::connect_refused, true);
  ASSERT_THAT(world_.reports, SizeIs(1));
  EXPECT_EQ(world_.reports[0].target, "b.test");
  EXPECT_EQ(world_.reports[0].where.addr, v4(2));
  EXPECT_TRUE(world_.reports[0].last_usable);
  EXPECT_THAT(world_.questions, SizeIs(2)) << "and the record set is asked for again";
}

TEST_F(ServiceWatch, PausedItAsksNothingAndResumedItFollowsAgain) {
  world_.say({srv("a.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.pause();
  world_.run_for(100s);
  EXPECT_THAT(world_.questions, SizeIs(1));
  world_.hosts["a.test"] = addresses_of(v4s({7}));
  world_.say({srv("a.test"), srv("b.test")}, 5s);
  world_.resume();
  EXPECT_THAT(world_.followed, ElementsAre("a.test"));
  world_.run_for(1s);
  EXPECT_THAT(world_.followed, UnorderedElementsAre("a.test", "b.test"));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.2:80 (b.test)", "10.0.0.7:80 (a.test)"));
}

TEST_F(ServiceWatch, AnAnswerThatComesWhilePausedIsTakenAndFollowsNothing) {
  world_.say({srv("a.test")}, 5s);
  world_.start();
  world_.pause();
  world_.run_for(1s);
  EXPECT_THAT(world_.followed, IsEmpty());
  world_.resume();
  world_.run_for(100ms);
  EXPECT_THAT(world_.questions, SizeIs(1));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
}

TEST_F(ServiceWatch, Fault59_60_WhatWasNotAskedForIsIgnored) {
  world_.say({srv("a.test")});
  world_.start();
  world_.run_for(1s);
  world_.answer_now(services({srv("b.test")}));
  world_.answer_now(testing::records(v4s({66})));
  world_.late_snapshot("b.test", addresses_of(v4s({66})));
  world_.late_snapshot("a.test", nullptr);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  EXPECT_THAT(world_.published, SizeIs(1));
}

TEST_F(ServiceWatch, ASnapshotThatComesAfterTheTargetLeftIsIgnored) {
  world_.say({srv("a.test"), srv("b.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.say({srv("a.test")}, 5s);
  world_.run_for(6s);
  world_.late_snapshot("b.test", addresses_of(v4s({2})));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  world_.say({srv("a.test"), srv("b.test")}, 5s);
  world_.run_for(6s);
  EXPECT_THAT(world_.shown(), SizeIs(2)) << "and followed anew when it is back";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
