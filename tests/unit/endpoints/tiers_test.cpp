// SPDX-License-Identifier: Apache-2.0
// Which tier serves (RFC 2782 priorities).

#include "endpoints/tiers.hpp"

#include "table_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

/// Two of priority 0, one of 5, one of 10; each proven one holds a connection.
struct Tiers : ::testing::Test {
  Tiers() { show(); }
  void show() {
    w.dns({"10.0.0.1", "10.0.0.2", "10.0.5.1", "10.0.10.1"}, {{"10.0.5.1", 5}, {"10.0.10.1", 10}});
  }
  void prove(const std::string& a) {
    w.prove(a);
    w.at(a).connections = 1;
  }
  void prove_all() {
    for (const char* a : {"10.0.0.1", "10.0.0.2", "10.0.5.1", "10.0.10.1"}) prove(a);
  }
  /// Its first attempt fails.
  void refuse(const std::string& a, bool local = false) {
    (void)w.start_warming();
    w.failed(w.at(a), local);
  }
  void lose_connection(endpoint_entry& e) {
    e.connections = 0;
    w.table.choice().judge(e);
  }
  void break_down(endpoint_entry& e) {
    e.connections = 0;
    w.failed(e);
  }
  table_world w;
};

TEST_F(Tiers, Fault50_TheBestTierServesAlone) {
  prove_all();
  EXPECT_EQ(w.usable().size(), 4U);
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
  EXPECT_FALSE(w.table.choice().is_degraded());
}

TEST_F(Tiers, Fault50_TheNextOneOnlyWhenTheWholeOneIsDown) {
  prove_all();
  break_down(w.at("10.0.0.1"));
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
  break_down(w.at("10.0.0.2"));
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
  EXPECT_TRUE(w.table.choice().is_degraded());
  break_down(w.at("10.0.5.1"));
  EXPECT_EQ(w.serving(), words{"10.0.10.1"});
  w.opened(w.at("10.0.0.2"));
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
  EXPECT_FALSE(w.table.choice().is_degraded());
}

TEST_F(Tiers, Fault50_DownTakesAFailedConnectAndNoOpenConnection) {
  prove_all();
  break_down(w.at("10.0.0.1"));
  auto& e = w.at("10.0.0.2");
  w.failed(e);  // one is still open
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
  e.connections = 2;
  e.opening = 2;  // none of them open
  w.table.choice().judge(e);
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
  w.opened(e);
  lose_connection(e);  // its last connect succeeded
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
}

TEST_F(Tiers, Fault50_WhenAllAreDownAllServeTheBestFirst) {
  prove_all();
  for (const char* a : {"10.0.0.1", "10.0.0.2", "10.0.5.1", "10.0.10.1"}) break_down(w.at(a));
  EXPECT_EQ(w.serving().size(), 4U);
  selector& choice = w.table.choice();
  const auto any = [](const endpoint_entry&) { return true; };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(choice.pick(any)->priority, 0U);
  const auto worse = [](const endpoint_entry& e) { return e.priority > 0; };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(choice.pick(worse)->priority, 5U);
}

TEST_F(Tiers, Fault50_OnlyIdleConnectionsOfTheServingTierAreFound) {
  prove_all();
  selector& choice = w.table.choice();
  auto& standby = w.at("10.0.5.1");
  standby.idle = 1;
  choice.gained_idle(standby);
  EXPECT_EQ(choice.pick_idle(), nullptr);
  EXPECT_FALSE(choice.has_idle());
  EXPECT_EQ(choice.idle_bystander(), &standby);
  break_down(w.at("10.0.0.1"));
  break_down(w.at("10.0.0.2"));
  EXPECT_EQ(choice.pick_idle(), &standby);
  EXPECT_EQ(choice.idle_bystander(), nullptr);
  w.opened(w.at("10.0.0.1"));
  EXPECT_EQ(choice.pick_idle(), nullptr);
}

TEST_F(Tiers, Fault50_AStandbyDoesNotBeginBeforeTheBetterOnesHaveTried) {
  prove("10.0.5.1");
  EXPECT_TRUE(w.serving().empty());
  refuse("10.0.0.1");
  EXPECT_TRUE(w.serving().empty());
  refuse("10.0.0.2");
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
  prove("10.0.0.1");
  EXPECT_EQ(w.serving(), words{"10.0.0.1"});
}

TEST_F(Tiers, Fault50_TheBestTierNeedNotWaitForAnybody) {
  prove("10.0.0.2");
  EXPECT_EQ(w.serving(), words{"10.0.0.2"});
}

TEST_F(Tiers, Fault50_LocalFaultsHoldNoStandbyBack) {
  prove("10.0.5.1");
  refuse("10.0.0.1", true);
  refuse("10.0.0.2", true);
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
}

TEST_F(Tiers, Fault50_WhatIsNotTriedOrHasLeftHoldsNoStandbyBack) {
  prove("10.0.5.1");
  refuse("10.0.0.1");
  w.dns({"10.0.0.1", "10.0.5.1"}, {{"10.0.5.1", 5}});
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});

  table_world doubt;
  snapshot s;
  s.generation = 1;
  s.endpoints = {doubt.entry("10.0.0.1"), doubt.entry("10.0.5.1")};
  s.endpoints[0].doubted = true;  // never connected to
  s.endpoints[1].where.priority = 5;
  doubt.show(s);
  doubt.prove("10.0.5.1");
  EXPECT_EQ(doubt.serving(), words{"10.0.5.1"});
}

TEST_F(Tiers, Fault50_NewcomersOfABetterTierTakeNothingFromOneThatServes) {
  w.dns({"10.0.5.1"}, {{"10.0.5.1", 5}});
  prove("10.0.5.1");
  show();
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
  prove("10.0.0.1");
  EXPECT_EQ(w.serving(), words{"10.0.0.1"});
}

TEST_F(Tiers, Fault50_RetainedOnesCountInTheTierTheyHad) {
  prove("10.0.0.1");
  prove("10.0.5.1");
  w.dns({"10.0.0.3", "10.0.0.4", "10.0.5.1"}, {{"10.0.5.1", 5}});
  EXPECT_EQ(w.former("10.0.0.1").presence, standing::retained);
  EXPECT_EQ(w.serving(), words{"10.0.0.1"});
  w.prove("10.0.0.3");
  EXPECT_EQ(w.serving(), words{"10.0.0.3"});
}

TEST_F(Tiers, AttributesFollowDnsWithoutANewLife) {
  prove_all();
  auto& e = w.at("10.0.5.1");
  const auto id = e.id;
  (void)w.told();
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.5.1", "10.0.10.1"},
        {{"10.0.0.1", 3}, {"10.0.0.2", 3}, {"10.0.10.1", 10}});
  EXPECT_TRUE(w.told().empty());
  EXPECT_EQ(w.at("10.0.5.1").id, id);
  EXPECT_EQ(e.priority, 0U);
  EXPECT_EQ(e.where.priority, 5U) << "a holder of a lease may be reading it";
  EXPECT_EQ(w.serving(), words{"10.0.5.1"});
  break_down(e);
  EXPECT_EQ(w.serving(), (words{"10.0.0.1", "10.0.0.2"}));
}

TEST_F(Tiers, AttributesOfOneThatIsNotProvenYetFollowDns) {
  w.dns({"10.0.0.1", "10.0.0.2"}, {{"10.0.0.1", 4}});
  EXPECT_EQ(w.at("10.0.0.1").priority, 4U);
  w.prove("10.0.0.1");
  EXPECT_TRUE(w.serving().empty());
}

TEST(Attributes, AWeightIsThatOfTheLastSnapshot) {
  table_world w;
  snapshot s;
  s.endpoints = {w.entry("10.0.0.1")};
  for (std::uint16_t weight = 1; weight < 6; ++weight) {
    ++s.generation;
    s.endpoints[0].where.weight = weight;
    w.show(s);
    EXPECT_EQ(w.at("10.0.0.1").weight, weight);
    if (weight == 3) w.prove("10.0.0.1");
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
