// SPDX-License-Identifier: Apache-2.0

#include "watch/name_watch.hpp"

#include "watch_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

answer nothing(record_type type) { return other(answer_outcome::no_data, type); }

TEST(NameWatch, AsksBothFamiliesAtOnce) {
  watch_world w([](auto type, auto) { return nothing(type); }, watch_world::seeded(true));
  ASSERT_EQ(w.questions.size(), 2U);
  EXPECT_EQ(w.questions[0].second, record_type::a);
  EXPECT_EQ(w.questions[1].second, record_type::aaaa);
}

TEST(NameWatch, FirstAnswerIsPublished) {
  watch_world w([](auto, auto) { return records(v4s({1, 2})); });
  w.run_for(10ms);
  ASSERT_EQ(w.published.size(), 1U);
  const snapshot& s = *w.published[0];
  EXPECT_EQ(s.name, "n.test");
  EXPECT_EQ(s.generation, 1U);
  EXPECT_EQ(s.state, freshness::fresh);
  EXPECT_EQ(w.addresses(), v4s({1, 2}));
  EXPECT_FALSE(s.error);
  EXPECT_EQ(s.fresh_until, at(10s + 1ms));
}

TEST(NameWatch, TheSameAnswerAgainPublishesNothing) {
  watch_world w([](auto, auto) { return records(v4s({1, 2})); });
  w.run_for(1h);
  EXPECT_EQ(w.published.size(), 1U);
  EXPECT_GE(w.questions.size(), 360U);
  EXPECT_LE(w.questions.size(), 401U);
}

TEST(NameWatch, TtlOfSecondsDoesNotFlapBetweenFreshAndStale) {
  watch_world w([](auto, auto) { return records(v4s({1, 2}), 5s); });
  w.run_for(10min);
  EXPECT_EQ(w.published.size(), 1U);
}

TEST(NameWatch, MoveIsSeenWithinTheCap) {
  watch_world w([](auto, time_point now) {
    return records(now < at(33s) ? v4s({1, 2}) : v4s({3, 4}), 60s);
  });
  w.run_for(33s + 10s + w.latency);
  EXPECT_EQ(w.addresses(), v4s({3, 4}));
  ASSERT_EQ(w.published.size(), 2U);
  EXPECT_EQ(w.published[1]->generation, 2U);
}

TEST(NameWatch, FirstPublicationWaitsFiftyMillisecondsForTheOtherFamily) {
  watch_options options = watch_world::seeded(true);
  detail::name_watch watch("n.test", options, 1);
  auto step = watch.on_time(at(0s));
  step = watch.on_answer(records(v4s({1})), at(10ms));
  EXPECT_FALSE(step.publish);
  EXPECT_EQ(step.wake, at(60ms));
  EXPECT_FALSE(watch.on_time(at(59ms)).publish);
  step = watch.on_time(at(60ms));
  ASSERT_TRUE(step.publish);
  EXPECT_EQ(step.publish->added, 1U);
  step = watch.on_answer(records({v6(1)}), at(70ms));
  ASSERT_TRUE(step.publish);
  EXPECT_EQ(step.publish->what->endpoints.size(), 2U);
}

TEST(NameWatch, FirstPublicationNeedNotWaitWhenTheOtherFamilyHasFailed) {
  const watch_options options = watch_world::seeded(true);
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  (void)watch.on_answer(other(answer_outcome::server_failure, record_type::aaaa), at(1ms));
  const auto step = watch.on_answer(records(v4s({1})), at(2ms));
  ASSERT_TRUE(step.publish);
  EXPECT_EQ(step.publish->what->state, freshness::fresh);
  EXPECT_EQ(step.publish->what->error, errc::dns_server_failure);
}

TEST(NameWatch, Fault43_OneFamilyFailingNeverHidesTheOther) {
  watch_world w(
      [](record_type type, time_point now) {
        if (type == record_type::a) {
          return records(now < at(60s) ? v4s({1}) : v4s({2}));
        }
        return now < at(30s) ? records({v6(1)}) : other(answer_outcome::timeout, type);
      },
      watch_world::seeded(true));
  w.run_for(71s);
  EXPECT_EQ(w.addresses(), (std::vector<address>{v4(2), v6(1)}));
  EXPECT_EQ(w.current()->state, freshness::stale);  // the AAAA half
  EXPECT_EQ(w.current()->error, errc::dns_timeout);
}

TEST(NameWatch, Fault44_TimeoutAndNoDataIsNotAnEmptySet) {
  watch_world w(
      [](record_type type, time_point now) {
        if (type == record_type::aaaa) return nothing(type);
        return now < at(3s) ? other(answer_outcome::timeout) : records(v4s({1}));
      },
      watch_world::seeded(true));
  w.run_for(2s);
  ASSERT_EQ(w.published.size(), 1U);
  EXPECT_FALSE(w.published[0]->definite);
  EXPECT_EQ(w.published[0]->error, errc::dns_timeout);
  EXPECT_EQ(w.published[0]->state, freshness::unresolved);
  w.run_for(5s);
  EXPECT_EQ(w.addresses(), v4s({1}));
}

TEST(NameWatch, Fault45_NxdomainInOneFamilyIsAUnion) {
  watch_world w(
      [](record_type type, time_point) {
        return type == record_type::a ? other(answer_outcome::name_not_found) : records({v6(1)});
      },
      watch_world::seeded(true));
  w.run_for(1min);
  EXPECT_EQ(w.addresses(), std::vector<address>{v6(1)});
  EXPECT_FALSE(w.current()->definite);
  EXPECT_FALSE(w.current()->error);
  EXPECT_EQ(w.published.size(), 1U);
}

TEST(NameWatch, NoDataInOneFamilyIsBelievedWhileTheOtherIsFresh) {
  watch_world w(
      [](record_type type, time_point now) {
        if (type == record_type::aaaa) return records({v6(1)});
        return now < at(30s) ? records(v4s({1})) : nothing(type);
      },
      watch_world::seeded(true));
  w.run_for(41s);
  EXPECT_EQ(w.addresses(), std::vector<address>{v6(1)});
  EXPECT_FALSE(w.current()->error);
  EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 1);
}

TEST(NameWatch, NoDataWhileTheOtherIsStaleIsBelievedOnceThatIsFresh) {
  watch_world w(
      [](record_type type, time_point now) {
        if (type == record_type::aaaa) {
          return now > at(5s) && now < at(60s) ? other(answer_outcome::timeout, type)
                                               : records({v6(1)});
        }
        return now < at(25s) ? records(v4s({1})) : nothing(type);
      },
      watch_world::seeded(true));
  w.run_for(50s);
  EXPECT_EQ(w.addresses(), (std::vector<address>{v4(1), v6(1)}));
  w.run_for(25s);
  EXPECT_EQ(w.addresses(), std::vector<address>{v6(1)});
}

TEST(NameWatch, ColdStartNxdomainFailsAtOnce) {
  watch_world w([](auto type, auto) { return other(answer_outcome::name_not_found, type); },
                watch_world::seeded(true));
  w.run_for(2ms);
  ASSERT_EQ(w.published.size(), 1U);
  EXPECT_TRUE(w.published[0]->definite);
  EXPECT_EQ(w.published[0]->error, errc::name_not_found);
  EXPECT_EQ(w.published[0]->state, freshness::unresolved);
  EXPECT_TRUE(w.published[0]->endpoints.empty());
}

TEST(NameWatch, ColdStartNxdomainDoesNotWaitForASilentFamily) {
  const watch_options options = watch_world::seeded(true);
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  auto step = watch.on_answer(other(answer_outcome::name_not_found), at(1ms));
  EXPECT_FALSE(step.publish);
  step = watch.on_time(step.wake);
  ASSERT_TRUE(step.publish);
  EXPECT_TRUE(step.publish->what->definite);
}

TEST(NameWatch, ColdStartNoDataWaitsForTheOtherFamily) {
  const watch_options options = watch_world::seeded(true);
  detail::name_watch watch("n.test", options, 1);
  (void)watch.on_time(at(0s));
  (void)watch.on_answer(nothing(record_type::a), at(1ms));
  EXPECT_FALSE(watch.on_time(at(51ms)).publish);
  EXPECT_FALSE(watch.on_time(at(900ms)).publish);
  const auto step = watch.on_answer(nothing(record_type::aaaa), at(901ms));
  ASSERT_TRUE(step.publish);
  EXPECT_TRUE(step.publish->what->definite);
  EXPECT_EQ(step.publish->what->error, errc::no_data);
}

TEST(NameWatch, ColdStartTransientFailureKeepsTrying) {
  watch_world w([](auto, time_point now) {
    return now < at(20s) ? other(answer_outcome::server_failure) : records(v4s({1}));
  });
  w.run_for(19s);
  ASSERT_EQ(w.published.size(), 1U);
  EXPECT_FALSE(w.published[0]->definite);
  EXPECT_EQ(w.published[0]->error, errc::dns_server_failure);
  w.run_for(11s);
  EXPECT_EQ(w.addresses(), v4s({1}));
  EXPECT_FALSE(w.current()->error);
}

TEST(NameWatch, ANameThatAppearsIsFoundByItsNegativeTtl) {
  watch_world w([](auto type, time_point now) {
    return now < at(20s) ? other(answer_outcome::name_not_found, type, 3s) : records(v4s({1}));
  });
  w.run_for(20s + 3300ms + w.latency);
  EXPECT_EQ(w.addresses(), v4s({1}));
  EXPECT_FALSE(w.current()->definite);
}

TEST(NameWatch, Fault41_42_FailuresKeepTheLastGoodOnes) {
  for (const auto outcome : {answer_outcome::timeout,
                             answer_outcome::server_failure,
                             answer_outcome::refused,
                             answer_outcome::malformed,
                             answer_outcome::local_fault}) {
    watch_world w([&](auto, time_point now) {
      return now < at(5s) ? records(v4s({1, 2})) : other(outcome);
    });
    w.run_for(3h);
    EXPECT_EQ(w.addresses(), v4s({1, 2})) << to_string(outcome);
    EXPECT_EQ(w.current()->state, freshness::expired);
    EXPECT_TRUE(w.current()->error);
    EXPECT_FALSE(w.current()->definite);
    EXPECT_FALSE(w.entry(v4(1))->doubted) << "a silent server says nothing about addresses";
    EXPECT_EQ(w.entry(v4(1))->presence, presence::present);
    // fresh with an error, stale, expired: nothing else is worth telling in hours.
    EXPECT_LE(w.published.size(), 4U);
  }
}

TEST(NameWatch, FreshThenStaleThenExpiredByTheClock) {
  watch_world w([](auto, time_point now) {
    return now < at(5s) ? records(v4s({1})) : other(answer_outcome::timeout);
  });
  w.run_for(2h);
  std::vector<std::pair<freshness, time_point>> seen;
  for (std::size_t i = 0; i < w.published.size(); ++i) {
    const freshness state = w.published[i]->state;
    if (seen.empty() || seen.back().first != state) seen.emplace_back(state, w.published_at[i]);
  }
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1], (std::pair{freshness::stale, at(10s + 1ms)}));
  EXPECT_EQ(seen[2], (std::pair{freshness::expired, at(1h + 1ms)}));
}

TEST(NameWatch, ASilentRefreshTurnsStaleASecondAfterTheTtl) {
  watch_world w([](auto, auto) { return records(v4s({1}), 5s); });
  w.run_for(1s);
  w.latency = 3s;
  w.run_for(7s);
  ASSERT_EQ(w.published.size(), 2U);
  EXPECT_EQ(w.published[1]->state, freshness::stale);
  EXPECT_EQ(w.published_at[1], at(6s + 1ms));
}

TEST(NameWatch, Fault39_87_NegativeAnswersKeepThenDoubtThenDrain) {
  for (const auto outcome : {answer_outcome::name_not_found, answer_outcome::no_data}) {
    watch_world w([&](auto type, time_point now) {
      return now < at(5s) ? records(v4s({1, 2})) : other(outcome, type);
    });
    w.run_for(39s);
    ASSERT_EQ(w.addresses(), v4s({1, 2}));
    EXPECT_FALSE(w.entry(v4(1))->doubted);
    EXPECT_FALSE(w.current()->definite);
    w.run_for(2s);  // the negative answers began between 9 and 10 s
    ASSERT_EQ(w.addresses(), v4s({1, 2}));
    EXPECT_TRUE(w.entry(v4(1))->doubted);
    EXPECT_EQ(w.entry(v4(1))->presence, presence::absent);
    EXPECT_EQ(w.count(v4(2), endpoint_change::doubted), 1);
    w.run_to(at(1h));
    EXPECT_EQ(w.addresses(), v4s({1, 2}));
    w.run_for(1ms);
    EXPECT_TRUE(w.addresses().empty());
    EXPECT_TRUE(w.current()->definite);
    EXPECT_EQ(w.current()->error, errc::name_gone);
    EXPECT_EQ(w.current()->state, freshness::expired);
    EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 1);
  }
}

TEST(NameWatch, Fault87_AnEmptyAnswerForOneRefreshChangesNoAddress) {
  watch_world w([](auto type, time_point now) {
    const bool empty = now > at(15s) && now < at(20s);
    return empty ? nothing(type) : records(v4s({1, 2}));
  });
  w.run_for(5min);
  EXPECT_EQ(w.addresses(), v4s({1, 2}));
  EXPECT_EQ(w.changes.size(), 2U) << "added, added";
  EXPECT_FALSE(w.current()->error);
}

TEST(NameWatch, OneEmptyAnswerAfterALongOutageDrainsNothing) {
  watch_world w([](auto type, time_point now) {
    if (now < at(5s) || now > at(2h + 20s)) return records(v4s({1, 2}));
    return now < at(2h) ? other(answer_outcome::timeout) : nothing(type);
  });
  w.run_for(3h);
  EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 0);
  EXPECT_EQ(w.current()->state, freshness::fresh);
}

TEST(NameWatch, ATimeoutBetweenNegativeAnswersDoesNotRestartTheDoubt) {
  watch_world w([](auto type, time_point now) {
    if (now < at(5s)) return records(v4s({1}));
    if (now > at(20s) && now < at(30s)) return other(answer_outcome::timeout);
    return nothing(type);
  });
  w.run_for(41s);
  EXPECT_TRUE(w.entry(v4(1))->doubted);
}

// One mistaken empty answer and then nobody: that is an outage, not a name that has gone.
TEST(NameWatch, Fault87_OneEmptyAnswerBeforeAnOutageNeitherDoubtsNorDrains) {
  watch_world w([](auto type, time_point now) {
    if (now < at(5s)) return records(v4s({1, 2}));
    return now < at(9900ms) ? nothing(type) : other(answer_outcome::timeout);
  });
  w.run_for(6s);
  w.refresh();
  w.run_for(1ms);
  ASSERT_EQ(w.current()->error, errc::no_data);
  w.run_for(3h);
  EXPECT_EQ(w.addresses(), v4s({1, 2}));
  EXPECT_FALSE(w.entry(v4(1))->doubted);
  EXPECT_EQ(w.current()->state, freshness::expired);
  EXPECT_EQ(w.current()->error, errc::dns_timeout);
}

TEST(NameWatch, Fault87_EmptyAnswersOnBothSidesOfALongOutageAreTwoMistakes) {
  watch_world w([](auto type, time_point now) {
    if (now < at(5s) || now > at(2h + 20s)) return records(v4s({1, 2}));
    if (now < at(9900ms) || now > at(2h)) return nothing(type);
    return other(answer_outcome::timeout);
  });
  w.run_for(6s);
  w.refresh();
  w.run_for(3h);
  EXPECT_EQ(w.count(v4(1), endpoint_change::departed), 0);
  EXPECT_EQ(w.count(v4(1), endpoint_change::doubted), 0);
  EXPECT_EQ(w.current()->state, freshness::fresh);
}

TEST(NameWatch, NeverExpiresWithoutAStaleLimit) {
  watch_options o = watch_world::seeded();
  o.stale_limit = longest_duration;
  watch_world w(
      [](auto type, time_point now) { return now < at(5s) ? records(v4s({1})) : nothing(type); },
      o);
  w.run_for(10h);
  EXPECT_EQ(w.addresses(), v4s({1}));
  EXPECT_EQ(w.current()->state, freshness::stale);
}

TEST(NameWatch, BelieveDropsAtOnce) {
  struct policy {
    answer_outcome outcome;
    on_failure watch_options::*option;
    bool definite;
  };
  for (const policy& p :
       {policy{answer_outcome::timeout, &watch_options::on_timeout, false},
        policy{answer_outcome::server_failure, &watch_options::on_server_failure, false},
        policy{answer_outcome::refused, &watch_options::on_refused, false},
        policy{answer_outcome::name_not_found, &watch_options::on_name_not_found, true},
        policy{answer_outcome::no_data, &watch_options::on_no_data, true}}) {
    watch_options o = watch_world::seeded();
    o.*p.option = on_failure::believe;
    watch_world w(
        [&](auto type, time_point now) {
          return now < at(5s) ? records(v4s({1})) : other(p.outcome, type);
        },
        o);
    w.run_for(11s);
    EXPECT_TRUE(w.addresses().empty()) << to_string(p.outcome);
    EXPECT_EQ(w.current()->definite, p.definite) << to_string(p.outcome);
    EXPECT_EQ(w.current()->error == errc::name_gone, p.definite) << to_string(p.outcome);
    EXPECT_TRUE(w.current()->error);
  }
}

TEST(NameWatch, ANameThatWasGoneComesBackAsANewLife) {
  watch_options o = watch_world::seeded();
  o.on_name_not_found = on_failure::believe;
  watch_world w(
      [](auto, time_point now) {
        return now > at(15s) && now < at(30s) ? other(answer_outcome::name_not_found)
                                              : records(v4s({1}));
      },
      o);
  w.run_for(10s);
  const auto life = w.entry(v4(1))->life;
  w.run_for(50s);
  ASSERT_NE(w.entry(v4(1)), nullptr);
  EXPECT_NE(w.entry(v4(1))->life, life);
  EXPECT_FALSE(w.current()->definite);
  EXPECT_FALSE(w.current()->error);
}

TEST(NameWatch, LastOneIsNeverDepartedByAFailure) {
  watch_options o = watch_world::seeded();
  o.membership = membership::sampled;
  watch_world w(
      [](auto, time_point now) {
        return now < at(5s) ? records(v4s({1, 2})) : records(v4s({2}));
      },
      o);
  w.run_for(12s);
  ASSERT_EQ(w.entry(v4(1))->presence, presence::absent);
  w.report(v4(1), endpoint_outcome::connect_refused, true);
  EXPECT_NE(w.entry(v4(1)), nullptr) << "the caller has nothing else to use";
  w.report(v4(1), endpoint_outcome::timed_out);
  w.report(v4(1), endpoint_outcome::moved);
  w.report(v4(1), endpoint_outcome::connected);
  EXPECT_NE(w.entry(v4(1)), nullptr) << "none of these speaks against the address";
  w.report(v4(1), endpoint_outcome::connection_reset);
  EXPECT_EQ(w.entry(v4(1)), nullptr);
}

TEST(NameWatch, TheOnlyAddressOfANameStaysWhateverFails) {
  watch_world w(
      [](auto type, time_point now) { return now < at(5s) ? records(v4s({1})) : nothing(type); });
  w.run_for(60s);
  ASSERT_TRUE(w.entry(v4(1))->doubted);
  w.report(v4(1), endpoint_outcome::connect_refused);
  EXPECT_NE(w.entry(v4(1)), nullptr);
}

TEST(NameWatch, MaxEndpointsHoldsOverBothFamilies) {
  watch_options o = watch_world::seeded(true);
  o.max_endpoints = 5;
  watch_world w(
      [](record_type type, time_point) {
        if (type == record_type::a) return records(v4_range(1, 4));
        return records({v6(1), v6(2), v6(3)});
      },
      o);
  w.run_for(1s);
  EXPECT_EQ(w.addresses().size(), 5U);
  EXPECT_EQ(w.left_out, 2U);
}

TEST(NameWatch, Fault47_MappedAddressInBothFamiliesIsOneEndpoint) {
  watch_world w(
      [](record_type type, time_point) {
        answer a = records(type == record_type::a ? v4s({1, 5}) : v4s({2, 5}));
        return a;
      },
      watch_world::seeded(true));
  w.run_for(1s);
  EXPECT_EQ(w.addresses(), v4s({1, 2, 5}));
}

}  // namespace
}  // namespace redial
