// SPDX-License-Identifier: Apache-2.0

#include "watch/source_watch.hpp"

#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::v4;
using testing::v6;
using testing::watch_world;
using namespace std::chrono_literals;

sourced_endpoint entry_of(const address& a,
                          bool healthy = true,
                          endpoint_metadata metadata = {},
                          std::uint16_t port = 80) {
  sourced_endpoint e{endpoint{a, port}};
  e.healthy = healthy;
  e.metadata = std::move(metadata);
  return e;
}

source_answer says(std::vector<sourced_endpoint> list, std::chrono::seconds ttl = 5s) {
  source_answer a;
  a.endpoints = std::move(list);
  a.ttl = ttl;
  return a;
}

source_answer fails(answer_outcome outcome) {
  source_answer a;
  a.outcome = outcome;
  return a;
}

/// A fetch is answered with `said` after `latency`.
class SourceWatch : public ::testing::Test {
 protected:
  explicit SourceWatch(watch_options o = watch_world::seeded(true))
      : watch_("http://n.test", "map", 8080, o, 7) {}

  void start() { take(watch_.on_time(now_)); }
  void run_for(duration d) {
    const time_point until = now_ + d;
    while (true) {
      const time_point next = std::min(wake_, answer_at_);
      if (next > until) break;
      now_ = std::max(now_, next);
      if (answer_at_ <= now_) {
        answer_at_ = time_point::max();
        take(watch_.on_fetched(*on_its_way_, now_));
      } else {
        take(watch_.on_time(now_));
        ASSERT_GT(wake_, now_) << "a wake-up that changes nothing";
      }
    }
    now_ = until;
  }
  void take(const watch_step& step) {
    if (step.fetch) {
      fetches_.push_back(now_);
      on_its_way_ = said_;  // the source looks now; the answer takes a while
      answer_at_ = now_ + latency_;
    }
    if (step.publish) published_.push_back(step.publish->what);
    left_out_ += step.left_out;
    wake_ = step.wake;
  }
  [[nodiscard]] std::vector<std::string> shown() const {
    std::vector<std::string> all;
    if (!watch_.current()) return all;
    for (const auto& e : watch_.current()->endpoints) {
      all.push_back(to_string(e.where) + (e.doubted ? "?" : ""));
    }
    return all;
  }
  [[nodiscard]] const snapshot_entry& first() const { return watch_.current()->endpoints.at(0); }

  source_answer said_ = says({entry_of(v4(1))});
  duration latency_ = 1ms;
  time_point now_ = at(0s);
  time_point wake_ = time_point::max();
  time_point answer_at_ = time_point::max();
  std::optional<source_answer> on_its_way_;
  std::vector<time_point> fetches_;
  std::vector<snapshot_ptr> published_;
  std::uint64_t left_out_ = 0;
  source_watch watch_;
};

TEST_F(SourceWatch, WhatItSaysIsPublishedOnceAndFetchedAgainByItsTtl) {
  start();
  run_for(60s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
  EXPECT_EQ(watch_.current()->name, "http://n.test");
  EXPECT_EQ(watch_.current()->state, freshness::fresh);
  EXPECT_THAT(published_, SizeIs(1));
  EXPECT_GE(fetches_.size(), 10U);
  EXPECT_LE(fetches_.size(), 13U);
}

TEST_F(SourceWatch, Fault23_TtlZeroIsFetchedOncePerFloor) {
  said_.ttl = 0s;
  start();
  run_for(20s);
  EXPECT_LE(fetches_.size(), 21U);
}

TEST_F(SourceWatch, UnhealthyOnesAreLeftOut) {
  said_ = says({entry_of(v4(1), false), entry_of(v4(2))});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.2:80"));
}

TEST_F(SourceWatch, WhenAllAreUnhealthyNobodyBelievesIt) {
  said_ = says({entry_of(v4(1), false), entry_of(v4(2), false)});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
}

TEST_F(SourceWatch, TheOnlyHealthyOneCannotBeUsedSoTheOthersCount) {
  said_ = says({entry_of(v4(1), false), entry_of(boost::asio::ip::address_v4::any())});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
}

TEST_F(SourceWatch, AnEndpointThatFallsIllDepartsAtOnce) {
  said_ = says({entry_of(v4(1)), entry_of(v4(2))});
  start();
  run_for(1s);
  said_ = says({entry_of(v4(1)), entry_of(v4(2), false)});
  run_for(6s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
}

TEST_F(SourceWatch, OtherMetadataIsPublishedInTheSameLifeAndEqualOneIsNot) {
  said_ = says({entry_of(v4(1), true, {{"zone", "a"}})});
  start();
  run_for(12s);
  EXPECT_THAT(published_, SizeIs(1));
  ASSERT_NE(first().metadata, nullptr);
  EXPECT_EQ(first().metadata->at("zone"), "a");
  const auto life = first().life;
  said_ = says({entry_of(v4(1), true, {{"zone", "b"}})});
  run_for(6s);
  EXPECT_THAT(published_, SizeIs(2));
  EXPECT_EQ(first().metadata->at("zone"), "b");
  EXPECT_EQ(first().life, life);
  EXPECT_EQ(published_[0]->endpoints[0].metadata->at("zone"), "a") << "snapshots never change";
  said_ = says({entry_of(v4(1))});
  run_for(6s);
  EXPECT_EQ(first().metadata, nullptr);
  EXPECT_THAT(published_, SizeIs(3));
}

TEST_F(SourceWatch, Fault35_TheFirstOfEqualEndpointsCounts) {
  said_ = says({entry_of(v4(1), true, {{"zone", "a"}}), entry_of(v4(1), true, {{"zone", "b"}})});
  start();
  run_for(30s);
  EXPECT_THAT(shown(), SizeIs(1));
  EXPECT_EQ(first().metadata->at("zone"), "a");
  EXPECT_THAT(published_, SizeIs(1));
}

TEST_F(SourceWatch, MetadataOfWhatLeftIsForgotten) {
  said_ = says({entry_of(v4(1)), entry_of(v4(2), true, {{"zone", "a"}})});
  start();
  run_for(1s);
  said_ = says({entry_of(v4(1))});
  run_for(6s);
  said_ = says({entry_of(v4(1)), entry_of(v4(2))});
  run_for(6s);
  EXPECT_EQ(watch_.current()->endpoints.at(1).metadata, nullptr);
}

TEST_F(SourceWatch, Fault46_47_MappedAddressesAreUnmappedAndUndialableOnesLeftOut) {
  const auto mapped = boost::asio::ip::make_address("::ffff:10.0.0.7");
  said_ = says({entry_of(mapped), entry_of(boost::asio::ip::address_v4::any()), entry_of(v6(1))});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.7:80", "[fd00::1]:80"));
}

TEST_F(SourceWatch, PortZeroIsTheTargets) {
  said_ = says({entry_of(v4(1), true, {}, 0), entry_of(v4(1), true, {}, 81)});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:81", "10.0.0.1:8080"));
}

TEST_F(SourceWatch, AnEmptyAnswerIsKeptThenDoubtedThenDrained) {
  start();
  run_for(1s);
  said_ = says({});
  run_for(30s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
  EXPECT_EQ(watch_.current()->error, errc::no_data);
  run_for(8s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80?"));
  run_for(1h);
  EXPECT_THAT(shown(), IsEmpty());
  EXPECT_EQ(watch_.current()->error, errc::name_gone);
  EXPECT_TRUE(watch_.current()->definite);
}

TEST_F(SourceWatch, ColdUnknownTargetIsDefinite) {
  said_ = fails(answer_outcome::name_not_found);
  start();
  run_for(1s);
  EXPECT_EQ(watch_.current()->error, errc::name_not_found);
  EXPECT_EQ(watch_.current()->state, freshness::unresolved);
  EXPECT_TRUE(watch_.current()->definite);
}

TEST_F(SourceWatch, FailuresKeepTheLastGoodOnesAndBackOff) {
  start();
  run_for(1s);
  said_ = fails(answer_outcome::server_failure);
  said_.error = make_error_code(boost::system::errc::protocol_error);
  const auto before = fetches_.size();
  run_for(100s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
  EXPECT_EQ(watch_.current()->state, freshness::stale);
  EXPECT_EQ(watch_.current()->error, boost::system::errc::protocol_error) << "its own code";
  EXPECT_FALSE(watch_.current()->definite);
  EXPECT_GE(fetches_.size() - before, 10U);
  EXPECT_LE(fetches_.size() - before, 20U);
  said_ = says({entry_of(v4(1))});
  run_for(11s);
  EXPECT_EQ(watch_.current()->state, freshness::fresh);
}

TEST_F(SourceWatch, NewsIsFetchedAtOnceButNoFasterThanTheFloor) {
  start();
  run_for(2s);
  said_ = says({entry_of(v4(2))});
  take(watch_.on_news(now_));
  run_for(10ms);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.2:80"));
  const auto before = fetches_.size();
  for (int n = 0; n < 100; ++n) {
    take(watch_.on_news(now_));
    run_for(20ms);
  }
  EXPECT_EQ(fetches_.size(), before + 2);
  run_for(1s);
  for (std::size_t n = before; n < fetches_.size(); ++n) {
    EXPECT_GE(fetches_[n] - fetches_[n - 1], 1s);
  }
}

TEST_F(SourceWatch, NewsDuringAFetchIsFetchedAfterIt) {
  latency_ = 300ms;
  start();
  run_for(100ms);  // the source has looked already
  said_ = says({entry_of(v4(2))}, 60s);
  take(watch_.on_news(now_));
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.2:80"));
  EXPECT_THAT(fetches_, SizeIs(2));
}

TEST_F(SourceWatch, NewsThatIsPutOffWaitsForAFetchInFlight) {
  start();
  run_for(2s);
  take(watch_.on_news(now_));
  run_for(10ms);
  latency_ = 3s;
  take(watch_.on_news(now_));            // due in a second, when
  take(watch_.on_refresh_wanted(now_));  // this fetch is still in flight
  said_ = says({entry_of(v4(2))}, 60s);
  run_for(4s);
  latency_ = 1ms;
  run_for(3s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.2:80"));
}

TEST_F(SourceWatch, AFailedConnectionFetchesAndAsksForNoneTooOften) {
  said_ = says({entry_of(v4(1)), entry_of(v4(2))}, 60s);
  start();
  run_for(2s);
  take(watch_.on_report(endpoint{v4(1), 80}, endpoint_outcome::connect_refused, false, now_));
  run_for(500ms);
  take(watch_.on_report(endpoint{v4(1), 80}, endpoint_outcome::connect_refused, false, now_));
  run_for(500ms);
  EXPECT_THAT(fetches_, SizeIs(2));
  run_for(1100ms);
  EXPECT_THAT(fetches_, SizeIs(3));
  EXPECT_THAT(shown(), SizeIs(2)) << "it is listed: whether it works is the pool's business";
}

TEST_F(SourceWatch, PausedItFetchesNothing) {
  start();
  run_for(1s);
  watch_.pause();
  const watch_step step = watch_.on_time(now_ + 100s);
  EXPECT_FALSE(step.fetch);
  EXPECT_GT(step.wake, now_ + 100s);
  now_ += 100s;
  take(watch_.resume(now_));
  EXPECT_THAT(fetches_, SizeIs(2));
}

TEST_F(SourceWatch, Fault59_60_AnOutcomeNobodyWaitsForIsIgnored) {
  start();
  run_for(1s);
  take(watch_.on_fetched(says({entry_of(v4(66))}), now_));
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
}

TEST_F(SourceWatch, ExplainNamesTheSource) {
  said_ = says({entry_of(v4(1), true, {}, 81)});
  start();
  run_for(1s);
  explanation e;
  watch_.explain(e, now_);
  ASSERT_THAT(e.sets, SizeIs(1));
  EXPECT_EQ(e.sets[0].what, "source map");
  EXPECT_EQ(e.sets[0].origin, endpoint_origin::source);
  ASSERT_THAT(e.endpoints, SizeIs(1));
  EXPECT_EQ(e.endpoints[0].where.port, 81);
  watch_.pause();
  explanation asleep;
  watch_.explain(asleep, now_);
  EXPECT_EQ(asleep.sets.at(0).next_refresh, time_point::max());
}

class SourceWatchIpv4 : public SourceWatch {
 protected:
  SourceWatchIpv4() : SourceWatch(watch_world::seeded()) {}
};

TEST_F(SourceWatchIpv4, AFamilyThatIsOffIsLeftOutAndHealthIsThatOfTheRest) {
  said_ = says({entry_of(v4(1), false), entry_of(v6(1), true)});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80"));
  said_ = says({entry_of(v6(1))});
  run_for(6s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80")) << "nothing of use is nothing";
  EXPECT_EQ(watch_.current()->error, errc::no_data);
}

class SourceWatchBelieves : public SourceWatch {
 protected:
  static watch_options believing() {
    watch_options o = watch_world::seeded();
    o.on_empty_source = on_failure::believe;
    o.max_endpoints = 2;
    return o;
  }
  SourceWatchBelieves() : SourceWatch(believing()) {}
};

TEST_F(SourceWatchBelieves, AnEmptyAnswerDrainsAtOnce) {
  start();
  run_for(1s);
  said_ = says({});
  run_for(6s);
  EXPECT_THAT(shown(), IsEmpty());
  EXPECT_EQ(watch_.current()->error, errc::name_gone);
}

TEST_F(SourceWatchBelieves, Fault36_OverTheLimitAreLeftOutAndCounted) {
  said_ = says({entry_of(v4(1)), entry_of(v4(2)), entry_of(v4(3))});
  start();
  run_for(1s);
  EXPECT_THAT(shown(), ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
  EXPECT_EQ(left_out_, 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
