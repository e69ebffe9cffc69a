// SPDX-License-Identifier: Apache-2.0
#include <redial/core/time.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using redial::after;
using redial::clamped;
using redial::duration;
using redial::longest_duration;
using redial::remaining;
using redial::time_point;

constexpr time_point noon = time_point{} + 12h;

static_assert(clamped(-1s) == 0s && clamped(5s) == 5s &&
              clamped(duration::max()) == longest_duration);

TEST(Time, Fault88_AdditionStopsAtTheEndsOfTime) {
  EXPECT_EQ(after(noon, 1s), noon + 1s);
  EXPECT_EQ(after(noon, -1s), noon - 1s);
  EXPECT_EQ(after(noon, duration::max()), time_point::max());
  EXPECT_EQ(after(time_point::max(), 1ns), time_point::max());
  EXPECT_EQ(after(time_point::max(), duration::max()), time_point::max());
  EXPECT_EQ(after(time_point::min(), -1ns), time_point::min());
  EXPECT_EQ(after(time_point::min(), duration::min()), time_point::min());
  EXPECT_EQ(after(time_point::max(), -1ns), time_point::max() - 1ns);
}

TEST(Time, Fault88_WhatRemainsIsBetweenZeroAndTheLongest) {
  EXPECT_EQ(remaining(noon, noon + 5s), 5s);
  EXPECT_EQ(remaining(noon, noon), 0s);
  EXPECT_EQ(remaining(noon, noon - 1s), 0s);
  EXPECT_EQ(remaining(noon, time_point::max()), longest_duration);
  EXPECT_EQ(remaining(time_point::min(), time_point::max() - 1ns), longest_duration);
  EXPECT_EQ(remaining(time_point::max(), time_point::min()), 0s);
  EXPECT_EQ(remaining(noon, noon + longest_duration), longest_duration);
}

}  // namespace
