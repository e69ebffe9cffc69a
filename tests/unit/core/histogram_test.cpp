// SPDX-License-Identifier: Apache-2.0
#include <redial/core/histogram.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace std::chrono_literals;
using redial::latency_histogram;

TEST(Histogram, ABoundBelongsToItsBucket) {
  for (std::size_t i = 0; i < latency_histogram::bounds.size(); ++i) {
    latency_histogram h;
    h.add(latency_histogram::bounds[i]);
    EXPECT_EQ(h.bucket(i), 1U) << i;
    h.add(latency_histogram::bounds[i] + 1ns);
    EXPECT_EQ(h.bucket(i + 1), 1U) << i;
  }
}

TEST(Histogram, TheLastBucketHasNoBound) {
  latency_histogram h;
  h.add(redial::longest_duration);
  EXPECT_EQ(h.bucket(latency_histogram::bounds.size()), 1U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 31536000.0);
}

TEST(Histogram, CountsAndAddsUp) {
  latency_histogram h;
  h.add(2ms);
  h.add(40ms, 3);
  h.add(-1s);  // a clock that went back is no time
  EXPECT_EQ(h.count(), 5U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 0.122);
  EXPECT_EQ(h.bucket(0), 1U);
  latency_histogram other;
  other.add(2ms);
  other += h;
  EXPECT_EQ(other.count(), 6U);
  EXPECT_DOUBLE_EQ(other.sum_seconds(), 0.124);
  EXPECT_NE(other, h);
}

TEST(Histogram, Fault123_ASumThatIsFullWrapsAndGoesOn) {
  latency_histogram h;
  h.add(1s, std::numeric_limits<std::uint64_t>::max());
  h.add(1s, 3);
  EXPECT_EQ(h.count(), 2U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 2.0);
}

}  // namespace
