// SPDX-License-Identifier: Apache-2.0
// The order and the pace of first connections.

#include "endpoints/warming_queue.hpp"

#include "table_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST(WarmingQueue, AColdStartTakesTurnsBetweenFamilies250MsApart) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "fe00::1", "fe00::2"});
  EXPECT_EQ(w.start_warming(), words{"fe00::1"});
  EXPECT_EQ(w.table.warming().due(), w.now + 250ms);
  w.advance(249ms);
  EXPECT_TRUE(w.start_warming().empty());
  w.advance(1ms);
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.advance(250ms);
  EXPECT_EQ(w.start_warming(), words{"fe00::2"});
  w.advance(250ms);
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
}

TEST(WarmingQueue, Fault98_AFailureStartsTheNextOneAtOnce) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
}

TEST(WarmingQueue, Fault103_WithoutIPv6TheNextOneStartsAtOnce) {
  using namespace boost::system::errc;
  for (const auto code :
       {address_not_available, network_unreachable, address_family_not_supported}) {
    table_world w;
    w.dns({"10.0.0.1", "10.0.0.2", "fe00::1", "fe00::2"});
    EXPECT_EQ(w.start_warming(), words{"fe00::1"});
    w.failed(w.at("fe00::1"), make_error_code(code), true);
    EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
    EXPECT_EQ(w.table.warming().due(), w.now + 250ms);  // that one may well answer
  }
}

TEST(WarmingQueue, Fault50_ABetterTierGoesFirstFamiliesTakeTurnsWithinATier) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "fe00::1", "fe00::2"},
        {{"10.0.0.3", 10}, {"fe00::1", 10}});
  words order;
  for (int i = 0; i < 5; ++i) {
    for (const auto& a : w.start_warming()) order.push_back(a);
    w.advance(250ms);
  }
  EXPECT_EQ(order, (words{"fe00::2", "10.0.0.1", "10.0.0.2", "fe00::1", "10.0.0.3"}));
}

TEST(WarmingQueue, Fault50_ABetterNewcomerOvertakesAStandbyThatWaits) {
  endpoint_rules rules;
  rules.max_warming = 1;
  table_world w(rules);
  w.dns({"10.0.0.1"}, {});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"}, {{"10.0.0.2", 7}, {"10.0.0.3", 7}});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
  w.advance(1s);
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, {{"10.0.0.2", 7}, {"10.0.0.3", 7}});
  w.opened(w.at("10.0.0.2"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.4"});
}

TEST(WarmingQueue, Fault50_ABetterTierThatPausesDoesNotKeepTheOthersWaiting) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2"}, {{"10.0.0.2", 7}});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.failed(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
}

TEST(WarmingQueue, APriorityThatChangesWhileItWaitsCounts) {
  endpoint_rules rules;
  rules.max_warming = 1;
  table_world w(rules);
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"}, {{"10.0.0.2", 1}, {"10.0.0.3", 2}});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"}, {{"10.0.0.2", 2}, {"10.0.0.3", 1}});
  w.opened(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.3"});
  w.dns({"10.0.0.1", "10.0.0.3"}, {{"10.0.0.3", 3}});  // found under its new priority
  w.opened(w.at("10.0.0.3"));
  EXPECT_TRUE(w.start_warming().empty());
}

TEST(WarmingQueue, AfterTheFirstActiveOneTheOthersGoOnAtOnce) {
  table_world w;
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.1"});
  w.opened(w.at("10.0.0.1"));
  EXPECT_EQ(w.start_warming(), (words{"10.0.0.2", "10.0.0.3"}));
}

TEST(WarmingQueue, AtMostMaxWarmingAtOnce) {
  endpoint_rules rules;
  rules.max_warming = 2;
  table_world w(rules);
  w.dns({"10.0.0.1"});
  w.prove("10.0.0.1");
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"});
  EXPECT_EQ(w.start_warming(), (words{"10.0.0.2", "10.0.0.3"}));
  EXPECT_FALSE(w.table.warming().due().has_value());
  w.failed(w.at("10.0.0.2"));
  EXPECT_EQ(w.start_warming(), words{"10.0.0.4"});
}

TEST(WarmingQueue, FailuresBackOffFrom200MsToTenSeconds) {
  table_world w;
  w.dns({"10.0.0.1"});
  duration full = 200ms;
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(w.start_warming(), words{"10.0.0.1"});
    w.failed(w.at("10.0.0.1"));
    const duration wait = w.table.warming().due().value() - w.now;
    EXPECT_GE(wait, full / 2);
    EXPECT_LE(wait, full);
    w.advance(wait - 1ms);
    EXPECT_TRUE(w.start_warming().empty());
    w.advance(1ms);
    full = std::min<duration>(2 * full, 10s);
  }
}

TEST(WarmingQueue, NewcomersDoNotWaitBehindFailures) {
  table_world w;
  w.dns({"10.0.0.1"});
  for (int i = 0; i < 6; ++i) {
    (void)w.start_warming();
    w.failed(w.at("10.0.0.1"));
    w.advance(10s);
  }
  (void)w.start_warming();
  w.failed(w.at("10.0.0.1"));
  w.dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(w.start_warming(), words{"10.0.0.2"});
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
