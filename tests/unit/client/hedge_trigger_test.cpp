// SPDX-License-Identifier: Apache-2.0
#include "client/hedge_trigger.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

hedge_policy percentile(double p) {
  hedge_policy h;
  h.when = hedge_policy::trigger::after_percentile;
  h.percentile = p;
  h.delay = 1ms;
  return h;
}

TEST(HedgeTrigger, IsOffByDefault) {
  hedge_trigger t{hedge_policy()};
  EXPECT_FALSE(t.is_on());
  EXPECT_EQ(t.delay(), hedge_trigger::never);
}

TEST(HedgeTrigger, AFixedDelayNeedsNoSamples) {
  hedge_policy h;
  h.when = hedge_policy::trigger::after_delay;
  h.delay = 30ms;
  hedge_trigger t{h};
  EXPECT_EQ(t.delay(), 30ms);
  for (int i = 0; i < 1000; ++i) t.succeeded(1s);
  EXPECT_EQ(t.delay(), 30ms);
}

TEST(HedgeTrigger, APercentileNeedsItsSamples) {
  hedge_trigger t{percentile(95)};
  for (int i = 1; i < 50; ++i) t.succeeded(i * 1ms);
  EXPECT_EQ(t.delay(), hedge_trigger::never);
  t.succeeded(50ms);
  EXPECT_EQ(t.delay(), 48ms) << "95 % of 50 are 47.5";
}

TEST(HedgeTrigger, FollowsTheLast256) {
  hedge_trigger t{percentile(50)};
  for (int i = 0; i < 256; ++i) t.succeeded(10ms);
  EXPECT_EQ(t.delay(), 10ms);
  for (int i = 0; i < 256; ++i) t.succeeded(70ms);
  EXPECT_EQ(t.delay(), 70ms);
}

TEST(HedgeTrigger, WaitsAtLeastItsDelay) {
  hedge_policy h = percentile(99);
  h.delay = 20ms;
  hedge_trigger t{h};
  for (int i = 0; i < 100; ++i) t.succeeded(1us);
  EXPECT_EQ(t.delay(), 20ms);
}

TEST(HedgeTrigger, Fault151_AtMostItsShareOfTheCallsGetsASecondAttempt) {
  hedge_trigger t{hedge_policy()};
  const time_point now = time_point{} + 1h;
  EXPECT_FALSE(t.try_spend(now));
  for (int i = 0; i < 200; ++i) t.call_started(now);
  int spent = 0;
  while (spent < 1000 && t.try_spend(now)) ++spent;
  EXPECT_EQ(spent, 20);
  EXPECT_FALSE(t.try_spend(now + 11s)) << "calls are forgotten too";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
