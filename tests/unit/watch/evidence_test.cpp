// SPDX-License-Identifier: Apache-2.0

#include "watch/evidence.hpp"

#include "watch_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using testing::v4;
using testing::v4_range;
using testing::v4s;
using namespace std::chrono_literals;

class Evidence : public ::testing::Test {
 protected:
  /// An answer of an authority: a full TTL each time, so every one is independent.
  void answer(const std::vector<address>& records, duration when, std::chrono::seconds ttl = 60s) {
    observe([&] { left_out_ += evidence_.on_records(records, ttl, at(when), room_).left_out; });
  }
  void time_passes(time_point now) {
    observe([&] { evidence_.on_time(now); });
  }
  void fails_at(const address& a) {
    observe([&] { evidence_.on_failure_at(a); });
  }
  void doubt_all() {
    observe([&] { evidence_.doubt_all(); });
  }
  void drop_all() {
    observe([&] { evidence_.drop_all(); });
  }
  [[nodiscard]] const member* find(const address& a) const {
    for (const member& m : evidence_.members()) {
      if (m.where == a) return &m;
    }
    return nullptr;
  }
  [[nodiscard]] bool is_present(const address& a) const {
    return find(a) != nullptr && find(a)->presence == presence::present;
  }
  [[nodiscard]] bool is_absent(const address& a) const {
    return find(a) != nullptr && find(a)->presence == presence::absent;
  }
  [[nodiscard]] bool has_departed(const address& a) const { return find(a) == nullptr; }
  [[nodiscard]] long count(const address& a, endpoint_change change) const {
    return std::count(changes_.begin(), changes_.end(), std::pair{a, change});
  }

  /// Notes what `step` did to the members.
  template <class Step>
  void observe(Step step) {
    const std::vector<member> before = evidence_.members();
    const bool all_doubted = evidence_.all_doubted();
    step();
    for (const member& was : before) {
      const member* const is = find(was.where);
      if (is == nullptr) {
        changes_.emplace_back(was.where, endpoint_change::departed);
        continue;
      }
      const bool doubted = is->doubted || evidence_.all_doubted();
      const bool was_doubted = was.doubted || all_doubted;
      if (doubted && !was_doubted) changes_.emplace_back(was.where, endpoint_change::doubted);
      if (is->presence != was.presence || (was_doubted && !doubted)) {
        changes_.emplace_back(was.where,
                              is->presence == presence::present ? endpoint_change::returned
                                                                : endpoint_change::absent);
      }
    }
    for (const member& m : evidence_.members()) {
      const bool known = std::any_of(
          before.begin(), before.end(), [&m](const member& b) { return b.where == m.where; });
      if (!known) changes_.emplace_back(m.where, endpoint_change::added);
    }
  }

  watch_options options_;
  std::size_t room_ = 4096;
  evidence evidence_{options_};
  std::vector<std::pair<address, endpoint_change>> changes_;
  std::uint32_t left_out_ = 0;
};

TEST_F(Evidence, KByTheFormula) {
  EXPECT_EQ(misses_needed(8, 12), 13U);
  EXPECT_EQ(misses_needed(8, 20), 28U);
  EXPECT_EQ(misses_needed(8, 50), 80U);
  EXPECT_EQ(misses_needed(1, 2), 20U);
}

TEST_F(Evidence, KIsAtLeastThree) {
  EXPECT_EQ(misses_needed(8, 8), 3U);
  EXPECT_EQ(misses_needed(9, 8), 3U);
  EXPECT_EQ(misses_needed(999, 1000), 3U);
  EXPECT_EQ(misses_needed(0, 10), 3U);
}

TEST_F(Evidence, CompleteNameMissingDepartsAtOnce) {
  answer(v4s({1, 2, 3}), 0s);
  answer(v4s({1, 3}), 10s);
  EXPECT_TRUE(has_departed(v4(2)));
  EXPECT_EQ(count(v4(2), endpoint_change::departed), 1);
  EXPECT_FALSE(evidence_.rotating());
}

TEST_F(Evidence, ARoleThatMovesDepartsAtOnce) {
  answer(v4s({1}), 0s, 0s);
  answer(v4s({2}), 1s, 0s);
  EXPECT_TRUE(has_departed(v4(1)));
  EXPECT_TRUE(is_present(v4(2)));
}

TEST_F(Evidence, Fault37_OrderAndRepetitionChangeNothing) {
  answer(v4s({3, 1, 2}), 0s);
  changes_.clear();
  answer(v4s({2, 3, 1}), 10s);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(Evidence, EightRecordsThatDifferAreASample) {
  answer(v4_range(1, 8), 0s);
  EXPECT_FALSE(evidence_.rotating());
  answer(v4_range(2, 8), 10s);
  EXPECT_TRUE(evidence_.rotating());
  EXPECT_TRUE(is_absent(v4(1)));
  EXPECT_EQ(count(v4(1), endpoint_change::absent), 1);
}

TEST_F(Evidence, SevenOrNineRecordsThatDifferAreAll) {
  answer(v4_range(1, 7), 0s);
  answer(v4_range(2, 7), 10s);
  EXPECT_FALSE(evidence_.rotating());
  EXPECT_TRUE(has_departed(v4(1)));
  answer(v4_range(20, 9), 20s);
  answer(v4_range(30, 9), 30s);
  EXPECT_FALSE(evidence_.rotating());
}

TEST_F(Evidence, AReturnWithinFiveMinutesShowsRotation) {
  answer(v4s({1, 2, 3}), 0s);
  answer(v4s({1, 2}), 10s);
  answer(v4s({1, 3}), 10s + 5min);  // 3 went missing five minutes ago; 2 goes missing now
  EXPECT_TRUE(evidence_.rotating());
  EXPECT_TRUE(is_absent(v4(2)));
}

TEST_F(Evidence, ALaterReturnShowsNothing) {
  answer(v4s({1, 2, 3}), 0s);
  answer(v4s({1, 2}), 10s);
  answer(v4s({1, 3}), 10s + 5min + 1s);
  EXPECT_FALSE(evidence_.rotating());
  EXPECT_TRUE(has_departed(v4(2)));
}

TEST_F(Evidence, FailbackOfOneRecordNeedsThreeReturns) {
  answer(v4s({1}), 0s);
  answer(v4s({2}), 10s);
  answer(v4s({1}), 20s);  // first return
  EXPECT_TRUE(has_departed(v4(2)));
  answer(v4s({2}), 30s);  // second
  EXPECT_FALSE(evidence_.rotating());
  EXPECT_TRUE(has_departed(v4(1)));
  answer(v4s({1}), 40s);  // third
  EXPECT_TRUE(evidence_.rotating());
  EXPECT_TRUE(is_absent(v4(2)));
}

TEST_F(Evidence, ReturnsOfOneRecordFarApartAreNotCountedTogether) {
  duration t = 0s;
  for (int i = 0; i < 10; ++i) {
    answer(v4s({1}), t);
    answer(v4s({2}), t + 10s);
    answer(v4s({1}), t + 20s);  // one return, then peace for a quarter of an hour
    t += 15min;
  }
  EXPECT_FALSE(evidence_.rotating());
}

TEST_F(Evidence, RotationEndsTenMinutesAfterTheLastReturn) {
  answer(v4s({1, 2, 3}), 0s);
  answer(v4s({1, 2}), 10s);
  answer(v4s({1, 3}), 20s);  // 3 returns: rotating; 2 absent
  answer(v4s({1, 3, 4}), 20s + 10min - 5s);
  EXPECT_TRUE(evidence_.rotating());
  answer(v4s({1, 3, 4}), 20s + 10min);
  EXPECT_FALSE(evidence_.rotating());
  answer(v4s({1, 3}), 30s + 10min);
  EXPECT_TRUE(has_departed(v4(4)));
}

TEST_F(Evidence, RotationGoesOnWhileAddressesReturn) {
  answer(v4s({1, 2, 3}), 0s);
  answer(v4s({1, 2}), 10s);
  answer(v4s({1, 3}), 20s);      // 3 returns: rotating; 2 absent
  answer(v4s({1, 2, 3}), 1min);  // 2 returns
  answer(v4s({1, 2}), 8min);
  answer(v4s({1, 2, 3}), 9min);  // 3 returns
  answer(v4s({1, 2}), 11min);
  EXPECT_TRUE(evidence_.rotating());
  EXPECT_TRUE(is_absent(v4(3)));
}

TEST_F(Evidence, AnswersFromOneCachedCopyCountOnce) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 60s, 60s);  // 1 is missing: the first miss
  ASSERT_TRUE(is_absent(v4(1)));
  for (int i = 1; i <= 50; ++i) {
    // The cache's copy counts down; its end is seen with an error of up to a second.
    const duration wobble = (i % 2 == 0) ? 1s : 0s;
    answer(v4_range(2, 8), 60s + 1s * i - wobble, std::chrono::seconds{60 - i});
  }
  ASSERT_NE(find(v4(1)), nullptr) << "copies of one answer were counted as evidence";
  EXPECT_EQ(find(v4(1))->misses, 1U);
}

TEST_F(Evidence, ACopyThatEndsOverASecondLaterIsIndependent) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 10s, 60s);
  answer(v4_range(2, 8), 12s, 59s);  // ends at 71 s instead of 70 s: same copy
  EXPECT_EQ(find(v4(1))->misses, 1U);
  answer(v4_range(2, 8), 14s, 59s);  // ends at 73 s: another one
  EXPECT_EQ(find(v4(1))->misses, 2U);
}

TEST_F(Evidence, CopiesOfSeveralCachesThatTakeTurnsCountOnceEach) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 10s);  // 1 is absent, first miss
  answer(v4_range(3, 8), 20s);  // and another cache
  for (int n = 0; n < 10; ++n) {
    const auto later = std::chrono::seconds{2 * n};
    answer(v4_range(2, 8), 21s + later, 49s - later);
    answer(v4_range(3, 8), 22s + later, 58s - later);
  }
  ASSERT_TRUE(is_absent(v4(1)));
  EXPECT_EQ(find(v4(1))->misses, 2U);
  answer(v4_range(2, 8), 71s);  // that cache has asked again
  EXPECT_EQ(find(v4(1))->misses, 3U);
}

TEST_F(Evidence, OtherRecordsAreIndependentWhateverTheirEnd) {
  answer(v4_range(1, 8), 0s, 60s);
  answer(v4_range(2, 8), 10s, 50s);
  EXPECT_TRUE(is_absent(v4(1)));
}

TEST_F(Evidence, AbsentDepartsOnlyAfterWindowAndMisses) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(5, 8), 10s);  // 1..4 absent; 12 known: 13 misses needed
  for (int misses = 2; misses <= 12; ++misses) answer(v4_range(5, 8), 10s * misses);
  EXPECT_TRUE(is_absent(v4(1))) << "12 misses and 110 s";
  answer(v4_range(5, 8), 130s);
  EXPECT_TRUE(has_departed(v4(1)));
  EXPECT_TRUE(has_departed(v4(4)));
}

TEST_F(Evidence, EnoughMissesButNotTheWindowKeepIt) {
  answer(v4_range(1, 8), 0s, 1s);
  for (int i = 0; i < 20; ++i) answer(v4_range(5, 8), 10s + i * 1100ms, 1s);
  ASSERT_TRUE(is_absent(v4(1)));
  EXPECT_EQ(evidence_.next_time(), at(40s));
  time_passes(at(40s) - 1ms);
  EXPECT_TRUE(is_absent(v4(1)));
  time_passes(at(40s));
  EXPECT_TRUE(has_departed(v4(1)));
}

TEST_F(Evidence, DoubtedFromTheWindowOn) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 10s);
  time_passes(at(40s) - 1ms);
  EXPECT_FALSE(find(v4(1))->doubted);
  time_passes(at(40s));
  EXPECT_TRUE(find(v4(1))->doubted);
  time_passes(at(50s));
  EXPECT_EQ(count(v4(1), endpoint_change::doubted), 1);
}

TEST_F(Evidence, AbsentSeenAgainIsPresentAgainInTheSameLife) {
  answer(v4_range(1, 8), 0s);
  const auto since = find(v4(1))->first_seen;
  answer(v4_range(2, 8), 10s);
  time_passes(at(40s));
  answer(v4_range(1, 8), 41s);
  EXPECT_TRUE(is_present(v4(1)));
  EXPECT_FALSE(find(v4(1))->doubted);
  EXPECT_EQ(find(v4(1))->first_seen, since);
  EXPECT_EQ(find(v4(1))->misses, 0U);
  EXPECT_EQ(count(v4(1), endpoint_change::returned), 1);
}

TEST_F(Evidence, DepartedSeenAgainIsANewLife) {
  answer(v4s({1, 2}), 0s);
  const auto since = find(v4(2))->first_seen;
  answer(v4s({1}), 10s);
  answer(v4s({1, 2}), 20s);
  EXPECT_NE(find(v4(2))->first_seen, since);
  EXPECT_EQ(count(v4(2), endpoint_change::added), 2);
  EXPECT_EQ(count(v4(2), endpoint_change::returned), 0);
}

TEST_F(Evidence, AFailureDepartsAnAbsentOneOnly) {
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 10s);
  fails_at(v4(2));
  EXPECT_TRUE(is_present(v4(2)));
  fails_at(v4(1));
  EXPECT_TRUE(has_departed(v4(1)));
  EXPECT_EQ(count(v4(1), endpoint_change::departed), 1);
  fails_at(v4(99));  // nobody we know
}

TEST_F(Evidence, OverrideComplete) {
  options_.membership = membership::complete;
  answer(v4_range(1, 8), 0s);
  answer(v4_range(2, 8), 10s);
  EXPECT_FALSE(evidence_.rotating());
  EXPECT_TRUE(has_departed(v4(1)));
}

TEST_F(Evidence, OverrideSampled) {
  options_.membership = membership::sampled;
  answer(v4s({1, 2}), 0s);
  answer(v4s({2, 3}), 10s);
  EXPECT_TRUE(evidence_.rotating());
  EXPECT_TRUE(is_absent(v4(1)));
}

TEST_F(Evidence, DoubtAboutAllEndsWithTheNextGoodAnswer) {
  answer(v4s({1, 2}), 0s);
  doubt_all();
  doubt_all();
  EXPECT_EQ(count(v4(1), endpoint_change::doubted), 1);
  answer(v4s({1, 2}), 60s);
  EXPECT_FALSE(evidence_.all_doubted());
  EXPECT_EQ(count(v4(2), endpoint_change::returned), 1);
  EXPECT_FALSE(evidence_.rotating()) << "an outage is no rotation";
}

TEST_F(Evidence, WhileAllAreDoubtedAFailureDeparts) {
  answer(v4s({1, 2}), 0s);
  doubt_all();
  fails_at(v4(1));
  EXPECT_TRUE(has_departed(v4(1)));
}

TEST_F(Evidence, DroppedAddressesComeBackEvenFromTheSameCopy) {
  answer(v4s({1, 2}), 0s, 60s);
  drop_all();
  EXPECT_TRUE(evidence_.members().empty());
  answer(v4s({1, 2}), 10s, 50s);
  EXPECT_EQ(evidence_.members().size(), 2U);
  EXPECT_FALSE(evidence_.rotating());
}

TEST_F(Evidence, Fault36_OverTheLimitADeterministicPartIsKept) {
  room_ = 4;
  answer(v4_range(1, 10), 0s);
  EXPECT_EQ(evidence_.members().size(), 4U);
  EXPECT_EQ(left_out_, 6U);
  EXPECT_TRUE(is_present(v4(1)));
  EXPECT_TRUE(is_present(v4(4)));
  changes_.clear();
  answer(v4_range(0, 11), 10s);  // a smaller address pushes nobody out
  EXPECT_TRUE(changes_.empty());
}

TEST(Departures, RememberAtMost256) {
  departures<address> d;
  for (unsigned i = 0; i < 1000; ++i) d.add(v4(i), at(std::chrono::seconds{i}));
  EXPECT_EQ(d.size(), 256U);
  EXPECT_TRUE(d.has_any_of({v4(999)}));
  EXPECT_FALSE(d.has_any_of({v4(743)}));
  d.forget_before(at(990s));
  EXPECT_EQ(d.size(), 10U);
  d.remove(v4(999));
  EXPECT_FALSE(d.has_any_of({v4(999)}));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
