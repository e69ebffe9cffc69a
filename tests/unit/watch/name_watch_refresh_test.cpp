// SPDX-License-Identifier: Apache-2.0

// When a name is asked: rates, backoff, forced refreshes; and properties under random input.

#include "watch/name_watch.hpp"
#include "watch_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace redial {
namespace {

using testing::at;
using testing::other;
using testing::records;
using testing::v4;
using testing::v4_range;
using testing::v4s;
using testing::v6;
using testing::watch_world;
using namespace std::chrono_literals;

answer good(record_type, time_point) { return records(v4s({1, 2})); }

TEST(NameWatchRefresh, Fault23_TtlZeroIsAskedOncePerFloor) {
  watch_world w([](auto, auto) { return records(v4s({1}), 0s); });
  w.run_for(60s);
  EXPECT_LE(w.questions.size(), 61U);
  EXPECT_GE(w.questions.size(), 54U);
}

TEST(NameWatchRefresh, AForcedRefreshAsksNow) {
  watch_world w(good);
  w.run_for(3s);
  w.report(v4(1), endpoint_outcome::connect_refused);
  ASSERT_EQ(w.questions.size(), 2U);
  EXPECT_EQ(w.questions[1].first, at(3s));
}

TEST(NameWatchRefresh, EveryTroubleAsksAndSuccessDoesNot) {
  for (const auto outcome : {endpoint_outcome::connect_refused,
                             endpoint_outcome::connection_reset,
                             endpoint_outcome::timed_out,
                             endpoint_outcome::moved}) {
    watch_world w(good);
    w.run_for(3s);
    w.report(v4(1), outcome);
    EXPECT_EQ(w.questions.size(), 2U);
  }
  watch_world w(good);
  w.run_for(3s);
  w.report(v4(1), endpoint_outcome::connected);
  EXPECT_EQ(w.questions.size(), 1U);
}

TEST(NameWatchRefresh, ASecondForcedRefreshIsDeferredNotDropped) {
  watch_world w(good);
  w.run_for(3s);
  w.refresh();
  w.run_for(100ms);
  for (int i = 0; i < 50; ++i) w.refresh();
  EXPECT_EQ(w.questions.size(), 2U);
  EXPECT_EQ(w.deferred, 50);
  w.run_for(1900ms);
  ASSERT_EQ(w.questions.size(), 3U);
  EXPECT_EQ(w.questions[2].first, at(5s));
  w.run_for(3s);
  EXPECT_EQ(w.questions.size(), 3U) << "fifty deferred requests are one";
}

TEST(NameWatchRefresh, ForcedRefreshesKeepTheirDistance) {
  watch_world w(good);
  for (int i = 0; i < 857; ++i) {
    w.run_for(70ms);  // out of step with the interval
    w.refresh();
  }
  EXPECT_LE(w.questions.size(), 32U);
  for (std::size_t i = 2; i < w.questions.size(); ++i) {
    EXPECT_GE(w.questions[i].first - w.questions[i - 1].first, 2s);
  }
}

TEST(NameWatchRefresh, AForcedRefreshJoinsTheQuestionInFlight) {
  watch_world w(good);
  w.refresh();
  EXPECT_EQ(w.joined, 1);
  w.run_for(1s);
  EXPECT_EQ(w.questions.size(), 1U);
}

TEST(NameWatchRefresh, Fault82_OneProbePerBackoffInALongOutage) {
  watch_world w([](auto, time_point now) {
    return now < at(5s) ? records(v4s({1})) : other(answer_outcome::timeout);
  });
  w.run_for(1h);
  // 6 doublings from 200 ms, then one every 8 to 10 s.
  EXPECT_LE(w.questions.size(), 2U + 6U + 450U);
  EXPECT_GE(w.questions.size(), 360U);
  for (std::size_t i = 12; i < w.questions.size(); ++i) {
    const duration gap = w.questions[i].first - w.questions[i - 1].first;
    EXPECT_GE(gap, 8s);
    EXPECT_LE(gap, 10s + w.latency);
  }
}

TEST(NameWatchRefresh, Fault82_RecoveryWithinOneBackoffStep) {
  watch_world w([](auto, time_point now) {
    if (now < at(5s)) return records(v4s({1}));
    return now < at(1h) ? other(answer_outcome::timeout) : records(v4s({2}));
  });
  w.run_to(at(1h) + 10s + w.latency);
  EXPECT_EQ(w.addresses(), v4s({2}));
  EXPECT_EQ(w.current()->state, freshness::fresh);
}

TEST(NameWatchRefresh, Fault81_AFlappingServerIsNotAskedFasterThanTheBackoff) {
  watch_world w([](auto, time_point now) {
    const bool up = (now - at(0s)) / 1s % 2 == 0;
    return up ? records(v4s({1})) : other(answer_outcome::server_failure);
  });
  w.run_for(10min);
  for (std::size_t i = 1; i < w.questions.size(); ++i) {
    EXPECT_GE(w.questions[i].first - w.questions[i - 1].first, 160ms);
  }
  EXPECT_EQ(w.changes.size(), 1U);
}

TEST(NameWatchRefresh, Fault121_ALateTimerAsksOnce) {
  const watch_options options = watch_world::seeded();
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  (void)watch.on_answer(records(v4s({1})), at(1ms));
  auto step = watch.on_time(at(3h));  // the process was stopped
  EXPECT_EQ(step.ask.size(), 1U);
  step = watch.on_time(at(3h));
  EXPECT_TRUE(step.ask.empty());
  step = watch.on_answer(records(v4s({1})), at(3h + 1ms));
  EXPECT_TRUE(step.ask.empty());
  EXPECT_GE(step.wake, at(3h + 9s));
}

TEST(NameWatchRefresh, Fault120_AfterSuspendAllIsAskedWithinASecond) {
  watch_world w(good);
  w.run_for(1s);
  w.suspended();
  w.run_for(1s + w.latency);
  EXPECT_EQ(w.questions.size(), 2U);
}

TEST(NameWatchRefresh, PausedItAsksNothingAndResumedWhatIsDue) {
  const watch_options options = watch_world::seeded();
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  watch.pause();
  auto step = watch.on_answer(records(v4s({1})), at(1ms));
  EXPECT_TRUE(step.publish);
  EXPECT_TRUE(watch.on_refresh_wanted(at(2s)).ask.empty());
  EXPECT_TRUE(watch.on_time(at(20s)).ask.empty());
  step = watch.resume(at(21s));
  EXPECT_EQ(step.ask.size(), 1U);
  EXPECT_EQ(watch.current()->state, freshness::stale);
}

TEST(NameWatchRefresh, Fault59_60_AnswersToNoQuestionAreIgnored) {
  const watch_options options = watch_world::seeded();
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  (void)watch.on_answer(records(v4s({1})), at(1ms));
  const auto late = watch.on_answer(records(v4s({9})), at(2ms));
  EXPECT_FALSE(late.publish);
  const auto wrong_type = watch.on_answer(records({v6(9)}), at(3ms));
  EXPECT_FALSE(wrong_type.publish);
  ASSERT_EQ(watch.current()->endpoints.size(), 1U);
  EXPECT_EQ(watch.current()->endpoints[0].where.addr, v4(1));
}

TEST(NameWatchRefresh, SameSeedSameQuestions) {
  const auto times = [](std::uint64_t seed) {
    const watch_options options = watch_world::seeded();
    std::vector<time_point> all;
    detail::name_watch watch("n.test", options, seed);
    time_point now = at(0s);
    auto step = watch.on_time(now);
    for (int i = 0; i < 100; ++i) {
      if (!step.ask.empty()) {
        all.push_back(now);
        step = watch.on_answer(records(v4s({1})), now);
      }
      now = step.wake;
      step = watch.on_time(now);
    }
    return all;
  };
  EXPECT_EQ(times(1), times(1));
  EXPECT_NE(times(1), times(2));
}

// Random zones, latencies, reports and refreshes. After every event: the next wake-up is later than
// now and within the longest interval, generations grow by one, snapshots are sorted and unique.
class NameWatchProperty : public ::testing::TestWithParam<std::uint64_t> {};

answer random_answer(detail::random_source& random, record_type type) {
  const auto dice = random.next() % 10;
  if (dice >= 4) {
    std::vector<address> all;
    const unsigned shown = dice >= 8 ? 8 : 1 + static_cast<unsigned>(random.next() % 12);
    while (all.size() < shown) {
      const auto n = static_cast<unsigned>(random.next() % 20);
      const address a = type == record_type::a ? v4(n) : v6(n);
      if (std::find(all.begin(), all.end(), a) == all.end()) all.push_back(a);
    }
    std::sort(all.begin(), all.end());
    return records(all, std::chrono::seconds{random.next() % 100});
  }
  constexpr answer_outcome outcomes[] = {answer_outcome::timeout,
                                         answer_outcome::no_data,
                                         answer_outcome::name_not_found,
                                         answer_outcome::server_failure};
  return other(outcomes[dice], type, std::chrono::seconds{random.next() % 100});
}

void check(const snapshot& s, std::uint64_t generation) {
  ASSERT_EQ(s.generation, generation);
  for (std::size_t i = 1; i < s.endpoints.size(); ++i) {
    ASSERT_LT(s.endpoints[i - 1].where, s.endpoints[i].where);
  }
  for (const auto& e : s.endpoints) {
    ASSERT_GT(e.life, 0U);
    ASSERT_TRUE(!e.doubted || e.presence == presence::absent);
  }
  if (s.endpoints.empty()) {
    ASSERT_TRUE(s.error);
    ASSERT_NE(s.state, freshness::fresh);
  }
  ASSERT_TRUE(!s.definite || (s.error && s.endpoints.empty()));
}

TEST_P(NameWatchProperty, HoldsWhateverHappens) {
  detail::random_source random(GetParam());
  watch_options o = watch_world::seeded(true);
  o.stale_limit = 2min;
  watch_world w([&](record_type type, time_point) { return random_answer(random, type); }, o);
  std::size_t checked = 0;
  for (int i = 0; i < 1000; ++i) {
    w.latency = random.between(0s, 3s);
    const auto dice = random.next() % 8;
    if (dice == 0) w.refresh();
    if (dice == 1) {
      w.report(v4(static_cast<unsigned>(random.next() % 20)),
               static_cast<endpoint_outcome>(random.next() % 5),
               random.next() % 2 == 0);
    }
    w.run_for(random.between(0s, 5s));
    ASSERT_GT(w.wake(), w.now());
    ASSERT_LE(w.wake(), w.now() + 2min) << "somebody is always waited for";
    for (; checked < w.published.size(); ++checked) {
      ASSERT_NO_FATAL_FAILURE(check(*w.published[checked], checked + 1));
    }
  }
  // About 2500 s: no busy loop, and no question more often than the rules allow: only a forced one
  // comes sooner after the last than the shortest backoff, and those keep their distance.
  EXPECT_LT(w.events, 20000);
  for (const record_type type : {record_type::a, record_type::aaaa}) {
    std::optional<time_point> last;
    std::optional<time_point> last_early;
    for (const auto& [when, asked] : w.questions) {
      if (asked != type) continue;
      if (last && when - *last < o.backoff_base / 5 * 4) {
        if (last_early) {
          ASSERT_GE(when - *last_early, o.min_forced_refresh_interval);
        }
        last_early = when;
      }
      last = when;
    }
  }
  EXPECT_GT(checked, 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, NameWatchProperty, ::testing::Range<std::uint64_t>(1, 6));

}  // namespace
}  // namespace redial
