// SPDX-License-Identifier: Apache-2.0
// Percentiles of durations.

#include "churn/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, EmptyIsZero) {
  const histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.percentile(99), 0us);
  EXPECT_EQ(h.max(), 0us);
}

TEST(Histogram, SmallValuesAreExact) {
  histogram h;
  for (int i = 1; i <= 100; ++i) h.add(std::chrono::microseconds{i});
  EXPECT_EQ(h.percentile(0), 1us);
  EXPECT_EQ(h.percentile(1), 1us);
  EXPECT_EQ(h.percentile(50), 50us);
  EXPECT_EQ(h.percentile(100), 100us);
}

TEST(Histogram, RanksByCeilingWithoutBinaryNoise) {
  histogram h;
  for (int i = 0; i < 999; ++i) h.add(1us);
  h.add(60us);
  EXPECT_EQ(h.percentile(99.9), 1us);
  EXPECT_EQ(h.percentile(99.91), 60us);
}

TEST(Histogram, IsNeverTooLowAndHardlyTooHigh) {
  std::mt19937_64 random(1);
  std::vector<std::int64_t> values;
  histogram h;
  for (int i = 0; i < 20'000; ++i) {
    // Of all magnitudes up to an hour.
    const auto value = static_cast<std::int64_t>(random() % (1ULL << (random() % 32)));
    values.push_back(value);
    h.add(std::chrono::microseconds{value});
  }
  std::sort(values.begin(), values.end());
  for (const double p : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<std::size_t>(p / 100 * 20'000 + 0.999) - 1;
    const auto exact = std::chrono::microseconds{values[rank]};
    EXPECT_GE(h.percentile(p), exact) << p;
    EXPECT_LE(h.percentile(p), exact + exact / 64 + 1us) << p;
  }
}

TEST(Histogram, ExtremesAreCut) {
  histogram h;
  h.add(-5s);
  h.add(1000h);
  EXPECT_EQ(h.percentile(50), 0us);
  EXPECT_EQ(h.max(), std::chrono::microseconds{0xffffffff});
  EXPECT_EQ(h.percentile(100), h.max());
}

TEST(Histogram, Adds) {
  histogram a;
  histogram b;
  a.add(1us);
  b.add(50us);
  a.add(b);
  EXPECT_EQ(a.count(), 2U);
  EXPECT_EQ(a.max(), 50us);
}

}  // namespace
}  // namespace redial::churn
