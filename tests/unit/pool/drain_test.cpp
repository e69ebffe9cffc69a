// SPDX-License-Identifier: Apache-2.0
// Endpoints that leave: who still serves, and what becomes of their connections.

#include "pool_world.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Witness final : lease_observer {
  void lease_cancelled(error_code why) override {
    ++calls;
    last = why;
    if (then) then();
  }
  int calls = 0;
  error_code last;
  std::function<void()> then;
};

using Drain = PoolWorld;

TEST_F(Drain, Fault116_AWholeSetReplacedServesWithoutAGap) {
  start({"10.0.0.1", "10.0.0.2"});
  net->accept(ep("10.0.0.3"), 50ms);
  net->accept(ep("10.0.0.4"), 50ms);
  dns({"10.0.0.3", "10.0.0.4"});
  EXPECT_TRUE(pool->try_checkout().has_value());
  EXPECT_EQ(pool->counters().retained_leases, 1U);
  sim.advance(50ms);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open + net->counts(ep("10.0.0.2")).open, 0U);
  auto l = pool->try_checkout();
  ASSERT_TRUE(l.has_value());
  EXPECT_GE(l->where(), ep("10.0.0.3"));
  EXPECT_EQ(told(endpoint_change::retained), 2U);
  EXPECT_EQ(told(endpoint_change::drained), 2U);
  EXPECT_EQ(closed_for(close_reason::departed), 2U);
}

TEST_F(Drain, Fault113_LeasedOnesFinishAndAreClosedWhenTheyComeBack) {
  start({"10.0.0.1", "10.0.0.2"});
  auto leases = take(2);
  const auto gone = leases[0].where() == ep("10.0.0.1") ? 0U : 1U;
  dns({"10.0.0.2"});
  EXPECT_EQ(pool->gauges().draining, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U);
  sim.advance(29s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U);
  leases[gone] = {};
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(pool->gauges().endpoints_departed, 0U);
}

TEST_F(Drain, AtTheDrainDeadlineTheHolderIsToldAndThenItIsClosed) {
  start({"10.0.0.1", "10.0.0.2"});
  auto leases = take(2);
  const auto gone = leases[0].where() == ep("10.0.0.1") ? 0U : 1U;
  auto witness = std::make_shared<Witness>();
  witness->then = [&] { EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U); };
  leases[gone].observe(witness);
  leases[1 - gone].observe(witness);
  dns({"10.0.0.2"});
  sim.advance(30s);
  EXPECT_EQ(witness->calls, 1);
  EXPECT_EQ(witness->last, errc::connection_drained);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(pool->gauges().draining, 1U);  // the lease is not over
  leases[gone].end(lease_end::failed, errc::connection_drained);
  EXPECT_EQ(pool->gauges().draining, 0U);
  EXPECT_EQ(closed_for(close_reason::drain_deadline), 1U);
}

TEST_F(Drain, ACallsOwnDeadlineIsNotCutShort) {
  start({"10.0.0.1", "10.0.0.2"});
  auto leases = take(2);
  for (auto& l : leases) l.keep_until(sim.now() + 45s);
  dns({"10.0.0.2"});
  sim.advance(44s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U);
  sim.advance(1s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
}

TEST_F(Drain, AHolderWhoObservesTooLateIsToldToo) {
  options.drain_deadline = 0s;
  start({"10.0.0.1", "10.0.0.2"});
  auto leases = take(2);
  dns({"10.0.0.2"});
  sim.settle();
  sim.advance(1ms);
  auto witness = std::make_shared<Witness>();
  for (auto& l : leases) l.observe(witness);
  sim.settle();
  EXPECT_EQ(witness->calls, 1);
}

TEST_F(Drain, TheHolderMayEndItsLeaseFromTheCall) {
  start({"10.0.0.1"});
  auto l = take();
  auto witness = std::make_shared<Witness>();
  witness->then = [&] { l.end(lease_end::failed, errc::closed); };
  l.observe(witness);
  pool->close();
  sim.settle();
  EXPECT_EQ(witness->last, errc::closed);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(pool->gauges().draining, 0U);
}

TEST_F(Drain, Fault114_AnAddressThatReturnsWhileDrainingIsANewLife) {
  start({"10.0.0.1", "10.0.0.2"});
  auto leases = take(2);
  const auto old = leases[0].where() == ep("10.0.0.1") ? 0U : 1U;
  const auto first_id = leases[old].endpoint_id();
  dns({"10.0.0.2"});
  dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(told(endpoint_change::active, "10.0.0.1"), 2U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 2U);
  leases[old] = {};  // of the former life: not lent again
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U);
  for (auto& l : take(4)) EXPECT_NE(l.endpoint_id(), first_id);
}

TEST_F(Drain, Fault114_ALateConnectDoesNotReviveTheFormerLife) {
  start({"10.0.0.2"});
  connect_behaviour slow;
  slow.latency = 100ms;
  slow.ignores_cancel = true;
  net->next(ep("10.0.0.1"), slow);
  dns({"10.0.0.1", "10.0.0.2"});
  dns({"10.0.0.2"});
  net->hang(ep("10.0.0.1"));
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(100ms);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).opened, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(told(endpoint_change::active, "10.0.0.1"), 0U);
  EXPECT_EQ(closed_for(close_reason::abandoned), 1U);
}

TEST_F(Drain, AConnectOfADepartedWarmingEndpointIsCancelled) {
  start({"10.0.0.2"});
  net->hang(ep("10.0.0.1"));
  dns({"10.0.0.1", "10.0.0.2"});
  dns({"10.0.0.2"});
  EXPECT_EQ(net->counts(ep("10.0.0.1")).cancelled, 1U);
  EXPECT_EQ(pool->gauges().connecting, 0U);
}

TEST_F(Drain, WithoutAReplacementTheDepartedOneServesOnAndIsCounted) {
  start({"10.0.0.1"});
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  sim.advance(31s);
  auto l = pool->try_checkout();
  ASSERT_TRUE(l.has_value());
  EXPECT_EQ(l->where(), ep("10.0.0.1"));
  EXPECT_EQ(told(endpoint_change::retained), 2U);  // when it left, and as the last resort
  EXPECT_EQ(pool->counters().retained_leases, 1U);
  l->end(lease_end::reset);
  EXPECT_EQ(pool->try_checkout().error(), errc::no_usable_endpoint);
  EXPECT_EQ(told(endpoint_change::drained), 1U);
}

TEST_F(Drain, ADeadConnectionOfADepartedOneIsNoLeaseOfIt) {
  connect_behaviour blind;
  blind.can_watch = false;
  net->behave(blind);
  start({"10.0.0.1"});
  net->refuse(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  sim.advance(2s);
  net->peers(ep("10.0.0.1")).at(0)->break_silently();
  EXPECT_FALSE(pool->try_checkout().has_value());
  EXPECT_EQ(pool->counters().checkouts, 0U);
  EXPECT_EQ(pool->counters().retained_leases, 0U);
}

TEST_F(Drain, TheLastResortMayBeConnectedToUntilItRefuses) {
  options.idle_timeout = 10s;
  start({"10.0.0.1"});
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  sim.advance(31s);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(take().where(), ep("10.0.0.1"));
  sim.advance(15s);
  net->refuse(ep("10.0.0.1"));
  const auto w = checkout(1s);
  sim.settle();
  EXPECT_EQ(told(endpoint_change::drained), 1U);
  sim.advance(1s);
  EXPECT_EQ(w->completions, 1);
}

TEST_F(Drain, ExclusiveFailsRatherThanWriteToTheOldOne) {
  options.exclusive = true;
  start({"10.0.0.1"});
  auto l = take();
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  EXPECT_EQ(pool->try_checkout().error(), errc::no_usable_endpoint);
  const auto a = checkout(1s);
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::no_usable_endpoint);
  net->refuse(ep("10.0.0.2"));
  const auto b = checkout(20s);
  sim.advance(15s);
  EXPECT_EQ(b->error, errc::no_usable_endpoint);
  EXPECT_TRUE(pool->last_connect_error());
}

TEST_F(Drain, ANameThatIsGoneDrainsEverything) {
  start({"10.0.0.1", "10.0.0.2"});
  publish(failure(errc::name_gone, true));
  EXPECT_EQ(open_now(), 0U);
  const auto a = checkout();
  sim.settle();
  EXPECT_EQ(a->error, errc::name_gone);
  dns({"10.0.0.1"});
  EXPECT_EQ(take().where(), ep("10.0.0.1"));
}

TEST_F(Drain, DoubtedServesOpenConnectionsButGetsNoNewOnes) {
  start({"10.0.0.1"});
  auto s = answer_of({"10.0.0.1"});
  s.endpoints[0].presence = presence::absent;
  s.endpoints[0].doubted = true;
  publish(s);
  auto l = take();
  const auto a = checkout(1s);
  sim.advance(500ms);
  EXPECT_EQ(opened_ever(), 1U);
  l = {};
  sim.settle();
  EXPECT_TRUE(a->leased());
}

TEST_F(Drain, Fault148_AMassDrainReconnectsAFewAtATime) {
  options.min_idle = 20;
  start({"10.0.0.1"});
  sim.advance(1s);
  EXPECT_EQ(open_now(), 20U);
  net->accept(ep("10.0.0.2"), 10ms);
  dns({"10.0.0.2"});
  std::uint32_t most = 0;
  for (int i = 0; i < 300; ++i) {
    sim.advance(1ms);
    most = std::max(most, pool->gauges().connecting);
  }
  EXPECT_LE(most, 8U);
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, 20U);
  EXPECT_EQ(open_now(), 20U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
