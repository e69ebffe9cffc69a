// SPDX-License-Identifier: Apache-2.0
// Panic, quarantine, probes and slow start, as the table decides them.

#include "table_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

struct Outages : ::testing::Test {
  static endpoint_rules rules() {
    endpoint_rules r;
    r.ejection.jitter = 0;
    r.ejection.slow_start = 10s;
    return r;
  }
  Outages() : w(rules()) {}
  void start(std::initializer_list<std::string> addresses,
             const std::map<std::string, std::uint16_t>& priorities = {}) {
    w.dns(addresses, priorities);
    for (const auto& a : addresses) prove(a);
    w.now += 20s;
    (void)w.told();
  }
  void prove(const std::string& a) {
    w.now += 1s;
    (void)w.start_warming();
    w.opened(w.at(a));
  }
  void eject(const std::string& a) {
    for (int i = 0; i < 5; ++i) w.lease_failed(w.at(a));
  }
  void fail_probes(const std::string& a, int n = 3) {
    for (int i = 0; i < n; ++i) w.probed(w.at(a), errc::unavailable_status);
  }
  void meet_stranger(const std::string& a) { w.failed(w.at(a), errc::identity_mismatch, false); }
  table_world w;
};

using Panic = Outages;

TEST_F(Panic, Fault153_BelowHalfHealthyTheEjectedOnesAreLeasedAgain) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"});
  eject("10.0.0.1");
  eject("10.0.0.2");
  EXPECT_FALSE(w.table.is_panicking()) << "half of them are healthy";
  meet_stranger("10.0.0.3");
  EXPECT_TRUE(w.table.is_panicking());
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2", "10.0.0.4"}));
  ASSERT_TRUE(w.turned);
  EXPECT_TRUE(w.turned->begun);
  EXPECT_EQ(w.turned->healthy, 1U);
  EXPECT_EQ(w.turned->endpoints, 4U);
}

TEST_F(Panic, EndsWhenEnoughAreHealthyAndThenTheEjectedOnesGoAgain) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  eject("10.0.0.1");
  meet_stranger("10.0.0.2");
  ASSERT_TRUE(w.table.is_panicking());
  w.shunned.clear();
  w.now += 5s;
  (void)w.start_warming();
  w.opened(w.at("10.0.0.2"));
  EXPECT_FALSE(w.table.is_panicking());
  EXPECT_EQ(w.usable(), (words{"10.0.0.2", "10.0.0.3"}));
  EXPECT_EQ(w.shunned, words{"10.0.0.1"});
  EXPECT_FALSE(w.turned->begun);
  EXPECT_EQ(w.table.sums().panics, 1U);
}

TEST_F(Panic, TheNeverProvenStayOut) {
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  prove("10.0.0.1");
  prove("10.0.0.2");
  eject("10.0.0.1");
  EXPECT_TRUE(w.table.is_panicking());
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
}

TEST_F(Panic, AConnectionThatOpensDuringItIsNoWayBack) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  eject("10.0.0.1");
  meet_stranger("10.0.0.2");
  w.opened(w.at("10.0.0.1"), false);
  EXPECT_EQ(w.at("10.0.0.1").state, health::ejected);
}

TEST_F(Panic, AnEjectedTierDoesNotServeInFrontOfAHealthyOne) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.5.1"}, {{"10.0.5.1", 5}});
  eject("10.0.0.1");
  eject("10.0.0.2");
  meet_stranger("10.0.0.3");
  ASSERT_TRUE(w.table.is_panicking());
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
}

TEST_F(Panic, WithNobodyElseTheEjectedOnesServe) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_probes("10.0.0.1");
  fail_probes("10.0.0.2");
  EXPECT_TRUE(w.table.is_panicking());
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
}

using Quarantine = Outages;

TEST_F(Quarantine, Fault115_AStrangerIsOutAtOnceAndItsConnectionsGo) {
  start({"10.0.0.1", "10.0.0.2"});
  meet_stranger("10.0.0.1");
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
  EXPECT_EQ(w.quarantined, words{"10.0.0.1"});
  EXPECT_EQ(w.told(), words{"quarantined 10.0.0.1"});
  EXPECT_EQ(w.at("10.0.0.1").record.why, errc::identity_mismatch);
  EXPECT_EQ(w.table.sums().quarantines, 1U);
}

TEST_F(Quarantine, AlsoTheOnlyOneAndOneThatWasNeverProven) {
  start({"10.0.0.1"});
  w.failed(w.at("10.0.0.1"), errc::tls_name_mismatch, false);
  EXPECT_TRUE(w.usable().empty());
  w.dns({"10.0.0.1", "10.0.0.2"});
  (void)w.start_warming();
  meet_stranger("10.0.0.2");
  EXPECT_EQ(w.at("10.0.0.2").state, health::quarantined);
  EXPECT_FALSE(w.table.is_panicking());
  EXPECT_TRUE(w.usable().empty());
  ASSERT_NE(w.table.last_out(), nullptr);
  EXPECT_EQ(w.table.last_out()->record.why, errc::identity_mismatch);
}

TEST_F(Quarantine, IsTriedAgainOnTheScheduleOfEjectionAndComesBackWhenItIsItselfAgain) {
  start({"10.0.0.1", "10.0.0.2"});
  meet_stranger("10.0.0.1");
  for (const auto expected : {5s, 10s, 20s}) {
    w.now += expected - 1ms;
    EXPECT_EQ(w.start_warming(), words{});
    w.now += 1ms;
    EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
    EXPECT_EQ(w.table.last_out(), nullptr);
    meet_stranger("10.0.0.1");
    EXPECT_EQ(w.usable(), words{"10.0.0.2"});
  }
  w.now += 40s;
  (void)w.start_warming();
  w.opened(w.at("10.0.0.1"));
  EXPECT_EQ(w.usable().size(), 2U);
  EXPECT_EQ(w.table.sums().quarantines, 1U);
  EXPECT_EQ(w.told().back(), "recovered 10.0.0.1");
}

TEST_F(Quarantine, ItsRefusalsLeaveItThere) {
  start({"10.0.0.1", "10.0.0.2"});
  meet_stranger("10.0.0.1");
  w.now += 5s;
  (void)w.start_warming();
  w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.at("10.0.0.1").state, health::quarantined);
  EXPECT_EQ(w.at("10.0.0.1").record.until - w.now, 10s);
}

TEST_F(Quarantine, AStrangerAtADepartedAddressEndsIt) {
  start({"10.0.0.1"});
  w.dns({"10.0.0.2"});
  ASSERT_EQ(w.usable(), words{"10.0.0.1"}) << "retained";
  w.failed(w.former("10.0.0.1"), errc::identity_mismatch, false);
  EXPECT_TRUE(w.usable().empty());
  EXPECT_TRUE(w.table.departed().empty());
}

TEST_F(Quarantine, ACallMayFindTheStranger) {
  start({"10.0.0.1", "10.0.0.2"});
  w.lease_failed(w.at("10.0.0.1"), errc::identity_mismatch);
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

using Probes = Outages;

TEST_F(Probes, Fault154_SoManyFailuresInARowEjectAndOnePassStartsAnew) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_probes("10.0.0.1", 2);
  w.probed(w.at("10.0.0.1"));
  fail_probes("10.0.0.1", 2);
  EXPECT_EQ(w.usable().size(), 3U);
  fail_probes("10.0.0.1", 1);
  EXPECT_EQ(w.usable(), (words{"10.0.0.2", "10.0.0.3"}));
}

TEST_F(Probes, SoManyPassesEndAnEjectionEarlyByWayOfWarming) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_probes("10.0.0.1");
  w.probed(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{});
  w.probed(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  EXPECT_EQ(w.usable().size(), 2U) << "not before it is proven";
  w.opened(w.at("10.0.0.1"));
  EXPECT_EQ(w.usable().size(), 3U);
}

TEST_F(Probes, Fault154_AProbeThatLiesDoesNotShortenWhatCallsFound) {
  start({"10.0.0.1", "10.0.0.2"});
  eject("10.0.0.1");
  for (int i = 0; i < 9; ++i) w.probed(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{});
}

using SlowStart = Outages;

TEST_F(SlowStart, NotWhenAllAreNew) {
  w.dns({"10.0.0.1", "10.0.0.2"});
  prove("10.0.0.1");
  prove("10.0.0.2");
  EXPECT_FALSE(w.table.is_ramping());
}

TEST_F(SlowStart, TheShareOfOneThatComesInGrowsWithItsTime) {
  start({"10.0.0.1", "10.0.0.2"});
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  prove("10.0.0.3");
  ASSERT_TRUE(w.table.is_ramping());
  EXPECT_FALSE(w.table.is_over_share(w.at("10.0.0.1"), w.now));
  const auto accepted = [&] {
    int n = 0;
    for (int i = 0; i < 1000; ++i) n += w.table.is_over_share(w.at("10.0.0.3"), w.now) ? 0 : 1;
    return n;
  };
  EXPECT_NEAR(accepted(), 100, 40) << "a tenth to begin with";
  w.now += 5s;
  EXPECT_NEAR(accepted(), 500, 60);
  w.now += 4s;
  EXPECT_NEAR(accepted(), 900, 40);
  w.now += 1s;
  EXPECT_EQ(accepted(), 1000);
  EXPECT_FALSE(w.table.is_ramping());
}

TEST_F(SlowStart, AlsoOfOneThatCameBackUntilItGoesAgain) {
  start({"10.0.0.1", "10.0.0.2"});
  eject("10.0.0.1");
  w.now += 5s;
  prove("10.0.0.1");
  EXPECT_TRUE(w.table.is_ramping());
  w.lease_failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.at("10.0.0.1").state, health::ejected);
  EXPECT_FALSE(w.table.is_ramping());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
