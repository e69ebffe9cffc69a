// SPDX-License-Identifier: Apache-2.0

// What one family's answer says about the other one's NODATA.

#include "watch/name_watch.hpp"
#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace redial {
namespace {

using testing::at;
using testing::other;
using testing::records;
using testing::v4s;
using testing::v6;
using testing::watch_world;
using namespace std::chrono_literals;

answer nothing(record_type type) { return other(answer_outcome::no_data, type); }
answer good(record_type type) {
  return type == record_type::a ? records(v4s({1, 2})) : records({v6(1)});
}

std::size_t asked_between(const watch_world& w, time_point from, time_point to) {
  return static_cast<std::size_t>(
      std::count_if(w.questions.begin(), w.questions.end(), [&](const auto& q) {
        return q.first >= from && q.first < to;
      }));
}

// The families' answers never come at the same instant: the first NODATA arrives while the other
// family is fresh.
TEST(NameWatchFamilies, Fault87_AMomentWithoutRecordsTakesNothing) {
  for (const auto length : {1ms, 50ms, 1000ms, 9000ms}) {
    watch_world w(
        [&](record_type type, time_point now) {
          return now >= at(20s) && now < at(30s + length) ? nothing(type) : good(type);
        },
        watch_world::seeded(true));
    w.run_for(60s);
    EXPECT_THAT(w.changes, ::testing::SizeIs(3)) << "added, and nothing else";
    EXPECT_EQ(w.addresses().size(), 3u);
    EXPECT_FALSE(w.current()->error);
  }
}

TEST(NameWatchFamilies, AFamilyThatIsGivenUpIsGoneAfterTwoMoreRoundTrips) {
  for (const auto gone : {record_type::a, record_type::aaaa}) {
    watch_world w(
        [&](record_type type, time_point now) {
          return now >= at(25s) && type == gone ? nothing(type) : good(type);
        },
        watch_world::seeded(true));
    w.run_to(at(35s + 3 * w.latency));
    EXPECT_EQ(w.addresses(), gone == record_type::a ? std::vector{v6(1)} : v4s({1, 2}));
    EXPECT_FALSE(w.current()->error);
  }
}

TEST(NameWatchFamilies, ANameOfOneFamilyIsNotAskedForMoreOften) {
  const auto asked = [](bool both) {
    watch_world w([](record_type type,
                     time_point) { return type == record_type::a ? good(type) : nothing(type); },
                  watch_world::seeded(both));
    w.run_for(1h);
    return w.questions.size();
  };
  EXPECT_LE(asked(true), asked(false) * 5 / 2);
}

// Each has a backoff of its own, and of up to ten seconds.
TEST(NameWatchFamilies, Fault82_WhoIsHeardFirstAfterAnOutageWakesTheOther) {
  const time_point up = at(2min + 3s);
  watch_world w(
      [&](record_type type, time_point now) {
        const bool out = now > at(20s) && now < up;
        return out ? other(answer_outcome::timeout, type) : good(type);
      },
      watch_world::seeded(true));
  w.run_to(up);
  EXPECT_EQ(w.current()->state, freshness::stale);
  while (asked_between(w, up, w.now()) == 0) w.run_for(1ms);
  w.run_for(10ms);
  EXPECT_EQ(w.current()->state, freshness::fresh);
  EXPECT_FALSE(w.current()->error);
}

TEST(NameWatchFamilies, AFamilyThatFailsSaysNothingAboutTheOther) {
  watch_world w(
      [](record_type type, time_point now) {
        if (now < at(20s)) return good(type);
        return type == record_type::a ? nothing(type) : other(answer_outcome::server_failure, type);
      },
      watch_world::seeded(true));
  w.run_for(60s);
  EXPECT_EQ(w.addresses().size(), 3u);
  // Nor do two that cannot tell ask each other over and over.
  EXPECT_LE(asked_between(w, at(20s), at(60s)), 2u * 14);
}

TEST(NameWatchFamilies, BothWithoutRecordsDoNotAskEachOther) {
  watch_world w(
      [](record_type type, time_point now) { return now < at(20s) ? good(type) : nothing(type); },
      watch_world::seeded(true));
  w.run_for(60s);
  EXPECT_EQ(w.addresses().size(), 3u);
  EXPECT_LE(asked_between(w, at(20s), at(60s)), 2u * 14);
}

TEST(NameWatchFamilies, AnInterruptedDenialStartsOver) {
  const watch_options options = watch_world::seeded(true);
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  (void)watch.on_answer(good(record_type::a), at(0s));
  (void)watch.on_answer(good(record_type::aaaa), at(0s));
  (void)watch.on_time(at(10s));
  (void)watch.on_answer(nothing(record_type::a), at(10s));
  auto step = watch.on_answer(good(record_type::aaaa), at(10s));
  EXPECT_THAT(step.ask, ::testing::ElementsAre(record_type::a)) << "to be sure";
  (void)watch.on_answer(other(answer_outcome::name_not_found), at(10s));
  step = watch.on_time(at(11s));
  ASSERT_THAT(step.ask, ::testing::Contains(record_type::a));
  (void)watch.on_answer(nothing(record_type::a), at(11s));
  EXPECT_EQ(watch.current()->endpoints.size(), 3u);
}

}  // namespace
}  // namespace redial
