// SPDX-License-Identifier: Apache-2.0

// SRV names that fail, vanish, and show only a sample.

#include "service_world.hpp"
#include "watch/service_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::addresses_of;
using testing::at;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::never_answered;
using testing::no_addresses;
using testing::no_service;
using ::testing::Not;
using testing::nxdomain;
using testing::other;
using testing::service_world;
using testing::services;
using ::testing::SizeIs;
using testing::srv;
using testing::v4s;
using testing::watch_world;
using namespace std::chrono_literals;

const auto srv_fails = [](answer_outcome o) { return other(o, record_type::srv); };

class ServiceWatchFailure : public ::testing::Test {
 protected:
  ServiceWatchFailure() {
    world_.hosts["a.test"] = addresses_of(v4s({1}));
    world_.hosts["b.test"] = addresses_of(v4s({2}));
  }
  void serve_a_and_b() {
    world_.say({srv("a.test"), srv("b.test")}, 5s);
    world_.start();
    world_.run_for(1s);
    ASSERT_THAT(world_.shown(), SizeIs(2));
  }
  service_world world_;
};

TEST_F(ServiceWatchFailure, Fault51_ATargetThatResolvesToNothingIsSkipped) {
  world_.hosts["b.test"] = nxdomain();
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  EXPECT_EQ(world_.current()->state, freshness::fresh);
  EXPECT_FALSE(world_.current()->definite);
}

TEST_F(ServiceWatchFailure, Fault51_NoTargetHasAnAddressIsDefiniteWhenAllOfThemAre) {
  world_.hosts["a.test"] = nxdomain();
  world_.hosts["b.test"] = nxdomain();
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->state, freshness::unresolved);
  EXPECT_EQ(world_.current()->error, errc::name_not_found);
  EXPECT_TRUE(world_.current()->definite);
}

TEST_F(ServiceWatchFailure, Fault51_OneTargetThatOnlyFailedKeepsItOpen) {
  world_.hosts["a.test"] = nxdomain();
  world_.hosts["b.test"] = never_answered();
  world_.say({srv("a.test"), srv("b.test")});
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_TRUE(world_.current()->error);
  EXPECT_FALSE(world_.current()->definite);
  world_.target_has("b.test", v4s({2}));
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.2:80 (b.test)"));
}

TEST_F(ServiceWatchFailure, Fault51_NewTargetsThatCannotBeAskedNeverEmptyTheSet) {
  serve_a_and_b();
  const auto life = world_.current()->endpoints[0].life;
  world_.hosts["c.test"] = never_answered();
  world_.say({srv("c.test")}, 5s);
  world_.run_for(60s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)!", "10.0.0.2:80 (b.test)!"));
  EXPECT_EQ(world_.current()->state, freshness::stale);
  EXPECT_EQ(world_.current()->error, errc::dns_timeout);
  EXPECT_FALSE(world_.current()->definite);
  EXPECT_THAT(world_.explained().endpoints, SizeIs(2));
  for (const auto& e : world_.explained().endpoints) EXPECT_THAT(e.why, HasSubstr("kept"));
  world_.say({srv("a.test"), srv("c.test")}, 5s);
  world_.run_for(10s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  EXPECT_EQ(world_.current()->endpoints[0].life, life);
  EXPECT_EQ(world_.current()->state, freshness::fresh);
}

TEST_F(ServiceWatchFailure, Fault51_WhatIsKeptForNewTargetsExpires) {
  serve_a_and_b();
  world_.hosts["c.test"] = never_answered();
  world_.say({srv("c.test")}, 5s);
  world_.run_for(1h + 30s);
  EXPECT_THAT(world_.shown(), SizeIs(2));
  EXPECT_EQ(world_.current()->state, freshness::expired);
}

// A cache may remember that the record of a new instance was not there a moment ago.
TEST_F(ServiceWatchFailure,
       Fault51_NewTargetsThatDoNotExistAreAnEmptyAnswerKeptThenDoubtedThenGone) {
  serve_a_and_b();
  world_.hosts["c.test"] = nxdomain();
  world_.say({srv("c.test")}, 5s);
  world_.run_for(20s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)!", "10.0.0.2:80 (b.test)!"));
  EXPECT_EQ(world_.current()->state, freshness::stale);
  world_.run_for(30s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)?", "10.0.0.2:80 (b.test)?"));
  world_.run_for(1h);
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->error, errc::name_gone);
  EXPECT_TRUE(world_.current()->definite);
}

TEST_F(ServiceWatchFailure, Fault51_ANewTargetThatAppearsLaterTakesOver) {
  serve_a_and_b();
  world_.hosts["c.test"] = nxdomain();
  world_.say({srv("c.test")}, 5s);
  world_.run_for(50s);
  world_.target_has("c.test", {testing::v4(3)});
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.3:80 (c.test)"));
  EXPECT_EQ(world_.current()->state, freshness::fresh);
}

TEST_F(ServiceWatchFailure, Fault51_TargetsThatHadAddressesHaveHadTheirWait) {
  serve_a_and_b();
  const auto gone = no_addresses(errc::name_gone, true, freshness::expired);
  world_.target_says("a.test", gone);
  world_.target_says("b.test", gone);
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->error, errc::name_gone);
}

TEST(ServiceWatchBelief, Fault51_NewTargetsThatDoNotExistAreBelieved) {
  watch_options options = watch_world::seeded();
  options.on_no_data = on_failure::believe;
  service_world world(options);
  world.hosts["a.test"] = addresses_of({testing::v4(1)});
  world.hosts["c.test"] = nxdomain();
  world.say({srv("a.test")}, 5s);
  world.start();
  world.run_for(1s);
  world.say({srv("c.test")}, 5s);
  world.run_for(10s);
  EXPECT_THAT(world.shown(), IsEmpty());
}

TEST_F(ServiceWatchFailure, ATargetWhoseFailureIsBelievedEmptiesIt) {
  world_.say({srv("a.test")}, 5s);
  world_.start();
  world_.run_for(1s);
  world_.target_says("a.test", no_addresses(errc::dns_timeout, false, freshness::expired));
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->state, freshness::expired);
  EXPECT_EQ(world_.current()->error, errc::dns_timeout);
}

TEST_F(ServiceWatchFailure, Fault48_NoServiceAtTheStartIsDefinite) {
  world_.say(no_service());
  world_.start();
  world_.run_for(1s);
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->error, errc::no_service);
  EXPECT_EQ(world_.current()->state, freshness::unresolved);
  EXPECT_TRUE(world_.current()->definite);
  EXPECT_THAT(world_.followed, IsEmpty());
}

TEST_F(ServiceWatchFailure, Fault48_AServiceThatAppearsIsFound) {
  world_.say(no_service());
  world_.start();
  world_.run_for(1s);
  world_.say({srv("a.test")});
  world_.run_for(11s);
  EXPECT_THAT(world_.shown(), ElementsAre("10.0.0.1:80 (a.test)"));
  EXPECT_FALSE(world_.current()->definite);
}

TEST_F(ServiceWatchFailure, Fault48_87_NoServiceLaterKeepsThenDoubtsThenDrains) {
  serve_a_and_b();
  world_.say(no_service());
  world_.run_to(at(29s));
  EXPECT_THAT(world_.shown(), Each(EndsWith(".test)")));
  EXPECT_EQ(world_.current()->error, errc::no_service);
  EXPECT_THAT(world_.explained().endpoints.at(0).next, HasSubstr("doubted"));
  world_.run_to(at(37s));
  EXPECT_THAT(world_.shown(), Each(EndsWith("?")));
  EXPECT_THAT(world_.shown(), SizeIs(2));
  EXPECT_THAT(world_.explained().endpoints.at(0).why, HasSubstr("last known good"));
  world_.run_to(at(1h - 1s));
  EXPECT_THAT(world_.shown(), SizeIs(2));
  world_.run_to(at(1h + 6s));
  EXPECT_THAT(world_.shown(), IsEmpty());
  EXPECT_EQ(world_.current()->error, errc::name_gone);
  EXPECT_TRUE(world_.current()->definite);
  EXPECT_EQ(world_.current()->state, freshness::expired);
  EXPECT_THAT(world_.followed, IsEmpty());
}

TEST_F(ServiceWatchFailure, Fault48_ServiceThatComesBackEndsTheDoubtInTheSameLife) {
  serve_a_and_b();
  const auto life = world_.current()->endpoints[0].life;
  world_.say(no_service());
  world_.run_to(at(60s));
  world_.say({srv("a.test"), srv("b.test")}, 5s);
  world_.run_to(at(72s));
  EXPECT_THAT(world_.shown(), Each(EndsWith(".test)")));
  EXPECT_EQ(world_.current()->endpoints[0].life, life);
  EXPECT_FALSE(world_.current()->error);
}

TEST(ServiceWatchBelief, Fault48_BelievedItDrainsAtOnce) {
  watch_options o = watch_world::seeded();
  o.on_no_data = on_failure::believe;
  service_world world{o};
  world.hosts["a.test"] = addresses_of(v4s({1}));
  world.say({srv("a.test")}, 5s);
  world.start();
  world.run_for(1s);
  world.say(no_service());
  world.run_for(6s);
  EXPECT_THAT(world.shown(), IsEmpty());
  EXPECT_EQ(world.current()->error, errc::name_gone);
  EXPECT_THAT(world.followed, IsEmpty());
}

TEST_F(ServiceWatchFailure, Fault41_ServfailKeepsTheSetAndTellsThatItIsStale) {
  serve_a_and_b();
  world_.say(srv_fails(answer_outcome::server_failure));
  world_.run_for(30s);
  EXPECT_THAT(world_.shown(), SizeIs(2));
  EXPECT_EQ(world_.current()->state, freshness::stale) << "although the targets are fresh";
  EXPECT_EQ(world_.current()->error, errc::dns_server_failure);
  EXPECT_FALSE(world_.current()->definite);
  world_.run_for(1h);
  EXPECT_THAT(world_.shown(), SizeIs(2));
  EXPECT_EQ(world_.current()->state, freshness::expired);
  world_.target_has("a.test", v4s({5}));
  EXPECT_THAT(world_.shown(), Contains("10.0.0.5:80 (a.test)")) << "its targets are followed on";
}

TEST_F(ServiceWatchFailure, ColdTimeoutIsNotDefinite) {
  world_.start();
  world_.run_for(1s);
  EXPECT_EQ(world_.current()->error, errc::dns_timeout);
  EXPECT_EQ(world_.current()->state, freshness::unresolved);
  EXPECT_FALSE(world_.current()->definite);
  EXPECT_GE(world_.questions.size(), 3U);
}

TEST(ServiceWatchLimit, NoStaleLimitNeverDrains) {
  watch_options o = watch_world::seeded();
  o.stale_limit = longest_duration;
  service_world world{o};
  world.hosts["a.test"] = addresses_of(v4s({1}));
  world.say({srv("a.test")}, 5s);
  world.start();
  world.run_for(1s);
  world.say(no_service());
  world.run_for(24h);
  EXPECT_THAT(world.shown(), ElementsAre("10.0.0.1:80 (a.test)?"));
}

// Eight of twelve targets per answer, in turn.
class ServiceWatchSample : public ::testing::Test {
 protected:
  ServiceWatchSample() {
    for (unsigned n = 0; n < 12; ++n) world_.hosts[name(n)] = addresses_of(v4s({n + 1}));
  }
  static std::string name(unsigned n) { return "t" + std::to_string(n + 10) + ".test"; }
  static std::string text(unsigned n) {
    return "10.0.0." + std::to_string(n + 1) + ":80 (" + name(n) + ")";
  }
  /// Answer number `n`: which of those below `known` are in it goes round.
  void show(unsigned n, unsigned known) {
    std::vector<srv_record> list;
    for (unsigned i = 0; i < 8; ++i) list.push_back(srv(name((n * 5 + i) % known)));
    world_.say(list, 5s);
  }
  void rounds(unsigned count, unsigned known) {
    for (unsigned n = 0; n < count; ++n) {
      show(n, known);
      world_.run_for(5500ms);
    }
  }
  service_world world_;
};

TEST_F(ServiceWatchSample, AllOfARotatingSetServe) {
  world_.start();
  rounds(10, 12);
  EXPECT_TRUE(world_.current()->rotating);
  EXPECT_THAT(world_.shown(), SizeIs(12));
  EXPECT_THAT(world_.shown(), Not(Contains(EndsWith("?"))));
  EXPECT_THAT(world_.shown(), Contains(EndsWith("!")));
}

TEST_F(ServiceWatchSample, OneThatLeftIsAbsentThenDoubtedThenDeparts) {
  world_.start();
  rounds(6, 12);
  const auto since = world_.now();
  rounds(4, 11);
  EXPECT_THAT(world_.shown(), Contains(text(11) + "!"));
  rounds(4, 11);
  EXPECT_GE(world_.now() - since, 30s);
  EXPECT_THAT(world_.shown(), Contains(text(11) + "?"));
  const auto explained = world_.explained().endpoints;
  EXPECT_GT(explained.back().misses_needed, 3U);
  rounds(12, 11);
  EXPECT_THAT(world_.shown(), Not(Contains(HasSubstr(name(11)))));
  EXPECT_THAT(world_.shown(), SizeIs(11));
  EXPECT_EQ(world_.followed.count(name(11)), 0U);
}

TEST_F(ServiceWatchSample, AFailedConnectionDepartsAnAbsentOneAtOnce) {
  world_.start();
  rounds(6, 12);
  rounds(2, 11);
  ASSERT_THAT(world_.shown(), Contains(text(11) + "!"));
  const endpoint gone = world_.entry(text(11))->where;
  world_.report(gone, endpoint_outcome::timed_out);
  EXPECT_THAT(world_.shown(), Contains(text(11) + "!"));
  world_.report(gone, endpoint_outcome::connect_refused, true);
  EXPECT_THAT(world_.shown(), Contains(text(11) + "!")) << "never the last usable one";
  world_.report(gone, endpoint_outcome::connect_refused);
  EXPECT_THAT(world_.shown(), Not(Contains(HasSubstr(name(11)))));
}

TEST_F(ServiceWatchSample, APortThatLeftDepartsAndTheOtherPortStays) {
  world_.start();
  const auto say = [this](unsigned n, bool both) {
    std::vector<srv_record> list{srv(name(0), 80)};
    if (both) list.push_back(srv(name(0), 81));
    for (unsigned i = static_cast<unsigned>(list.size()); i < 8; ++i) {
      list.push_back(srv(name(1 + (n * 5 + i) % 11)));
    }
    world_.say(list, 5s);
    world_.run_for(5500ms);
  };
  for (unsigned n = 0; n < 6; ++n) say(n, true);
  for (unsigned n = 0; n < 30; ++n) say(n, false);
  EXPECT_THAT(world_.shown(), Contains("10.0.0.1:80 (t10.test)"));
  EXPECT_THAT(world_.shown(), Not(Contains(HasSubstr(":81"))));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
