// SPDX-License-Identifier: Apache-2.0
// What takes an endpoint out of use, for how long, and what brings it back.

#include "endpoints/ejection.hpp"

#include "table_world.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {
namespace {

struct Ejection : ::testing::Test {
  /// `n` endpoints, all proven.
  explicit Ejection(const endpoint_rules& rules = steady()) : w(rules) {}
  static endpoint_rules steady() {
    endpoint_rules r;
    r.ejection.jitter = 0;
    return r;
  }
  void start(std::initializer_list<std::string> addresses) {
    w.dns(addresses);
    for (const auto& a : addresses) prove(a);
    (void)w.told();
  }
  void prove(const std::string& a) {
    w.now += 1s;
    (void)w.start_warming();
    w.opened(w.at(a));
  }
  void fail_leases(const std::string& a, int n) {
    for (int i = 0; i < n; ++i) w.lease_failed(w.at(a));
  }
  /// Its time is over, and a new connection is proven.
  void bring_back(const std::string& a) {
    w.now = w.at(a).record.until;
    (void)w.start_warming();
    EXPECT_TRUE(w.at(a).warming_now);
    w.opened(w.at(a));
  }
  duration sentence(const std::string& a) { return w.at(a).record.until - w.now; }
  table_world w;
};

TEST_F(Ejection, AfterSoManyFailedLeasesInARow) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_leases("10.0.0.1", 4);
  EXPECT_EQ(w.usable().size(), 3U);
  fail_leases("10.0.0.1", 1);
  EXPECT_EQ(w.usable(), (words{"10.0.0.2", "10.0.0.3"}));
  EXPECT_EQ(w.at("10.0.0.1").state, health::ejected);
  EXPECT_EQ(w.at("10.0.0.1").record.why, errc::attempt_timeout);
  EXPECT_EQ(w.told(), words{"ejected 10.0.0.1"});
  EXPECT_EQ(w.shunned, words{"10.0.0.1"});
  EXPECT_EQ(sentence("10.0.0.1"), 5s);
  EXPECT_EQ(w.table.sums().ejections, 1U);
}

TEST_F(Ejection, AGoodLeaseInBetweenStartsTheCountAnew) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 4);
  EXPECT_TRUE(w.at("10.0.0.1").suspect);
  w.table.lease_succeeded(w.at("10.0.0.1"));
  EXPECT_FALSE(w.at("10.0.0.1").suspect);
  fail_leases("10.0.0.1", 4);
  EXPECT_EQ(w.usable().size(), 2U);
}

TEST_F(Ejection, Fault98_ConnectsThatFailCountAndOneThatOpensStartsAnew) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int i = 0; i < 4; ++i) w.failed(w.at("10.0.0.1"));
  w.opened(w.at("10.0.0.1"), false);
  for (int i = 0; i < 4; ++i) w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.usable().size(), 2U);
  w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST_F(Ejection, AttemptsThatNobodyAskedForDoNotCount) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int i = 0; i < 20; ++i) {
    table_changes out;
    w.table.connect_failed(
        w.at("10.0.0.1"), {errc::connect_timeout, false, false, true}, w.now, out);
  }
  EXPECT_EQ(w.usable().size(), 2U);
}

TEST_F(Ejection, Fault152_WhoAcceptsAndNeverAnswersIsEjectedHoweverOftenItAccepts) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int i = 0; i < 5; ++i) {
    w.opened(w.at("10.0.0.1"), false);
    fail_leases("10.0.0.1", 1);
  }
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST_F(Ejection, Fault100To102_AFaultOfThisMachineIsNotCharged) {
  start({"10.0.0.1", "10.0.0.2"});
  for (const auto code : {boost::system::errc::too_many_files_open,
                          boost::system::errc::address_not_available,
                          boost::system::errc::no_buffer_space}) {
    for (int i = 0; i < 10; ++i) w.failed(w.at("10.0.0.1"), make_error_code(code), true);
  }
  EXPECT_EQ(w.usable().size(), 2U);
  EXPECT_EQ(strikes(w.at("10.0.0.1").record), 0U);
}

TEST_F(Ejection, ARestartThatResetsManyConnectionsIsOneFailure) {
  start({"10.0.0.1", "10.0.0.2"});
  const happening before = w.table.last_happening();
  for (int i = 0; i < 64; ++i) {
    w.lease_failed(w.at("10.0.0.1"), boost::asio::error::connection_reset, before, true);
  }
  EXPECT_EQ(w.at("10.0.0.1").record.failed_leases, 1U);
}

TEST_F(Ejection, Fault104_WhoAcceptsAndClosesIsEjected) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int i = 0; i < 5; ++i) {
    w.opened(w.at("10.0.0.1"), false);
    const happening opened = w.table.happen();
    w.lease_failed(w.at("10.0.0.1"), errc::peer_closed, opened, true);
  }
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST_F(Ejection, NeverTheOnlyEndpoint) {
  start({"10.0.0.1"});
  fail_leases("10.0.0.1", 50);
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  EXPECT_EQ(w.table.sums().ejections, 0U);
}

TEST_F(Ejection, Fault153_AtMostHalfOfThemAtOnceAndAtLeastOne) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  for (int i = 1; i <= 5; ++i) fail_leases("10.0.0." + std::to_string(i), 7);
  EXPECT_EQ(w.usable(), (words{"10.0.0.3", "10.0.0.4", "10.0.0.5"}));
  EXPECT_FALSE(w.table.is_panicking());
  bring_back("10.0.0.1");
  w.table.lease_succeeded(w.at("10.0.0.1"));
  fail_leases("10.0.0.3", 1);
  EXPECT_EQ(w.at("10.0.0.3").state, health::ejected) << "its turn now";
}

TEST_F(Ejection, EachTimeLongerUpToTheMost) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  for (const auto expected : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    EXPECT_EQ(sentence("10.0.0.1"), expected);
    bring_back("10.0.0.1");
    fail_leases("10.0.0.1", 1);
  }
}

TEST_F(Ejection, AWarmingAttemptThatFailsProlongsIt) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  w.now += 5s - 1ms;
  EXPECT_EQ(w.start_warming(), words{});
  w.now += 1ms;
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.failed(w.at("10.0.0.1"), boost::asio::error::connection_refused, false);
  EXPECT_EQ(sentence("10.0.0.1"), 10s);
  EXPECT_EQ(w.at("10.0.0.1").state, health::ejected);
  bring_back("10.0.0.1");
  EXPECT_EQ(w.told(), (words{"ejected 10.0.0.1", "warm_failed 10.0.0.1", "recovered 10.0.0.1"}));
}

TEST_F(Ejection, ALocalFaultInItsWarmingDoesNotProlongIt) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  w.now += 5s;
  (void)w.start_warming();
  w.failed(w.at("10.0.0.1"), true);
  EXPECT_LE(sentence("10.0.0.1"), 200ms);
  EXPECT_EQ(w.at("10.0.0.1").record.outages, 1U);
}

TEST_F(Ejection, WhoCameBackIsOnProbationUntilALeaseGoesWell) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  bring_back("10.0.0.1");
  EXPECT_EQ(w.usable().size(), 2U);
  EXPECT_TRUE(w.at("10.0.0.1").suspect);
  w.table.lease_succeeded(w.at("10.0.0.1"));
  fail_leases("10.0.0.1", 4);
  EXPECT_EQ(w.usable().size(), 2U);
}

TEST_F(Ejection, TheGrowthIsForgottenAfterAsLongAsTheLongestTime) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  bring_back("10.0.0.1");
  w.now += 300s - 1ms;
  fail_leases("10.0.0.1", 5);
  EXPECT_EQ(sentence("10.0.0.1"), 10s);
  bring_back("10.0.0.1");
  w.now += 300s;
  fail_leases("10.0.0.1", 5);
  EXPECT_EQ(sentence("10.0.0.1"), 5s);
}

TEST_F(Ejection, LateNewsOfAnEjectedOneChangesNothing) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 5);
  const auto until = w.at("10.0.0.1").record.until;
  fail_leases("10.0.0.1", 20);
  w.opened(w.at("10.0.0.1"), false);
  w.table.lease_succeeded(w.at("10.0.0.1"));
  EXPECT_EQ(w.at("10.0.0.1").state, health::ejected);
  EXPECT_EQ(w.at("10.0.0.1").record.until, until);
  EXPECT_TRUE(w.at("10.0.0.1").suspect) << "its returns are looked at";
}

TEST_F(Ejection, OneThatDepartsIsDrainedAndMakesRoomForAnother) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_leases("10.0.0.1", 5);
  w.dns({"10.0.0.2", "10.0.0.3"});
  EXPECT_TRUE(w.table.departed().empty());
  fail_leases("10.0.0.2", 5);
  EXPECT_EQ(w.at("10.0.0.2").state, health::ejected);
}

TEST_F(Ejection, ADepartedOneIsNotEjected) {
  start({"10.0.0.1", "10.0.0.2"});
  w.dns({"10.0.0.2", "10.0.0.3"});
  fail_leases("10.0.0.2", 4);
  for (int i = 0; i < 9; ++i) w.lease_failed(w.former("10.0.0.1"));
  EXPECT_EQ(w.former("10.0.0.1").state, health::active);
}

struct NoEjection : Ejection {
  static endpoint_rules never() {
    endpoint_rules r;
    r.ejection.consecutive_failures = 0;
    return r;
  }
  NoEjection() : Ejection(never()) {}
};

TEST_F(NoEjection, ZeroFailuresMeansNever) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_leases("10.0.0.1", 100);
  EXPECT_EQ(w.usable().size(), 2U);
}

TEST(EjectionRules, JitterVariesTheTimeAroundItsMiddle) {
  ejection_rules rules;
  fast_random random(3);
  duration least = 1h;
  duration most{};
  for (int i = 0; i < 200; ++i) {
    health_record r;
    begin_outage(rules, r, errc::connect_timeout, time_point{} + 1h, random);
    least = std::min(least, r.until - (time_point{} + 1h));
    most = std::max(most, r.until - (time_point{} + 1h));
  }
  EXPECT_GE(least, 4500ms);
  EXPECT_LT(least, 4600ms);
  EXPECT_LE(most, 5500ms);
  EXPECT_GT(most, 5400ms);
}

TEST(EjectionRules, HowManyAtOnce) {
  const ejection_rules rules;
  EXPECT_FALSE(may_eject(rules, 1, 0));
  EXPECT_TRUE(may_eject(rules, 2, 0));
  EXPECT_FALSE(may_eject(rules, 2, 1));
  EXPECT_FALSE(may_eject(rules, 3, 1));
  EXPECT_TRUE(may_eject(rules, 4, 1));
  EXPECT_FALSE(may_eject(rules, 4, 2));
  ejection_rules none;
  none.max_percent = 0;
  EXPECT_FALSE(may_eject(none, 10, 0));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
