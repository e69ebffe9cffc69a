// SPDX-License-Identifier: Apache-2.0
// Somebody else answers at an address (fault 115): no lease there, whatever happens.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Quarantine : PoolWorld {
  Quarantine() { options.health.ejection_jitter = 0; }
  /// From now on a stranger answers there; a new connection shall find out.
  void move_away(const std::string& a) {
    net->fail(ep(a), errc::identity_mismatch);
    sim.settle();
  }
};

TEST_F(Quarantine, Fault115_NoLeaseThereItsConnectionsGoAndTheNameIsAskedFor) {
  options.min_idle = 4;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  ASSERT_EQ(net->counts(ep("10.0.0.1")).open, 4U);
  move_away("10.0.0.1");
  const auto refreshes = feed->refreshes;
  std::vector<scripted_lease> held;
  while (held.empty() || held.back().where() != ep("10.0.0.1")) held.push_back(take());
  sim.settle();  // a spare was to be opened there
  EXPECT_EQ(told(endpoint_change::quarantined, "10.0.0.1"), 1U);
  EXPECT_GT(feed->refreshes, refreshes);
  EXPECT_EQ(pool->gauges().endpoints_quarantined, 1U);
  EXPECT_EQ(pool->gauges().draining, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U) << "the idle ones are closed";
  EXPECT_EQ(closed_for(close_reason::quarantined), 3U);
  held.clear();
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(take().where(), ep("10.0.0.2"));
}

TEST_F(Quarantine, IsAskedAgainOnTheScheduleOfEjectionAndReturnsWhenItIsItself) {
  start();
  move_away("10.0.0.1");
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, 1U);
  sim.advance(5s);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, 2U);
  net->accept(ep("10.0.0.1"));
  sim.advance(8s);
  EXPECT_EQ(told(endpoint_change::recovered), 0U);
  sim.advance(2s);
  EXPECT_EQ(told(endpoint_change::recovered, "10.0.0.1"), 1U);
  EXPECT_EQ(pool->gauges().endpoints_active, 2U);
}

TEST_F(Quarantine, WithNobodyElseCallsFailWithTheCause) {
  start();
  net->fail(ep("10.0.0.1"), errc::identity_mismatch, 50ms);
  net->fail(ep("10.0.0.2"), errc::identity_mismatch, 50ms);
  const auto early = checkout(5s);
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  ASSERT_FALSE(early->pending());
  EXPECT_EQ(early->error, errc::identity_mismatch);
  const auto late = checkout(5s);
  sim.settle();
  ASSERT_FALSE(late->pending());
  EXPECT_EQ(late->error, errc::identity_mismatch);
  EXPECT_EQ(pool->gauges().endpoints_quarantined, 2U);
}

TEST_F(Quarantine, ANewAddressServesThoseWhoComeAfterIt) {
  start();
  move_away("10.0.0.1");
  dns({"10.0.0.1"});
  const auto w = checkout(5s);
  dns({"10.0.0.2"});
  EXPECT_EQ(w->error, errc::identity_mismatch);
  EXPECT_EQ(take().where(), ep("10.0.0.2"));
  EXPECT_EQ(pool->gauges().endpoints_quarantined, 0U);
}

TEST_F(Quarantine, ANewLifeOfTheAddressIsNotGuilty) {
  start();
  move_away("10.0.0.1");
  dns({"10.0.0.1", "10.0.0.2"});
  net->accept(ep("10.0.0.1"));
  dns({"10.0.0.2"});
  dns({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(pool->gauges().endpoints_active, 2U);
}

TEST_F(Quarantine, ACallThatFindsTheStrangerQuarantinesIt) {
  start({"10.0.0.1", "10.0.0.2"});
  auto l = take();
  const auto where = l.where();
  l.end(lease_end::failed, errc::identity_mismatch);
  sim.settle();
  EXPECT_EQ(pool->gauges().endpoints_quarantined, 1U);
  EXPECT_EQ(net->counts(where).open, 0U);
  EXPECT_EQ(closed_for(close_reason::error), 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
