// SPDX-License-Identifier: Apache-2.0

#include "watch/ttl_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

/// The earliest and the latest of many draws, from `start`.
std::pair<duration, duration> range_of_questions(std::chrono::seconds ttl,
                                                 const watch_options& options = {}) {
  random_source random(1);
  duration low = duration::max();
  duration high = duration::min();
  for (int i = 0; i < 2000; ++i) {
    const duration d = times_of(ttl, start, options, random).ask_again - start;
    low = std::min(low, d);
    high = std::max(high, d);
  }
  return {low, high};
}

TEST(TtlPolicy, Fault23_ZeroMeansTheFloor) {
  EXPECT_EQ(effective_ttl(0s, {}), 1s);
  const auto [low, high] = range_of_questions(0s);
  EXPECT_GE(low, 1s);
  EXPECT_LE(high, 1100ms);
}

TEST(TtlPolicy, Fault24_HugeMeansTheCap) {
  EXPECT_EQ(effective_ttl(std::chrono::seconds{2147483647}, {}), 10s);
  EXPECT_EQ(effective_ttl(std::chrono::seconds::max(), {}), 10s);
}

TEST(TtlPolicy, Fault25_NegativeMeansTheFloor) {
  EXPECT_EQ(effective_ttl(-1s, {}), 1s);
  EXPECT_EQ(effective_ttl(std::chrono::seconds::min(), {}), 1s);
}

TEST(TtlPolicy, TtlGovernsSoTheQuestionComesAfterExpiry) {
  const auto [low, high] = range_of_questions(4s);
  EXPECT_GE(low, 4s);
  EXPECT_LT(low, 4s + 10ms);  // the whole range is used
  EXPECT_GT(high, 4s + 390ms);
  EXPECT_LE(high, 4s + 400ms);  // 10 %
}

TEST(TtlPolicy, JitterAfterExpiryIsAtMostHalfASecond) {
  const auto [low, high] = range_of_questions(10s);
  EXPECT_GE(low, 10s);
  EXPECT_GT(high, 10s + 490ms);
  EXPECT_LE(high, 10s + 500ms);
}

TEST(TtlPolicy, CapGovernsSoTheQuestionComesBeforeTheEnd) {
  const auto [low, high] = range_of_questions(60s);
  EXPECT_GE(low, 9s);
  EXPECT_LT(low, 9s + 10ms);
  EXPECT_GT(high, 10s - 10ms);
  EXPECT_LE(high, 10s);
}

TEST(TtlPolicy, CapBelowASecond) {
  watch_options o;
  o.ttl_floor = 10ms;
  o.ttl_cap = 500ms;
  EXPECT_EQ(effective_ttl(0s, o), 10ms);
  EXPECT_EQ(effective_ttl(1s, o), 500ms);
  const auto [low, high] = range_of_questions(1s, o);
  EXPECT_GE(low, 450ms);
  EXPECT_LE(high, 500ms);
}

TEST(TtlPolicy, BackoffDoublesUpToItsMaximum) {
  random_source random(1);
  const watch_options o;
  duration nominal = 200ms;
  for (unsigned failures = 1; failures < 12; ++failures) {
    for (int i = 0; i < 200; ++i) {
      const duration wait = backoff_after(failures, o, random);
      EXPECT_LE(wait, nominal) << failures;
      EXPECT_GE(wait, nominal / 5 * 4) << failures;
    }
    nominal = std::min<duration>(nominal * 2, 10s);
  }
  EXPECT_LE(backoff_after(std::numeric_limits<unsigned>::max(), o, random), 10s);
}

TEST(TtlPolicy, BackoffHasJitter) {
  random_source random(1);
  const duration first = backoff_after(1, {}, random);
  const duration second = backoff_after(1, {}, random);
  EXPECT_NE(first, second);
}

TEST(RandomSource, SameSeedSameNumbers) {
  random_source a(42);
  random_source b(42);
  random_source c(43);
  const auto first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_NE(seed_for(1, "a.test"), seed_for(1, "b.test"));
  EXPECT_NE(seed_for(1, "a.test"), seed_for(2, "a.test"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
