// SPDX-License-Identifier: Apache-2.0
// The order and the pace of first connections.

#include "endpoints/warming_queue.hpp"

#include "table_world.hpp"

#include <gtest/gtest.h>

namespace redial::detail {
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
}  // namespace redial::detail
