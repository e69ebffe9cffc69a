// SPDX-License-Identifier: Apache-2.0
// Whole histories of churn in simulated time: the promise, kept for a day.

#include "churn_world.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using redial::testing::churn_result;
using redial::testing::churn_world;

// Sanitizers look at the same code many times slower; a sixth of a day is enough for them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto a_day = 4h;
constexpr std::uint64_t seeds = 4;
#else
constexpr auto a_day = 24h;
constexpr std::uint64_t seeds = 16;
#endif

void expect_the_promise(const churn_result& r, std::uint64_t seed) {
  EXPECT_EQ(r.completions, r.calls) << "seed " << seed;
  EXPECT_EQ(r.failed, 0U) << "seed " << seed << ", first at " << r.first_failure;
  EXPECT_EQ(r.stale, 0U) << "seed " << seed;
}

TEST(ChurnDay, NoCallFailsAndNoneGoesToAnOldAddressTooLate) {
  const auto r = churn_world(1).live(a_day);
  expect_the_promise(r, 1);
  // A day in which nothing happened would prove nothing.
  const auto hours = static_cast<std::uint64_t>(a_day.count());
  EXPECT_GT(r.calls, 1'500U * hours);
  EXPECT_GT(r.moves, 5U * hours);
  EXPECT_GT(r.deaths, 5U * hours);
  EXPECT_GT(r.outages, 3U * hours);
  EXPECT_GT(r.latest_use, 5s);
}

TEST(ChurnDay, TheSameSeedGivesTheSameTrace) {
  const auto first = churn_world(7).live(1h);
  const auto again = churn_world(7).live(1h);
  const auto other = churn_world(8).live(1h);
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_NE(first.trace, other.trace);
}

TEST(ChurnDay, ManySeedsKeepThePromise) {
  for (std::uint64_t seed = 100; seed < 100 + seeds; ++seed) {
    expect_the_promise(churn_world(seed).live(30min), seed);
  }
}

}  // namespace
