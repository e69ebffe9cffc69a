// SPDX-License-Identifier: Apache-2.0

// SRV names through the whole discovery, in simulated time.

#include "discovery_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(DiscoverySrv, EndpointsHaveTheRecordsPortsPrioritiesAndWeights) {
  discovery_world w;
  w.dns.set_srv("calc.local", {{"n1.local", 8001, 0, 5}, {"n2.local", 8002, 1, 0}}, 10s);
  w.dns.set("n1.local", {"10.0.0.1"});
  w.dns.set("n2.local", {"10.0.0.2", "fd00::2"});
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(
      r.endpoints(),
      UnorderedElementsAre(
          "10.0.0.1:8001 (n1.local)", "10.0.0.2:8002 (n2.local)", "[fd00::2]:8002 (n2.local)"));
  ASSERT_FALSE(r.got.empty());
  const auto& all = r.got.back()->endpoints;
  EXPECT_EQ(all[0].where.weight, 5);
  EXPECT_EQ(all[1].where.priority, 1);
  EXPECT_EQ(r.got.size(), 1U) << "one snapshot when everybody answers at once";
}

TEST(DiscoverySrv, Fault52_50_TargetsAreSharedWithWhoeverElseWatchesThem) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("a.local", {{"n1.local", 1}}, 10s);
  w.dns.set_srv("b.local", {{"n1.local", 2}}, 10s);
  w.dns.set("n1.local", {"10.0.0.1"});
  const auto d = w.make();
  reader a(*d, "srv://a.local", w.sim.executor());
  reader b(*d, "srv+http://b.local", w.sim.executor());
  reader host(*d, "http://n1.local", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(w.dns.times_asked("n1.local"), 1U);
  EXPECT_EQ(w.dns.most_in_flight_per_question(), 1U);
  EXPECT_THAT(a.endpoints(), ElementsAre("10.0.0.1:1 (n1.local)"));
  EXPECT_THAT(b.endpoints(), ElementsAre("10.0.0.1:2 (n1.local)"));
  EXPECT_THAT(host.endpoints(), ElementsAre("10.0.0.1:80"));
}

TEST(DiscoverySrv, Fault57_OnlyTheEndpointWhoseAddressChangedDeparts) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"n1.local", 80}, {"n2.local", 80}}, 10s);
  w.dns.set("n1.local", {"10.0.0.1"}, 5s);
  w.dns.set("n2.local", {"10.0.0.2"}, 5s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  const auto life = r.got.back()->endpoints[0].life;
  w.dns.set("n2.local", {"10.0.0.3"}, 5s);
  w.sim.advance(10s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80 (n1.local)", "10.0.0.3:80 (n2.local)"));
  EXPECT_EQ(r.got.back()->endpoints[0].life, life);
}

TEST(DiscoverySrv, AReplacedSetIsNeverEmptyInBetween) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.latency(200ms);
  w.dns.set_srv("calc.local", {{"n1.local", 80}}, 5s);
  w.dns.set("n1.local", {"10.0.0.1"}, 60s);
  w.dns.set("n2.local", {"10.0.0.2"}, 60s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  w.dns.set_srv("calc.local", {{"n2.local", 80}}, 5s);
  w.sim.advance(10s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.2:80 (n2.local)"));
  for (const auto& s : r.got) EXPECT_THAT(s->endpoints, SizeIs(1));
}

TEST(DiscoverySrv, Fault48_AServiceThatIsNotOfferedIsADefiniteError) {
  discovery_world w;
  w.dns.set_srv("calc.local", {{".", 0}}, 10s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  ASSERT_EQ(r.got.size(), 1U);
  EXPECT_EQ(r.got[0]->error, errc::no_service);
  EXPECT_TRUE(r.got[0]->definite);
}

TEST(DiscoverySrv, ReportsReachTheTargetAndTheRecord) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"n1.local", 80}, {"n2.local", 80}}, 60s);
  w.dns.set("n1.local", {"10.0.0.1"}, 60s);
  w.dns.set("n2.local", {"10.0.0.2"}, 60s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  r.sub.report(r.got.back()->endpoints[0].where, endpoint_outcome::timed_out);
  w.sim.advance(100ms);
  EXPECT_EQ(w.dns.times_asked({"calc.local", record_type::srv}), 2U);
  EXPECT_EQ(w.dns.times_asked("n1.local"), 2U);
  EXPECT_EQ(w.dns.times_asked("n2.local"), 1U);
}

TEST(DiscoverySrv, ARefreshAsksTheTargetsToo) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"n1.local", 80}}, 60s);
  w.dns.set("n1.local", {"10.0.0.1"}, 60s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  r.sub.refresh();
  w.sim.advance(100ms);
  EXPECT_EQ(w.dns.times_asked({"calc.local", record_type::srv}), 2U);
  EXPECT_EQ(w.dns.times_asked("n1.local"), 2U);
}

TEST(DiscoverySrv, NobodyLeftNothingIsAsked) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"n1.local", 80}}, 2s);
  w.dns.set("n1.local", {"10.0.0.1"}, 2s);
  const auto d = w.make();
  {
    reader r(*d, "srv://calc.local", w.sim.executor());
    w.sim.advance(5s);
    EXPECT_THAT(r.endpoints(), SizeIs(1));
  }
  w.sim.advance(1s);
  const auto asked = w.dns.asked().size();
  w.sim.advance(60s);
  EXPECT_EQ(w.dns.asked().size(), asked);
  // And it starts again.
  w.dns.set("n1.local", {"10.0.0.9"}, 2s);
  reader again(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(again.endpoints(), ElementsAre("10.0.0.9:80 (n1.local)"));
}

TEST(DiscoverySrv, ANameMayBeAHostAndAService) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"calc.local", 9000}}, 10s);
  w.dns.set("calc.local", {"10.0.0.1"});
  const auto d = w.make();
  reader service(*d, "srv://calc.local", w.sim.executor());
  reader host(*d, "tcp://calc.local:1", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(service.endpoints(), ElementsAre("10.0.0.1:9000 (calc.local)"));
  EXPECT_THAT(host.endpoints(), ElementsAre("10.0.0.1:1"));
}

TEST(DiscoverySrv, Fault70_LocalhostAsATargetNeedsNoQuestion) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"localhost", 8001}}, 10s);
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(r.endpoints(), ElementsAre("127.0.0.1:8001 (localhost)"));
  EXPECT_EQ(w.dns.times_asked("localhost"), 0U);
  r.sub.report(r.got.back()->endpoints[0].where, endpoint_outcome::timed_out);
  w.dns.set_srv("calc.local", {{"n1.local", 8001}}, 10s);
  w.dns.set("n1.local", {"10.0.0.1"});
  w.sim.advance(20s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:8001 (n1.local)"));
}

TEST(DiscoverySrv, ClosedWhileTargetsAreAsked) {
  discovery_world w;
  w.dns.set_srv("calc.local", {{"n1.local", 80}}, 10s);
  w.dns.silence("n1.local");
  auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(r.got, IsEmpty());
  d->close();
  w.sim.advance(1s);
  ASSERT_THAT(r.got, SizeIs(1));
  EXPECT_EQ(r.got[0]->error, errc::closed);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
