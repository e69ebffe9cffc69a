// SPDX-License-Identifier: Apache-2.0
#include "client/retry_budget.hpp"

#include "client/backoff.hpp"
#include "client/shared_retry_budget.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

int spend_all(retry_budget& b, time_point now) {
  int spent = 0;
  while (spent < 100'000 && b.try_spend(now)) ++spent;
  return spent;
}

TEST(RetryBudget, Fault151_AllowsAShareOfTheCallsAndAConstantRate) {
  retry_budget b{retry_policy()};
  time_point now = time_point{} + 1h;
  for (int i = 0; i < 1000; ++i) b.call_started(now + i * 9ms);
  EXPECT_EQ(spend_all(b, now + 9s), 200 + 100);
  EXPECT_FALSE(b.try_spend(now + 9s));
}

TEST(RetryBudget, ForgetsWhatLiesBeforeTheWindow) {
  retry_budget b{retry_policy()};
  const time_point now = time_point{} + 1h;
  for (int i = 0; i < 1000; ++i) b.call_started(now);
  EXPECT_EQ(spend_all(b, now), 300);
  EXPECT_EQ(spend_all(b, now + 9s), 0);
  EXPECT_EQ(spend_all(b, now + 10s), 100) << "calls and retries are both forgotten";
  EXPECT_EQ(spend_all(b, now + 24h), 100);
}

TEST(RetryBudget, NothingMayBeAllowed) {
  retry_policy p;
  p.budget_percent = 0;
  p.budget_per_second = 0;
  retry_budget b{p};
  const time_point now{};
  for (int i = 0; i < 1000; ++i) b.call_started(now);
  EXPECT_FALSE(b.try_spend(now));
}

TEST(RetryBudget, ASharedOneHasItsLimitsCheckedAndCountsForAll) {
  retry_policy p;
  p.budget_percent = 0;
  p.budget_per_second = 0.2;  // two per window
  const auto shared = make_retry_budget(p);
  const time_point now = time_point{} + 1h;
  EXPECT_TRUE(shared->try_spend(now));
  EXPECT_TRUE(shared->try_spend(now));
  EXPECT_FALSE(shared->try_spend(now));
  p.budget_percent = 101;
  EXPECT_THROW((void)make_retry_budget(p), std::invalid_argument);
}

TEST(Backoff, GrowsByItsFactorUpToItsEnd) {
  EXPECT_EQ(grown(200ms, 1, 60s), 200ms);
  EXPECT_EQ(grown(200ms, 2, 60s), 400ms);
  EXPECT_EQ(grown(40s, 2, 60s), 60s);
  EXPECT_EQ(grown(duration::zero(), 10, 60s), duration::zero());
  EXPECT_EQ(grown(longest_duration, 10, longest_duration), longest_duration);
}

TEST(Backoff, VariesByItsShareInBothDirections) {
  random_source chance(1);
  std::set<duration> seen;
  for (int i = 0; i < 1000; ++i) {
    const duration d = spread(200ms, 0.25, chance);
    EXPECT_GE(d, 150ms);
    EXPECT_LE(d, 250ms);
    seen.insert(d);
  }
  EXPECT_GT(seen.size(), 900U);
  EXPECT_LT(*seen.begin(), 160ms);
  EXPECT_GT(*seen.rbegin(), 240ms);
}

TEST(Backoff, Fault88_StaysWithinItsRange) {
  random_source chance(1);
  EXPECT_EQ(spread(-5s, 1, chance), duration::zero());
  EXPECT_EQ(spread(200ms, 0, chance), 200ms);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(spread(duration::max(), 5, chance), longest_duration);
    EXPECT_GE(spread(duration::max(), 5, chance), duration::zero());
  }
}

TEST(Backoff, TheSameSeedGivesTheSameWaits) {
  random_source a(42);
  random_source b(42);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(spread(1s, 1, a), spread(1s, 1, b));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
