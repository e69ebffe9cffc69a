// SPDX-License-Identifier: Apache-2.0
// What a scenario allows, and that the demo's script can be played.

#include "churn/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

TEST(AllowedStale, IsTheTtlBetweenFloorAndCapAndASecond) {
  scenario s;
  s.ttl_cap = 10s;
  s.ttl = 60s;
  EXPECT_EQ(s.allowed_stale(), 11s);
  s.ttl = 5s;
  EXPECT_EQ(s.allowed_stale(), 6s);
  s.ttl = 0s;
  EXPECT_EQ(s.allowed_stale(), 2s);
}

TEST(Demo, IsOrderedAndFitsItsTime) {
  for (const bool quick : {false, true}) {
    const auto s = demo_scenario(quick);
    EXPECT_TRUE(std::is_sorted(
        s.steps.begin(), s.steps.end(), [](const step& a, const step& b) { return a.at < b.at; }));
    EXPECT_LT(s.steps.back().at, s.length);
    EXPECT_LT(s.length, quick ? 10s : 70s);
    for (const auto& e : s.steps) {
      EXPECT_FALSE(e.text.empty());
      EXPECT_FALSE(e.label.empty());
      EXPECT_TRUE(e.action);
    }
  }
}

// Else the bound would be kept by killing, not by redial.
TEST(Demo, KillsTheOldAddressesOnlyAfterRedialMustHaveLeftThem) {
  for (const bool quick : {false, true}) {
    const auto s = demo_scenario(quick);
    EXPECT_GT(s.steps[1].at - s.steps[0].at, s.allowed_stale());
  }
}

}  // namespace
}  // namespace redial::churn
