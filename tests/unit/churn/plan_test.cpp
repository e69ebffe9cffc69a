// SPDX-License-Identifier: Apache-2.0
// When requests are planned.

#include "churn/plan.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

TEST(SendPlan, SpacesRequestsEvenlyAndLeavesTheEndOut) {
  const send_plan plan(200, 2s);
  EXPECT_EQ(plan.size(), 400U);
  EXPECT_EQ(plan.at(0), 0ms);
  EXPECT_EQ(plan.at(1), 5ms);
  EXPECT_EQ(plan.at(399), 1995ms);
}

TEST(SendPlan, RoundingDoesNotAddUp) {
  const send_plan plan(3, 1000h);
  EXPECT_EQ(plan.at(3 * 3600 * 999), 999h);
}

TEST(SendPlan, TellsWhatIsDue) {
  const send_plan plan(200, 1s);
  EXPECT_EQ(plan.due(-1ns), 0U);
  EXPECT_EQ(plan.due(0ns), 1U);
  EXPECT_EQ(plan.due(5ms - 1ns), 1U);
  EXPECT_EQ(plan.due(5ms), 2U);
  EXPECT_EQ(plan.due(1h), 200U);
}

TEST(SendPlan, DueAndAtAgreeForRatesThatDoNotDivideASecond) {
  for (const std::uint32_t rate : {1U, 3U, 7U, 333U, 999'983U}) {
    const send_plan plan(rate, 1s);
    ASSERT_EQ(plan.size(), rate);
    for (std::size_t i = 0; i < plan.size(); i += 1 + rate / 97) {
      EXPECT_EQ(plan.due(plan.at(i)), i + 1) << rate;
      if (i > 0) {
        EXPECT_EQ(plan.due(plan.at(i) - 1ns), i) << rate;
      }
    }
  }
}

TEST(SendPlan, ChangesItsRateOnTime) {
  const send_plan plan({{0s, 10}, {1s, 100}, {2s, 10}}, 3s);
  EXPECT_EQ(plan.size(), 120U);
  EXPECT_EQ(plan.at(9), 900ms);
  EXPECT_EQ(plan.at(10), 1s);
  EXPECT_EQ(plan.at(11), 1010ms);
  EXPECT_EQ(plan.at(109), 1990ms);
  EXPECT_EQ(plan.at(110), 2s);
  EXPECT_EQ(plan.at(119), 2900ms);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan.due(plan.at(i)), i + 1);
    EXPECT_EQ(plan.due(plan.at(i) - 1ns), i);
  }
  EXPECT_EQ(plan.due(1h), 120U);
}

TEST(SendPlan, RefusesPhasesOutOfOrder) {
  EXPECT_THROW(send_plan({{1s, 10}}, 3s), std::invalid_argument);
  EXPECT_THROW(send_plan(std::vector<load_phase>{}, 3s), std::invalid_argument);
  EXPECT_THROW(send_plan({{0s, 10}, {2s, 10}, {1s, 10}}, 3s), std::invalid_argument);
  EXPECT_THROW(send_plan({{0s, 10}, {3s, 10}}, 3s), std::invalid_argument);
}

TEST(SendPlan, RefusesNonsense) {
  EXPECT_THROW(send_plan(0, 1s), std::invalid_argument);
  EXPECT_THROW(send_plan(1'000'001, 1s), std::invalid_argument);
  EXPECT_THROW(send_plan(1, 0s), std::invalid_argument);
}

}  // namespace
}  // namespace redial::churn
