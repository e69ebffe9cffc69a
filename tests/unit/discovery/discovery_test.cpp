// SPDX-License-Identifier: Apache-2.0

#include <redial/discovery/discovery.hpp>

#include "discovery_world.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace redial {
namespace {

using testing::discovery_world;
using testing::event_kind;
using testing::reader;
using testing::texts;
using namespace std::chrono_literals;

TEST(Discovery, SubscriberGetsTheAddressesWithItsPort) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.2", "10.0.0.1", "fd00::1"});
  const auto d = w.make();
  reader r(*d, "tcp://api.test:81", w.sim.executor());
  EXPECT_TRUE(r.got.empty()) << "never inline";
  w.sim.advance(1s);
  ASSERT_EQ(r.got.size(), 1U);
  EXPECT_EQ(r.endpoints(), (texts{"10.0.0.1:81", "10.0.0.2:81", "[fd00::1]:81"}));
  EXPECT_EQ(r.got[0]->state, freshness::fresh);
}

TEST(Discovery, Fault155_TenPoolsOnOneNameAskOnce) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  std::vector<std::unique_ptr<reader>> readers;
  for (int i = 0; i < 10; ++i) {
    readers.push_back(std::make_unique<reader>(*d, "http://API.test.", w.sim.executor()));
  }
  w.sim.advance(1s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U) << "one per family";
  for (const auto& r : readers) EXPECT_EQ(r->endpoints(), texts{"10.0.0.1:80"});
  EXPECT_EQ(readers[0]->got[0], readers[9]->got[0]) << "one snapshot, shared";
  EXPECT_EQ(d->counters().queries, 2U);
  EXPECT_EQ(d->counters().coalesced, 9U);
  w.sim.advance(1h);
  EXPECT_LE(w.dns.times_asked({"api.test", record_type::a}), 402U);
  EXPECT_EQ(w.dns.most_in_flight_per_question(), 1U);
}

TEST(Discovery, PortsOfOneNameShareItsQuestions) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader http(*d, "http://api.test", w.sim.executor());
  reader https(*d, "https://api.test", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(http.endpoints(), texts{"10.0.0.1:80"});
  EXPECT_EQ(https.endpoints(), texts{"10.0.0.1:443"});
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
}

TEST(Discovery, LateSubscriberGetsTheCurrentSnapshotWithoutAQuestion) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader early(*d, "http://api.test", w.sim.executor());
  w.sim.advance(3s);
  reader late(*d, "http://api.test", w.sim.executor());
  w.sim.settle();
  ASSERT_EQ(late.got.size(), 1U);
  EXPECT_EQ(late.got[0], early.got[0]);
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
}

TEST(Discovery, MoveReachesEverybodyWithinTheCap) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 60s);
  const auto d = w.make();
  reader one(*d, "http://api.test", w.sim.executor());
  reader two(*d, "http://api.test", w.sim.executor());
  w.sim.advance(25s);
  w.dns.set("api.test", {"10.0.0.3"}, 60s);
  w.sim.advance(10s + 1ms);
  EXPECT_EQ(one.endpoints(), texts{"10.0.0.3:80"});
  EXPECT_EQ(two.endpoints(), texts{"10.0.0.3:80"});
  EXPECT_EQ(one.got.size(), 2U);
}

TEST(Discovery, Fault82_AnHourOfSilence) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(5s);
  w.dns.silence("api.test");
  w.dns.give_up_after(1s);
  w.sim.advance(1h);
  EXPECT_EQ(r.endpoints(), texts{"10.0.0.1:80"});
  EXPECT_LE(w.dns.times_asked("api.test"), 1U + 10U + 3600U / 9U) << "one probe per backoff";
  EXPECT_GE(w.dns.times_asked("api.test"), 3600U / 11U);
  EXPECT_LE(r.got.size(), 4U) << "nothing to tell is nothing told";
  EXPECT_LE(w.sim.time()->armed_timers(), 3U) << "ours, and those of the script";

  w.dns.set("api.test", {"10.0.0.2"});
  w.sim.advance(11s + 2ms);  // a question on its way, then one backoff step
  EXPECT_EQ(r.endpoints(), texts{"10.0.0.2:80"});
  EXPECT_EQ(r.got.back()->state, freshness::fresh);
  EXPECT_FALSE(r.got.back()->error);
}

TEST(Discovery, ColdStartOfAMissingNameIsDefinite) {
  discovery_world w;
  const auto d = w.make();
  reader r(*d, "http://nowhere.test", w.sim.executor());
  w.sim.advance(10ms);
  ASSERT_EQ(r.got.size(), 1U);
  EXPECT_TRUE(r.got[0]->definite);
  EXPECT_EQ(r.got[0]->error, errc::name_not_found);
}

TEST(Discovery, ReportAsksNowAndKeepsItsDistance) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(3s);
  const endpoint where = r.got[0]->endpoints[0].where;
  for (int i = 0; i < 20; ++i) r.sub.report(where, endpoint_outcome::connect_refused);
  w.sim.advance(1s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
  w.sim.advance(1s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 3U);
  r.sub.refresh();
  w.sim.advance(2s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 4U);
  EXPECT_EQ(d->counters().forced, 21U);
  EXPECT_EQ(d->counters().forced_deferred, 20U);
}

TEST(Discovery, FailureDepartsAnAbsentAddressForEverybody) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.membership = membership::sampled;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2"});
  const auto d = w.make();
  reader one(*d, "http://api.test", w.sim.executor());
  reader two(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  w.dns.set("api.test", {"10.0.0.2"});
  w.sim.advance(10s);
  ASSERT_EQ(two.got.back()->endpoints.size(), 2U);
  EXPECT_EQ(two.got.back()->endpoints[0].presence, presence::absent);
  one.sub.report(one.got[0]->endpoints[0].where, endpoint_outcome::connection_reset);
  w.sim.settle();
  EXPECT_EQ(two.endpoints(), texts{"10.0.0.2:80"});
}

TEST(Discovery, FixedTargetsNeedNoDns) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  const auto d = w.make();
  reader literal(*d, "http://[::1]:8080", w.sim.executor());
  reader fixed(*d, "static://10.0.0.2:1,10.0.0.1:2,10.0.0.2:1", w.sim.executor());
  reader local(*d, "http://localhost", w.sim.executor());
  w.sim.settle();
  EXPECT_EQ(literal.endpoints(), texts{"[::1]:8080"}) << "an address is meant as written";
  EXPECT_EQ(fixed.endpoints(), (texts{"10.0.0.1:2", "10.0.0.2:1"}));
  EXPECT_EQ(local.endpoints(), texts{"127.0.0.1:80"}) << "IPv6 is off";
  EXPECT_EQ(fixed.got[0]->state, freshness::fresh);
  fixed.sub.report(fixed.got[0]->endpoints[0].where, endpoint_outcome::connect_refused);
  fixed.sub.refresh();
  w.sim.advance(1h);
  EXPECT_EQ(fixed.got.size(), 1U);
  EXPECT_TRUE(w.dns.asked().empty());
  EXPECT_EQ(w.sim.time()->armed_timers(), 0U);
}

TEST(Discovery, NobodySubscribedNothingAsked) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  {
    reader r(*d, "http://api.test", w.sim.executor());
    w.sim.advance(1s);
  }
  w.sim.settle();
  EXPECT_EQ(w.sim.time()->armed_timers(), 0U) << "an idle discovery keeps no executor running";
  w.sim.advance(1h);
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
}

TEST(Discovery, KeptBeliefServesTheNextSubscriberAtOnce) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  {
    reader r(*d, "http://api.test", w.sim.executor());
    w.sim.advance(1s);
  }
  w.sim.advance(5s);
  reader again(*d, "http://api.test", w.sim.executor());
  w.sim.settle();
  EXPECT_EQ(again.endpoints(), texts{"10.0.0.1:80"});
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U) << "still fresh";
  w.sim.advance(10s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 4U) << "refreshed again from now on";
}

TEST(Discovery, OldNamesAreForgotten) {
  discovery_world w;
  const auto d = w.make();
  w.dns.set("api.test", {"10.0.0.1"});
  {
    reader r(*d, "http://api.test", w.sim.executor());
    w.sim.advance(1s);
  }
  w.sim.advance(1min);
  w.dns.set("api.test", {"10.0.0.2"});
  reader again(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  ASSERT_EQ(again.got.size(), 1U);
  EXPECT_EQ(again.endpoints(), texts{"10.0.0.2:80"});
  EXPECT_EQ(again.got[0]->generation, 1U);
}

TEST(Discovery, ANameIsNotForgottenWhileItIsAskedFor) {
  discovery_world w;
  w.options.watch.ttl_cap = 1s;
  w.dns.silence("api.test");
  const auto d = w.make();
  for (int i = 0; i < 10; ++i) {
    {
      reader r(*d, "http://api.test", w.sim.executor());
      w.sim.advance(1ms);
    }
    w.sim.advance(1100ms);
  }
  EXPECT_EQ(w.dns.most_in_flight_per_question(), 1U);
  // And afterwards it is.
  w.sim.advance(10s);
  reader other(*d, "http://other.test", w.sim.executor());
  w.dns.set("api.test", {"10.0.0.1"});
  reader again(*d, "http://api.test", w.sim.executor());
  w.sim.advance(100ms);
  ASSERT_EQ(again.got.size(), 1U);
  EXPECT_EQ(again.got[0]->generation, 1U);
}

TEST(Discovery, SubscribingToNothingOrNowhereIsRefused) {
  discovery_world w;
  const auto d = w.make();
  const target t("http://api.test");
  EXPECT_THROW((void)d->subscribe(t, {}, [](const snapshot_ptr&) {}), std::invalid_argument);
  EXPECT_THROW((void)d->subscribe(t, w.sim.executor(), nullptr), std::invalid_argument);
  w.sim.advance(1s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 0U);
}

TEST(Discovery, AnswersOnTheirWayWhenTheLastSubscriberLeavesAreHarmless) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  w.dns.latency(2s);
  const auto d = w.make();
  {
    reader r(*d, "http://api.test", w.sim.executor());
    w.sim.advance(1s);
  }
  w.sim.advance(2s);
  reader again(*d, "http://api.test", w.sim.executor());
  w.sim.settle();
  EXPECT_EQ(again.endpoints(), texts{"10.0.0.1:80"});
}

TEST(Discovery, TwoExecutorsGetTheirOwn) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  boost::asio::io_context other;
  const auto d = w.make();
  reader here(*d, "http://api.test", w.sim.executor());
  reader there(*d, "http://api.test", other.get_executor());
  w.sim.advance(1s);
  EXPECT_EQ(here.got.size(), 1U);
  EXPECT_TRUE(there.got.empty()) << "its executor has not run";
  w.dns.set("api.test", {"10.0.0.2"});
  w.sim.advance(11s);
  other.poll();
  EXPECT_EQ(there.got.size(), 2U);
  EXPECT_TRUE(there.in_order());
  EXPECT_EQ(there.got.back(), here.got.back());
}

TEST(Discovery, ASubscriberThatSleepsHoldsABoundedNumberOfSnapshots) {
  discovery_world w;
  w.dns.sequence("api.test", {{"10.0.0.1"}, {"10.0.0.2", "10.0.0.3"}, {"10.0.0.4"}}, 1s, true);
  boost::asio::io_context other;
  const auto d = w.make();
  reader sleeper(*d, "http://api.test", other.get_executor());
  w.sim.advance(1h);
  other.poll();
  EXPECT_LE(sleeper.got.size(), 65U);
  EXPECT_GE(sleeper.got.size(), 60U);
  EXPECT_TRUE(sleeper.in_order());
  reader fresh(*d, "http://api.test", w.sim.executor());
  w.sim.settle();
  EXPECT_EQ(sleeper.got.back(), fresh.got.back()) << "the newest is never the one left out";
}

// As on an executor with many threads, but without the luck: the second turn is looked for while
// the first one runs.
TEST(Discovery, SnapshotsAreNeverDeliveredTwoAtOnce) {
  discovery_world w;
  w.dns.sequence("api.test", {{"10.0.0.1"}, {"10.0.0.2"}, {"10.0.0.3"}}, 1s);
  const auto d = w.make();
  boost::asio::io_context theirs;
  int depth = 0;
  int deepest = 0;
  std::vector<std::uint64_t> generations;
  auto sub =
      d->subscribe(target("http://api.test"), theirs.get_executor(), [&](const snapshot_ptr& s) {
        deepest = std::max(deepest, ++depth);
        theirs.poll();
        --depth;
        generations.push_back(s->generation);
      });
  w.sim.advance(5s);
  theirs.run();
  EXPECT_EQ(deepest, 1);
  EXPECT_EQ(generations, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Discovery, SameSeedSameTrace) {
  const auto trace = [](std::uint64_t seed) {
    discovery_world w(seed);
    w.dns.sequence("api.test", {{"10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}}, 3s, true);
    w.dns.set("other.test", {"10.1.0.1"}, 0s);
    const auto d = w.make();
    reader a(*d, "http://api.test", w.sim.executor());
    reader b(*d, "http://other.test", w.sim.executor());
    w.sim.advance(10min);
    return w.events->trace();
  };
  EXPECT_EQ(trace(1), trace(1));
  EXPECT_NE(trace(1), trace(2));
}

TEST(Discovery, EventsTellWhatHappened) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader http(*d, "http://api.test", w.sim.executor());
  reader https(*d, "https://api.test", w.sim.executor());
  w.sim.advance(1s);
  w.dns.set("api.test", {"10.0.0.2"});
  w.sim.advance(10s);
  EXPECT_EQ(w.events->count(event_kind::answer, "records"), 2U);
  EXPECT_EQ(w.events->count(event_kind::snapshot, "fresh"), 2U);
  EXPECT_EQ(w.events->count(event_kind::endpoint, "added", "10.0.0.1:80"), 1U);
  EXPECT_EQ(w.events->count(event_kind::endpoint, "added", "10.0.0.1:443"), 1U);
  EXPECT_EQ(w.events->count(event_kind::endpoint, "departed", "10.0.0.1:443"), 1U);
  EXPECT_EQ(w.events->count(event_kind::endpoint, "added", "10.0.0.2:80"), 1U);
}

TEST(Discovery, CountersTellAnswersFromFailures) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.max_endpoints = 2;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(d->counters().answers, 1U);
  EXPECT_EQ(d->counters().dropped_records, 1U);
  w.dns.fail("api.test", answer_outcome::server_failure);
  w.sim.advance(9100ms);
  EXPECT_GE(d->counters().failures, 1U);
  EXPECT_EQ(d->counters().queries, d->counters().answers + d->counters().failures);
}

TEST(Discovery, IllegalOptionsAreRefused) {
  discovery_world w;
  const auto refused = [&](auto change) {
    auto o = w.options;
    change(o);
    EXPECT_THROW((void)discovery::create(w.sim.executor(), o, w.dns.share(), w.sim.time()),
                 std::invalid_argument);
  };
  refused([](auto& o) { o.watch.ttl_floor = 11s; });
  refused([](auto& o) { o.query_timeout = 9ms; });
  refused([](auto& o) { o.query_timeout = 61s; });
  refused([](auto& o) { o.query_timeout = duration::min(); });
  refused([](auto& o) { o.max_queries_in_flight = 0; });
  refused([](auto& o) { o.max_queries_in_flight = 1025; });
  refused([](auto& o) { o.nameservers = {"ns.test:53"}; });
  refused([](auto& o) { o.nameservers = {"10.0.0.1:0"}; });
  EXPECT_THROW((void)discovery::create({}, w.options, w.dns.share(), w.sim.time()),
               std::invalid_argument);
  EXPECT_THROW((void)discovery::create(w.sim.executor(), w.options, nullptr, w.sim.time()),
               std::invalid_argument);
  EXPECT_THROW((void)discovery::create(w.sim.executor(), w.options, w.dns.share(), nullptr),
               std::invalid_argument);
}

}  // namespace
}  // namespace redial
