// SPDX-License-Identifier: Apache-2.0
// Make before break: how long departed endpoints go on serving.

#include "endpoints/retention.hpp"

#include "table_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST(Retention, Fault116_TheOldSetServesUntilTheNewOneIsProven) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  w.prove("10.0.0.2");
  (void)w.told();
  w.dns({"10.0.0.3", "10.0.0.4"});
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(w.told(), (words{"retained 10.0.0.1", "retained 10.0.0.2"}));
  w.prove("10.0.0.3");  // half of two
  EXPECT_EQ(w.usable(), words{"10.0.0.3"});
  EXPECT_EQ(w.told(), (words{"active 10.0.0.3", "drained 10.0.0.1", "drained 10.0.0.2"}));
}

TEST(Retention, AScaleInDrainsAtOnce) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  w.prove("10.0.0.2");
  (void)w.told();
  w.dns({"10.0.0.2"});
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
  EXPECT_EQ(w.told(), words{"drained 10.0.0.1"});
}

TEST(Retention, HalfOfTheNewcomersMustHaveTried) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  w.prove("10.0.0.2");
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
  w.failed(w.at("10.0.0.3"));  // a failed attempt has finished, too
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST(Retention, LocalFaultsFinishNoAttempt) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
  w.prove("10.0.0.2");
  w.failed(w.at("10.0.0.3"), true);
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
}

TEST(Retention, Fault103_NewcomersOfAMissingFamilyHoldNothingUp) {
  for (const bool v6 : {true, false}) {
    table_world w;
    w.dns({"10.0.0.1"});
    w.prove("10.0.0.1");
    const std::string odd = v6 ? "fe00::1" : "10.0.0.9";
    w.dns({"10.0.0.2", odd, "fe00::2", "fe00::3"});
    w.prove("10.0.0.2");
    w.failed(w.at(odd), make_error_code(boost::system::errc::address_not_available), true);
    // For IPv4 the code means that ports ran out, and proves nothing.
    EXPECT_EQ(w.usable(), v6 ? words{"10.0.0.2"} : (words{"10.0.0.1", "10.0.0.2"}));
  }
}

TEST(Retention, NewcomersShownShortlyBeforeTheDepartureCount) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.dns({"10.0.0.2"});
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  w.prove("10.0.0.2");
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST(Retention, AFailedAttemptAloneProvesNothing) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.2"});
  (void)w.start_warming();
  w.failed(w.at("10.0.0.2"));
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
}

TEST(Retention, EndsAtTheDeadlineWhenAnotherOneServes) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  w.prove("10.0.0.2");
  w.dns({"10.0.0.2", "10.0.0.3", "10.0.0.4"});  // the new ones hang
  (void)w.start_warming();
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
  ASSERT_EQ(w.table.next_retention_end(), w.now + 30s);
  w.advance(29s);
  EXPECT_EQ(w.usable(), (words{"10.0.0.1", "10.0.0.2"}));
  w.advance(1s);
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

/// A name that moved to an address that never answers.
struct LastResort : ::testing::Test {
  LastResort() {
    w.dns({"10.0.0.1"});
    w.prove("10.0.0.1");
    w.at("10.0.0.1").connections = 1;
    w.dns({"10.0.0.2"});
    (void)w.start_warming();
    w.failed(w.at("10.0.0.2"));
    (void)w.told();
    w.advance(30s);
  }
  table_world w;
};

TEST_F(LastResort, ServesWhatWouldHaveNoEndpoint) {
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  EXPECT_EQ(w.told(), words{"retained 10.0.0.1"});
  EXPECT_EQ(w.former("10.0.0.1").presence, standing::last_resort);
}

TEST_F(LastResort, EndsWithTheFirstActiveOne) {
  w.prove("10.0.0.2");
  EXPECT_EQ(w.usable(), words{"10.0.0.2"});
}

TEST_F(LastResort, EndsWithItsOwnConnectFailure) {
  w.failed(w.former("10.0.0.1"), true);
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});  // a local fault proves nothing
  w.failed(w.former("10.0.0.1"));
  EXPECT_TRUE(w.usable().empty());
}

TEST_F(LastResort, EndsWithItsOwnReset) {
  w.reset(w.former("10.0.0.1"));
  EXPECT_TRUE(w.usable().empty());
}

TEST(Retention, BeforeTheDeadlineAResetDoesNotEndIt) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.2"});
  w.reset(w.former("10.0.0.1"));
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
}

TEST(Retention, ExclusiveNeverServesADepartedOne) {
  endpoint_rules rules;
  rules.exclusive = true;
  table_world w(rules);
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.2"});
  EXPECT_TRUE(w.usable().empty());
  EXPECT_TRUE(w.table.is_withholding());
  w.prove("10.0.0.2");
  EXPECT_FALSE(w.table.is_withholding());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
