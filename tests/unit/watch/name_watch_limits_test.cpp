// SPDX-License-Identifier: Apache-2.0

// Options at the ends of their ranges, and the end of time.

#include "watch/name_watch.hpp"
#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::other;
using testing::records;
using ::testing::SizeIs;
using testing::v4;
using testing::v4_range;
using testing::v4s;
using testing::watch_world;
using namespace std::chrono_literals;

TEST(NameWatchLimits, WithoutAnAbsenceWindowAMissingOneIsDoubtedAtOnceAndStillNeedsItsMisses) {
  watch_options o = watch_world::seeded();
  o.absence_window = 0s;
  o.membership = membership::sampled;
  answer said = records(v4_range(1, 8), 5s);
  watch_world w([&](record_type, time_point) { return said; }, o);
  w.run_for(1s);
  said = records(v4_range(2, 8), 5s);
  w.run_for(5s);
  ASSERT_NE(w.entry(v4(1)), nullptr);
  EXPECT_TRUE(w.entry(v4(1))->doubted);
  w.run_for(5200ms * (misses_needed(8, 9) - 1));
  EXPECT_EQ(w.entry(v4(1)), nullptr);
}

TEST(NameWatchLimits, WithoutAnAbsenceWindowANegativeAnswerDoubtsAtOnceAndDrainsAtTheLimit) {
  watch_options o = watch_world::seeded();
  o.absence_window = 0s;
  answer said = records(v4s({1, 2}), 5s);
  watch_world w([&](record_type, time_point) { return said; }, o);
  w.run_for(1s);
  said = other(answer_outcome::name_not_found);
  w.run_to(at(10s));
  EXPECT_TRUE(w.entry(v4(1))->doubted);
  w.run_to(at(1h - 1s));
  EXPECT_THAT(w.addresses(), SizeIs(2));
  w.run_to(at(1h + 11s));
  EXPECT_THAT(w.addresses(), IsEmpty());
}

TEST(NameWatchLimits, WithoutAnIntervalEveryForcedRefreshAsksButNeverTwiceAtOnce) {
  watch_options o = watch_world::seeded();
  o.min_forced_refresh_interval = 0s;
  watch_world w([](record_type, time_point) { return records(v4s({1})); }, o);
  w.run_for(1s);
  for (int n = 0; n < 3; ++n) w.refresh();
  EXPECT_THAT(w.questions, SizeIs(2));
  w.run_for(10ms);
  w.refresh();
  EXPECT_THAT(w.questions, SizeIs(3));
  EXPECT_EQ(w.deferred, 0);
}

TEST(NameWatchLimits, AtTheEndOfTimeNothingOverflows) {
  const watch_options o = watch_world::seeded();
  name_watch w{"n.test", o, 7};
  const time_point late = time_point::max() - 1s;
  watch_step step = w.on_time(late);
  ASSERT_THAT(step.ask, ElementsAre(record_type::a));
  step = w.on_answer(records(v4s({1})), late);
  EXPECT_THAT(w.current()->endpoints, SizeIs(1));
  EXPECT_EQ(step.wake, time_point::max());
  step = w.on_hosts(v4s({2}), late);
  step = w.on_hosts({}, late);
  step = w.on_refresh_wanted(late);
  EXPECT_THAT(w.current()->endpoints, SizeIs(1));
  EXPECT_GT(step.wake, late);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
