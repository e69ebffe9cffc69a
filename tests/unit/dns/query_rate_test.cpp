// SPDX-License-Identifier: Apache-2.0
#include "dns/query_rate.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

// How many are asked by somebody who looks every `step`, for `length`.
std::size_t asked_in(query_rate& rate, duration step, duration length) {
  std::size_t count = 0;
  for (auto now = start; now < start + length; now += step) {
    while (rate.take(now)) ++count;
  }
  return count;
}

TEST(QueryRate, ZeroIsNoLimit) {
  query_rate rate{0};
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(rate.take(start));
}

TEST(QueryRate, ABurstAndThenOneAtATime_Fault75) {
  query_rate rate{1000};
  EXPECT_EQ(rate.burst(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rate.take(start));
  EXPECT_FALSE(rate.take(start));
  EXPECT_EQ(rate.next(), start + 1ms);
  EXPECT_FALSE(rate.take(start + 1ms - 1ns));
  EXPECT_TRUE(rate.take(start + 1ms));
  EXPECT_FALSE(rate.take(start + 1ms));
}

TEST(QueryRate, TheSmallestRateAsksOneASecond) {
  query_rate rate{1};
  EXPECT_EQ(rate.burst(), 1u);
  EXPECT_TRUE(rate.take(start));
  EXPECT_FALSE(rate.take(start + 999ms));
  EXPECT_EQ(rate.next(), start + 1s);
  EXPECT_TRUE(rate.take(start + 1s));
}

TEST(QueryRate, TimersOnAGridReachTheBoundAndNeverPassIt_Fault75) {
  for (const std::size_t per_second : {100u, 333u, 5000u, 700'000u}) {
    query_rate rate{per_second};
    const auto asked = asked_in(rate, 10ms, 10s);
    EXPECT_LE(asked, per_second * 10 + rate.burst());
    EXPECT_GE(asked, per_second * 10 * 99 / 100) << per_second;
  }
}

TEST(QueryRate, NoSecondHasMoreThanTheBoundAndABurst_Fault75) {
  query_rate rate{500};
  std::deque<time_point> recent;
  for (auto now = start; now < start + 20s; now += 1ms) {
    if (now > start + 5s && now < start + 8s) continue;  // a pause saves up no more than a burst
    while (rate.take(now)) recent.push_back(now);
    while (!recent.empty() && recent.front() <= now - 1s) recent.pop_front();
    ASSERT_LE(recent.size(), 500 + rate.burst());
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
