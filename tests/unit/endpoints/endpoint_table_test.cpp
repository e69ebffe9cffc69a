// SPDX-License-Identifier: Apache-2.0
// What a snapshot does to endpoints: lives, presence, verdicts.

#include "endpoints/endpoint_table.hpp"

#include "table_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST(EndpointTable, NewEndpointsAreNotUsableUntilProven) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_TRUE(w.usable().empty());
  w.prove("10.0.0.1");
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  EXPECT_EQ(w.told(), words{"active 10.0.0.1"});
}

TEST(EndpointTable, OldGenerationsAreIgnored) {
  table_world w;
  w.dns({"10.0.0.1"});
  snapshot old;
  old.generation = 1;
  w.show(old);
  EXPECT_FALSE(w.accepted);
  EXPECT_EQ(w.table.current().size(), 1U);
}

TEST(EndpointTable, Fault37_OrderChangesNothing) {
  table_world w;
  snapshot s;
  s.generation = 1;
  s.state = freshness::fresh;
  s.endpoints = {w.entry("10.0.0.2"), w.entry("10.0.0.1"), w.entry("10.0.0.2")};
  w.show(s);
  ASSERT_EQ(w.table.current().size(), 2U);
  const auto first = w.at("10.0.0.1").id;
  std::swap(s.endpoints[0], s.endpoints[1]);
  s.generation = 2;
  w.show(s);
  EXPECT_EQ(w.table.current().size(), 2U);
  EXPECT_EQ(w.at("10.0.0.1").id, first);
}

TEST(EndpointTable, AnotherPortIsAnotherEndpoint) {
  table_world w;
  snapshot s;
  s.generation = 1;
  s.endpoints = {w.entry("10.0.0.1"), w.entry("10.0.0.1")};
  s.endpoints[1].where.port = 81;
  w.show(s);
  EXPECT_EQ(w.table.current().size(), 2U);
}

TEST(EndpointTable, AbsentIsLeasedLikePresent) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  snapshot s;
  s.generation = 9;
  s.endpoints = {w.entry("10.0.0.1"), w.entry("10.0.0.2")};
  s.endpoints[0].presence = presence::absent;
  w.show(s);
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  EXPECT_EQ(w.at("10.0.0.1").presence, standing::absent);
  s.generation = 10;
  s.endpoints[0].presence = presence::present;
  w.show(s);
  EXPECT_EQ(w.at("10.0.0.1").presence, standing::present);
}

TEST(EndpointTable, DoubtedServesButIsConnectedToOnlyWithProvenIdentity) {
  for (const bool proven : {false, true}) {
    endpoint_rules rules;
    rules.identity_proven = proven;
    table_world w(rules);
    w.dns({"10.0.0.1"});
    w.prove("10.0.0.1");
    snapshot s;
    s.generation = 9;
    s.endpoints = {w.entry("10.0.0.1")};
    s.endpoints[0].presence = presence::absent;
    s.endpoints[0].doubted = true;
    w.show(s);
    EXPECT_EQ(w.usable(), words{"10.0.0.1"});
    EXPECT_EQ(w.table.may_connect(w.at("10.0.0.1")), proven);
  }
}

TEST(EndpointTable, DoubtedIsNotWarmed) {
  table_world w;
  snapshot s;
  s.generation = 1;
  s.endpoints = {w.entry("10.0.0.1"), w.entry("10.0.0.2")};
  s.endpoints[0].doubted = true;
  w.show(s);
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
  EXPECT_FALSE(w.table.warming().due().has_value());
  s.generation = 2;
  s.endpoints[0].doubted = false;
  w.show(s);
  w.advance(250ms);
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
}

TEST(EndpointTable, Fault114_AnAddressThatReturnsIsANewLife) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  const auto first = w.at("10.0.0.1").id;
  w.at("10.0.0.1").connections = 1;  // one is still open
  w.dns({"10.0.0.2"});
  w.dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_NE(w.at("10.0.0.1").id, first);
  EXPECT_EQ(w.at("10.0.0.1").state, health::warming);
  EXPECT_EQ(w.former("10.0.0.1").id, first);
}

TEST(EndpointTable, ADepartedWarmingOneIsAbandoned) {
  table_world w;
  w.dns({"10.0.0.1"});
  (void)w.start_warming();
  EXPECT_EQ(w.table.warming().under_way(), 1U);
  w.dns({"10.0.0.2"});
  EXPECT_EQ(w.table.warming().under_way(), 0U);
  EXPECT_TRUE(w.table.departed().empty());
  EXPECT_TRUE(w.told().empty());
}

TEST(EndpointTable, ADefinitelyGoneNameDrainsEverythingAtOnce) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  snapshot s;
  s.generation = 9;
  s.state = freshness::expired;
  s.error = errc::name_gone;
  s.definite = true;
  w.show(s);
  EXPECT_TRUE(w.usable().empty());
  EXPECT_EQ(w.table.verdict(), errc::name_gone);
  EXPECT_EQ(w.told(), (words{"active 10.0.0.1", "drained 10.0.0.1"}));
  w.dns({"10.0.0.1"});
  EXPECT_FALSE(w.table.verdict());
}

TEST(EndpointTable, ATransientErrorIsNoVerdict) {
  table_world w;
  snapshot s;
  s.generation = 1;
  s.error = errc::dns_timeout;
  w.show(s);
  EXPECT_FALSE(w.table.verdict());
  EXPECT_FALSE(w.table.is_resolved());
}

TEST(EndpointTable, AllFailedMeansEachOneAndNoneActive) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(w.table.all_failed_by(), 0U);
  (void)w.start_warming();
  w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.table.all_failed_by(), 0U);
  const auto since = w.table.last_happening();
  (void)w.start_warming();
  w.failed(w.at("10.0.0.2"), true);
  EXPECT_GT(w.table.all_failed_by(), 0U);
  EXPECT_LE(w.table.all_failed_by(), since);  // the first one has not failed again since
  w.advance(200ms);
  w.prove("10.0.0.1");
  EXPECT_EQ(w.table.all_failed_by(), 0U);
}

TEST(EndpointTable, Fault153_AllFailedAlsoCountsThoseThatOnceWereActive) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  auto& a = w.at("10.0.0.1");
  w.failed(a);
  EXPECT_EQ(w.table.all_failed_by(), 0U) << "the other one has not been tried";
  (void)w.start_warming();
  w.failed(w.at("10.0.0.2"));
  EXPECT_EQ(w.table.all_failed_by(), a.last_failure);
  w.advance(1s);
  w.prove("10.0.0.2");
  EXPECT_EQ(w.table.all_failed_by(), 0U) << "its last connect was none that failed";
}

TEST(EndpointTable, OpeningIsNotOpen) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  auto& a = w.at("10.0.0.1");
  a.opening = a.connections = 1;
  EXPECT_FALSE(w.table.has_open());
  a.opening = 0;
  EXPECT_TRUE(w.table.has_open());
  a.connections = 0;
}

TEST(EndpointTable, LastUsableIsTheOnlyOneStillBehindTheName) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.prove("10.0.0.1");
  EXPECT_TRUE(w.table.is_last_usable(w.at("10.0.0.1")));
  w.prove("10.0.0.2");
  EXPECT_FALSE(w.table.is_last_usable(w.at("10.0.0.1")));
}

TEST(EndpointTable, AnActiveEndpointThatRefusesIsAskedAgainSoon) {
  table_world w;
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  for (int i = 0; i < 10; ++i) w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.usable(), words{"10.0.0.1"});
  EXPECT_LE(w.at("10.0.0.1").not_before, w.now + 1s);
  EXPECT_GT(w.at("10.0.0.1").not_before, w.now);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
