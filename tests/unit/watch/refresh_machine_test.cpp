// SPDX-License-Identifier: Apache-2.0

#include "watch/refresh_machine.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

class RefreshMachine : public ::testing::Test {
 protected:
  watch_options options_;
  random_source random_{5};
  refresh_machine machine_{options_, random_};
};

TEST_F(RefreshMachine, AsksAtOnceAndOnce) {
  EXPECT_LE(machine_.due(), start);
  machine_.asked();
  EXPECT_TRUE(machine_.in_flight());
  EXPECT_EQ(machine_.due(), time_point::max());
}

TEST_F(RefreshMachine, FreshStaleExpired) {
  EXPECT_EQ(machine_.at(start), freshness::unresolved);
  machine_.on_records(60s, start);
  EXPECT_EQ(machine_.at(start + 9999ms), freshness::fresh);
  EXPECT_EQ(machine_.at(start + 10s), freshness::stale);
  EXPECT_EQ(machine_.at(start + 1h - 1ms), freshness::stale);
  EXPECT_EQ(machine_.at(start + 1h), freshness::expired);
}

TEST_F(RefreshMachine, FailuresDoNotRenewFreshness) {
  machine_.on_records(60s, start);
  machine_.on_failure(start + 5s);
  EXPECT_EQ(machine_.at(start + 10s), freshness::stale);
  EXPECT_EQ(machine_.at(start + 1h), freshness::expired);
}

TEST_F(RefreshMachine, StaleForEver) {
  options_.stale_limit = longest_duration;
  machine_.on_records(60s, start);
  EXPECT_EQ(machine_.at(start + 24h * 400), freshness::stale);
}

TEST_F(RefreshMachine, BackoffEndsWithAGoodAnswer) {
  for (int i = 0; i < 10; ++i) machine_.on_failure(start);
  EXPECT_GE(machine_.due(), start + 8s);
  machine_.on_records(60s, start);
  machine_.on_failure(start);
  EXPECT_LE(machine_.due(), start + 200ms);
}

TEST_F(RefreshMachine, ForcedRefreshOnlyBringsForward) {
  machine_.on_records(60s, start);
  const time_point planned = machine_.due();
  machine_.ask_by(start + 1h);
  EXPECT_EQ(machine_.due(), planned);
  machine_.ask_by(start + 1s);
  EXPECT_EQ(machine_.due(), start + 1s);
}

TEST_F(RefreshMachine, ForcedRefreshJoinsAQuestionInFlight) {
  machine_.asked();
  machine_.ask_by(start);
  machine_.on_records(60s, start);
  EXPECT_GE(machine_.due(), start + 9s);
}

TEST_F(RefreshMachine, Fault82_HopeEndsALongBackoff) {
  for (int i = 0; i < 10; ++i) machine_.on_failure(start);
  EXPECT_GE(machine_.due(), start + 8s);
  machine_.shorten_backoff(start + 50ms);
  EXPECT_EQ(machine_.due(), start + 200ms);
  machine_.on_failure(start + 1s);
  EXPECT_GE(machine_.due(), start + 9s) << "and nothing else";
}

TEST_F(RefreshMachine, Fault82_HopeCountsForAQuestionThatWasLostBefore) {
  for (int i = 0; i < 10; ++i) machine_.on_failure(start);
  machine_.asked();
  machine_.shorten_backoff(start + 1s);
  EXPECT_TRUE(machine_.in_flight());
  machine_.on_failure(start + 5s);
  EXPECT_LE(machine_.due(), start + 5200ms);
  machine_.asked();
  machine_.on_failure(start + 10s);
  EXPECT_LE(machine_.due(), start + 10400ms) << "doubled from there";
}

TEST_F(RefreshMachine, HopeIsNothingToWhoNeverFailed) {
  machine_.on_records(60s, start);
  const time_point planned = machine_.due();
  machine_.shorten_backoff(start);
  EXPECT_EQ(machine_.due(), planned);
}

TEST_F(RefreshMachine, Fault38_NegativeAnswerIsAskedAgainByItsTtl) {
  machine_.on_negative(5s, start);
  EXPECT_GE(machine_.due(), start + 5s);
  EXPECT_LE(machine_.due(), start + 5500ms);
  machine_.on_negative(3600s, start);
  EXPECT_LE(machine_.due(), start + 10s);
}

TEST_F(RefreshMachine, Fault40_NegativeAnswerWithoutTtlWaitsTheFloor) {
  machine_.on_negative(0s, start);
  EXPECT_GE(machine_.due(), start + 1s);
  EXPECT_LE(machine_.due(), start + 1100ms);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
