// SPDX-License-Identifier: Apache-2.0

#include <redial/watch/explanation.hpp>

#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using ::testing::HasSubstr;
using testing::other;
using testing::records;
using ::testing::SizeIs;
using testing::v4;
using testing::v4_range;
using testing::v4s;
using testing::watch_world;
using namespace std::chrono_literals;

class Explanation : public ::testing::Test {
 protected:
  watch_world world() {
    return watch_world([this](record_type, time_point) { return said_; }, watch_world::seeded());
  }
  static endpoint_explanation of(const watch_world& w, const address& a) {
    for (const auto& e : w.explained().endpoints) {
      if (e.where.addr == a) return e;
    }
    return {};
  }
  answer said_ = records(v4s({1}), 5s);
};

TEST_F(Explanation, PresentNeedsNoMore) {
  auto w = world();
  w.run_for(6s);
  const auto e = of(w, v4(1));
  EXPECT_EQ(e.where.port, 80);
  EXPECT_EQ(e.origin, endpoint_origin::dns);
  EXPECT_EQ(e.why, "in the last good answer");
  EXPECT_EQ(e.next, "");
  EXPECT_EQ(e.next_at, time_point::max());
  EXPECT_EQ(e.seen_in, 2U);
  EXPECT_EQ(e.first_seen, at(1ms));
  EXPECT_GT(e.last_seen, at(5s));
  EXPECT_EQ(e.misses_needed, 0U);
}

TEST_F(Explanation, AbsentThenDoubtedByMissingAnswers) {
  said_ = records(v4_range(1, 8), 5s);
  auto w = world();
  w.run_for(1s);
  said_ = records(v4_range(2, 8), 5s);
  w.run_for(6s);
  const auto absent = of(w, v4(1));
  EXPECT_EQ(absent.presence, presence::absent);
  EXPECT_THAT(absent.why, HasSubstr("show only some"));
  EXPECT_THAT(absent.next, HasSubstr("doubted"));
  EXPECT_EQ(absent.next_at, w.entry(v4(1)) != nullptr ? w.published_at.back() + 30s : at(0s));
  EXPECT_EQ(absent.missed, 1U);
  EXPECT_EQ(absent.misses_needed, misses_needed(8, 9));
  w.run_for(31s);
  // With 8 of 9 shown few misses suffice: it is gone.
  EXPECT_EQ(w.entry(v4(1)), nullptr);
}

TEST_F(Explanation, DoubtedNamesWhatWouldMakeItDepart) {
  said_ = records(v4_range(1, 8), 5s);
  auto w = world();
  w.run_for(1s);
  for (unsigned from = 9; from <= 33; from += 8) {  // 40 members: many misses are needed
    said_ = records(v4_range(from, 8), 5s);
    w.run_for(5500ms);
  }
  w.run_for(20s);
  const auto e = of(w, v4(1));
  EXPECT_TRUE(e.doubted);
  EXPECT_THAT(e.next, HasSubstr("departs after enough answers"));
  EXPECT_EQ(e.next_at, time_point::max());
  EXPECT_LT(e.missed, e.misses_needed);
}

TEST_F(Explanation, NegativeAnswersThatAreNotBelieved) {
  auto w = world();
  w.run_for(1s);
  said_ = other(answer_outcome::name_not_found);
  w.run_for(6s);
  const auto kept = of(w, v4(1));
  EXPECT_EQ(kept.presence, presence::present);
  EXPECT_THAT(kept.why, HasSubstr("last known good"));
  EXPECT_THAT(kept.why, HasSubstr(make_error_code(errc::name_not_found).message()));
  EXPECT_EQ(kept.next, "doubted, if the negative answers go on");
  EXPECT_GT(kept.next_at, at(35s));
  EXPECT_LT(kept.next_at, at(36s));
  w.run_for(40s);
  const auto doubted = of(w, v4(1));
  EXPECT_TRUE(doubted.doubted);
  EXPECT_EQ(doubted.presence, presence::absent);
  EXPECT_EQ(doubted.next, "departs, if the negative answers go on");
  EXPECT_GE(doubted.next_at, at(1h));
  EXPECT_LE(doubted.next_at, at(1h + 1s));
}

TEST_F(Explanation, TheEndpointsAreThoseOfTheSnapshot) {
  auto w = world();
  w.run_for(1s);
  said_ = other(answer_outcome::name_not_found);
  w.run_for(50s);
  said_ = other(answer_outcome::timeout);
  w.run_for(50s);
  const auto e = of(w, v4(1));
  EXPECT_EQ(e.doubted, w.entry(v4(1))->doubted);
  EXPECT_EQ(e.presence, w.entry(v4(1))->presence);
}

TEST_F(Explanation, SetsTellTheirQuestionsAndFailures) {
  auto w = world();
  w.run_for(1s);
  const auto good = w.explained().sets.at(0);
  EXPECT_EQ(good.what, "A n.test");
  EXPECT_EQ(good.state, freshness::fresh);
  EXPECT_FALSE(good.in_flight);
  EXPECT_EQ(good.answers, 1U);
  EXPECT_GE(good.next_refresh, at(5s));
  EXPECT_FALSE(good.last_error);
  said_ = other(answer_outcome::timeout);
  w.run_for(10s);
  const auto failing = w.explained().sets.at(0);
  EXPECT_EQ(failing.state, freshness::stale);
  EXPECT_GT(failing.failures, 3U);
  EXPECT_EQ(failing.last_error, errc::dns_timeout);
  ASSERT_THAT(failing.last_answers, SizeIs(4));
  EXPECT_LT(failing.last_answers[0].at, failing.last_answers[3].at);
  EXPECT_EQ(failing.last_answers[3].outcome, answer_outcome::timeout);
  w.latency = 1h;
  w.run_for(20s);
  EXPECT_TRUE(w.explained().sets.at(0).in_flight);
}

TEST_F(Explanation, ACopyThatIsSeenAgainIsMarked) {
  said_ = records(v4s({1}), 5s);
  auto w = world();
  w.run_for(1s);
  w.refresh();
  w.run_for(1s);
  const auto notes = w.explained().sets.at(0).last_answers;
  ASSERT_THAT(notes, SizeIs(2));
  EXPECT_TRUE(notes[0].independent);
  EXPECT_FALSE(notes[1].independent) << "the same records, and an end within a second";
}

TEST_F(Explanation, WhyANameRotates) {
  said_ = records(v4_range(1, 8), 5s);
  auto w = world();
  w.run_for(1s);
  EXPECT_EQ(w.explained().sets.at(0).why_rotating, rotation_reason::none);
  said_ = records(v4_range(2, 8), 5s);
  w.run_for(6s);
  EXPECT_TRUE(w.explained().sets.at(0).rotating);
  EXPECT_EQ(w.explained().sets.at(0).why_rotating, rotation_reason::sample_changed);
}

TEST_F(Explanation, EveryWordHasAText) {
  for (int n = 0; n <= static_cast<int>(endpoint_origin::srv); ++n) {
    EXPECT_STRNE(to_string(static_cast<endpoint_origin>(n)), "?");
  }
  for (int n = 0; n <= static_cast<int>(rotation_reason::option); ++n) {
    EXPECT_STRNE(to_string(static_cast<rotation_reason>(n)), "?");
  }
}

TEST(ExplanationText, ASmallExample) {
  explanation e;
  e.target = "http://n.test";
  e.now = at(100s);
  e.state = freshness::stale;
  e.error = errc::dns_timeout;
  e.generation = 3;
  e.subscribers = 2;
  set_explanation s;
  s.what = "A n.test";
  s.state = freshness::stale;
  s.fresh_until = at(98500ms);
  s.next_refresh = at(103s);
  s.failures = 2;
  s.last_error = errc::dns_timeout;
  s.answers = 7;
  answer_note cached;
  cached.at = at(90s);
  cached.outcome = answer_outcome::records;
  cached.records = 8;
  cached.ttl = 5s;
  cached.independent = false;
  answer_note silence;
  silence.at = at(99s);
  silence.error = errc::dns_timeout;
  s.last_answers = {cached, silence};
  e.sets.push_back(s);
  endpoint_explanation one;
  one.where = endpoint{v4(1), 80};
  one.presence = presence::absent;
  one.doubted = true;
  one.first_seen = at(10s);
  one.last_seen = at(60s);
  one.seen_in = 5;
  one.missed = 4;
  one.misses_needed = 28;
  one.why = "the reason";
  one.next = "departs";
  one.next_at = at(130s);
  e.endpoints.push_back(one);
  const std::string timeout = make_error_code(errc::dns_timeout).message();
  EXPECT_EQ(
      to_string(e),
      "http://n.test: stale, generation 3, 1 endpoints, 2 subscribers, " + timeout +
          "\n"
          "  A n.test: stale, good until 1.5 s ago, next asked in 3.0 s; 7 answers; 2 failures "
          "in a row; last error: " +
          timeout +
          "; complete (its answers do not rotate)\n"
          "      10.0 s ago: records, 8 of TTL 5 s, the same cached copy\n"
          "      1.0 s ago: timeout (" +
          timeout +
          ")\n"
          "  10.0.0.1:80 from DNS: absent and doubted, the reason; first seen 90.0 s ago, last "
          "seen 40.0 s ago, in 5 answers; missed 4 of 28; next: departs (in 30.0 s)\n");
}

TEST(ExplanationText, NothingAndNever) {
  explanation e;
  e.target = "n.test";
  e.now = at(0s);
  set_explanation s;
  s.what = "A n.test";
  s.state = freshness::fresh;
  s.fresh_until = time_point::max();
  s.in_flight = true;
  e.sets.push_back(s);
  const std::string text = to_string(e);
  EXPECT_THAT(text, HasSubstr("n.test: unresolved, generation 0, 0 endpoints, 0 subscribers\n"));
  EXPECT_THAT(text, HasSubstr("good until never"));
  EXPECT_THAT(text, HasSubstr("being asked"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
