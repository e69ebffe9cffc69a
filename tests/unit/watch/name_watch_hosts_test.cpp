// SPDX-License-Identifier: Apache-2.0

// Lines of the hosts file: they replace DNS in both families, and hand over to it when they go.

#include "watch/name_watch.hpp"
#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::other;
using testing::records;
using ::testing::SizeIs;
using testing::v4;
using testing::v4s;
using testing::v6;
using testing::watch_world;
using namespace std::chrono_literals;

class NameWatchHosts : public ::testing::Test {
 protected:
  answer zone(record_type type) const { return type == record_type::a ? a_ : aaaa_; }
  watch_world world(bool ipv6 = false) { return world_with(watch_world::seeded(ipv6)); }
  watch_world world_with(const watch_options& o) {
    return watch_world([this](record_type t, time_point) { return zone(t); }, o);
  }
  static std::uint64_t life(const watch_world& w, const address& a) {
    const auto* const e = w.entry(a);
    return e != nullptr ? e->life : 0;
  }
  void dns_is(answer_outcome outcome) {
    a_ = other(outcome, record_type::a, 5s);
    aaaa_ = other(outcome, record_type::aaaa, 5s);
  }

  answer a_ = records(v4s({1}), 5s);
  answer aaaa_ = other(answer_outcome::no_data, record_type::aaaa, 5s);
};

TEST_F(NameWatchHosts, LinesReplaceDnsInBothFamilies) {
  aaaa_ = records({v6(1)}, 5s);
  auto w = world(true);
  w.run_for(1s);
  ASSERT_THAT(w.addresses(), ElementsAre(v4(1), v6(1)));
  w.hosts(v4s({9}));
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9)));
  EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 1);
  EXPECT_EQ(w.count(v6(1), endpoint_change::departed), 1);
  EXPECT_EQ(w.current()->state, freshness::fresh);
  EXPECT_EQ(w.current()->fresh_until, time_point::max());
}

TEST_F(NameWatchHosts, NothingIsAskedWhileTheyRule) {
  auto w = world();
  w.run_for(1s);
  w.hosts(v4s({9}));
  const auto asked = w.questions.size();
  EXPECT_EQ(w.wake(), time_point::max());
  w.refresh();
  w.report(v4(9), endpoint_outcome::connect_refused);
  w.suspended();
  w.run_for(1h);
  EXPECT_EQ(w.questions.size(), asked);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9)));
  EXPECT_EQ(w.current()->state, freshness::fresh);
}

TEST_F(NameWatchHosts, AnAnswerStillOnItsWayChangesNothing) {
  auto w = world();  // has asked
  w.hosts(v4s({9}));
  w.run_for(1s);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9)));
  EXPECT_THAT(w.published, SizeIs(1));
}

TEST_F(NameWatchHosts, ColdStartPublishesThemAtOnce) {
  auto w = world(true);
  w.hosts({v6(9), v4(9)});
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9), v6(9)));
}

TEST_F(NameWatchHosts, LinesOfAFamilyThatIsOffDoNotCount) {
  auto w = world();
  w.run_for(1s);
  w.hosts({v6(9)});
  EXPECT_THAT(w.addresses(), ElementsAre(v4(1))) << "as if there were none";
  w.hosts({v4(9), v6(9)});
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9)));
}

TEST_F(NameWatchHosts, ChangedLinesCountAtOnce) {
  auto w = world();
  w.hosts(v4s({8, 9}));
  const auto kept = life(w, v4(9));
  w.hosts(v4s({9, 10}));
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9), v4(10)));
  EXPECT_EQ(w.count(v4(8), endpoint_change::departed), 1);
  EXPECT_EQ(w.count(v4(10), endpoint_change::added), 1);
  EXPECT_EQ(life(w, v4(9)), kept);
}

TEST_F(NameWatchHosts, RemovedLinesAskDnsAtOnceAndServeUntilItAnswers) {
  auto w = world();
  w.hosts(v4s({1, 9}));
  w.run_for(60s);
  const auto life_of_1 = life(w, v4(1));
  const auto asked = w.questions.size();
  w.latency = 500ms;
  w.hosts({});
  EXPECT_EQ(w.questions.size(), asked + 1);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(1), v4(9)));
  w.run_for(600ms);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(1)));
  EXPECT_EQ(life(w, v4(1)), life_of_1);
  EXPECT_EQ(w.current()->state, freshness::fresh);
}

TEST_F(NameWatchHosts, HandingOverWaitsALittleForTheOtherFamily) {
  aaaa_ = records({v6(9)}, 5s);
  auto w = world(true);
  w.hosts({v4(1), v6(9)});
  w.run_for(60s);
  const auto life_of_9 = life(w, v6(9));
  w.hosts({});  // both questions are answered, one after the other
  w.run_for(1s);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(1), v6(9)));
  EXPECT_EQ(life(w, v6(9)), life_of_9);
  EXPECT_EQ(w.count(v6(9), endpoint_change::departed), 0);
}

TEST_F(NameWatchHosts, HandingOverWaitsFiftyMillisecondsForTheOtherFamily) {
  watch_options o = watch_world::seeded(true);
  name_watch w{"n.test", o, 7};
  auto step = w.on_time(at(0s));
  step = w.on_hosts({v4(9), v6(9)}, at(0s));
  ASSERT_TRUE(step.publish);
  step = w.on_answer(records({v4(1)}), at(1ms));  // both asked for before the lines came
  step = w.on_answer(records({v6(1)}), at(1ms));
  step = w.on_hosts({}, at(1s));
  ASSERT_THAT(step.ask, SizeIs(2));
  step = w.on_answer(records({v4(1)}), at(2s));
  EXPECT_THAT(w.current()->endpoints, SizeIs(2));
  EXPECT_EQ(step.wake, at(2050ms));
  step = w.on_time(at(2050ms));
  EXPECT_THAT(w.current()->endpoints, SizeIs(1));
  EXPECT_EQ(w.current()->endpoints[0].where.addr, v4(1));
}

TEST_F(NameWatchHosts, RemovedWhileDnsFailsTheyServeAndAreNeverDoubted) {
  dns_is(answer_outcome::timeout);
  auto w = world();
  w.hosts(v4s({9}));
  w.hosts({});
  w.run_for(2h);
  ASSERT_NE(w.entry(v4(9)), nullptr);
  EXPECT_FALSE(w.entry(v4(9))->doubted);
  EXPECT_EQ(w.current()->error, errc::dns_timeout);
}

TEST_F(NameWatchHosts, WhatDnsDeniedBeforeTheLinesCameDoesNotCountAgainstThem) {
  dns_is(answer_outcome::name_not_found);
  auto w = world(true);
  w.run_for(1s);
  w.hosts(v4s({9}));
  w.run_for(1h);
  dns_is(answer_outcome::timeout);
  w.hosts({});
  w.run_for(2h);
  ASSERT_NE(w.entry(v4(9)), nullptr);
  EXPECT_FALSE(w.entry(v4(9))->doubted);
}

TEST_F(NameWatchHosts, Fault39_RemovedAndDeniedByDnsKeptThenDoubtedThenGone) {
  for (const auto outcome : {answer_outcome::name_not_found, answer_outcome::no_data}) {
    dns_is(outcome);
    auto w = world(true);
    w.hosts(v4s({9}));
    w.run_to(at(100s));
    w.hosts({});
    w.run_to(at(129s));
    ASSERT_NE(w.entry(v4(9)), nullptr);
    EXPECT_FALSE(w.entry(v4(9))->doubted);
    EXPECT_EQ(w.current()->state, freshness::stale);
    w.run_to(at(131s));
    EXPECT_TRUE(w.entry(v4(9))->doubted);
    EXPECT_EQ(w.entry(v4(9))->presence, presence::absent);
    const auto explained = w.explained().endpoints;
    ASSERT_THAT(explained, SizeIs(1));
    EXPECT_TRUE(explained[0].doubted);
    EXPECT_EQ(explained[0].presence, presence::absent);
    w.run_to(at(99s + 1h));
    EXPECT_NE(w.entry(v4(9)), nullptr);
    w.run_to(at(101s + 1h));
    EXPECT_THAT(w.addresses(), IsEmpty());
    EXPECT_EQ(w.current()->error, errc::name_gone);
    EXPECT_TRUE(w.current()->definite);
  }
}

TEST_F(NameWatchHosts, OneMistakenDenialBeforeAnOutageNeitherDoubtsNorDrainsThem) {
  dns_is(answer_outcome::name_not_found);
  auto w = world();
  w.hosts(v4s({9}));
  w.hosts({});
  w.run_for(1s);
  dns_is(answer_outcome::timeout);
  w.run_for(2h);
  ASSERT_NE(w.entry(v4(9)), nullptr);
  EXPECT_FALSE(w.entry(v4(9))->doubted);
}

TEST_F(NameWatchHosts, DoubtStaysThroughAnOutageAndEndsWithAnAnswer) {
  dns_is(answer_outcome::name_not_found);
  auto w = world();
  w.hosts(v4s({1}));
  w.hosts({});
  w.run_for(60s);
  ASSERT_TRUE(w.entry(v4(1))->doubted);
  dns_is(answer_outcome::timeout);
  w.run_for(60s);
  EXPECT_TRUE(w.entry(v4(1))->doubted);
  a_ = records(v4s({1}), 5s);
  w.run_for(15s);
  EXPECT_FALSE(w.entry(v4(1))->doubted);
  EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 0);
}

TEST_F(NameWatchHosts, WithoutAStaleLimitTheyAreNeverGone) {
  dns_is(answer_outcome::name_not_found);
  watch_options o = watch_world::seeded();
  o.stale_limit = longest_duration;
  name_watch w{"n.test", o, 7};
  watch_step step = w.on_hosts(v4s({9}), at(0s));
  step = w.on_hosts({}, at(0s));
  step = w.on_answer(zone(record_type::a), at(1s));
  const time_point years_later = after(at(0s), longest_duration) + 1h;
  step = w.on_time(years_later);
  step = w.on_answer(zone(record_type::a), years_later);
  EXPECT_THAT(w.current()->endpoints, SizeIs(1));
}

TEST_F(NameWatchHosts, LinesThatComeBackEndTheDoubtInTheSameLife) {
  dns_is(answer_outcome::name_not_found);
  auto w = world();
  w.hosts(v4s({9}));
  const auto before = life(w, v4(9));
  w.hosts({});
  w.run_for(60s);
  ASSERT_TRUE(w.entry(v4(9))->doubted);
  w.hosts(v4s({9}));
  EXPECT_FALSE(w.entry(v4(9))->doubted);
  EXPECT_EQ(life(w, v4(9)), before);
  EXPECT_EQ(w.current()->state, freshness::fresh);
  EXPECT_FALSE(w.current()->error);
  const auto asked = w.questions.size();
  w.run_for(1h);
  EXPECT_EQ(w.questions.size(), asked);
}

TEST_F(NameWatchHosts, OldDnsDataIsNeverRevived) {
  auto w = world();
  w.run_for(1s);
  w.hosts(v4s({9}));
  w.run_for(1h);
  dns_is(answer_outcome::timeout);
  w.hosts({});
  w.run_for(10min);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(9)));
  a_ = records(v4s({2}), 5s);
  w.run_for(11s);
  EXPECT_THAT(w.addresses(), ElementsAre(v4(2)));
  EXPECT_EQ(w.count(v4(1), endpoint_change::added), 1) << "only at the start";
}

TEST_F(NameWatchHosts, PausedNothingIsAskedAndResumedItIs) {
  watch_options o = watch_world::seeded();
  name_watch w{"n.test", o, 7};
  w.pause();
  watch_step step = w.on_hosts(v4s({9}), at(0s));
  step = w.on_hosts({}, at(1s));
  EXPECT_THAT(step.ask, IsEmpty());
  EXPECT_GT(step.wake, at(1s));
  step = w.resume(at(2s));
  EXPECT_THAT(step.ask, ElementsAre(record_type::a));
}

TEST_F(NameWatchHosts, ExplainNamesThem) {
  auto w = world();
  w.run_for(1s);
  w.hosts(v4s({9}));
  const explanation e = w.explained();
  ASSERT_THAT(e.sets, SizeIs(1));
  EXPECT_EQ(e.sets[0].origin, endpoint_origin::hosts);
  ASSERT_THAT(e.endpoints, SizeIs(1));
  EXPECT_EQ(e.endpoints[0].why, "in the hosts file");
  dns_is(answer_outcome::timeout);
  w.hosts({});
  w.run_for(1s);
  const explanation gone = w.explained();
  ASSERT_THAT(gone.sets, SizeIs(2));
  EXPECT_EQ(gone.sets[0].state, freshness::stale);
  ASSERT_THAT(gone.endpoints, SizeIs(1));
  EXPECT_THAT(gone.endpoints[0].why, HasSubstr("was in the hosts file"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
