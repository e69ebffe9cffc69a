// SPDX-License-Identifier: Apache-2.0
// What a pool counts and measures.
#include <redial/core/histogram.hpp>

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::size_t at(close_reason r) { return static_cast<std::size_t>(r); }
std::size_t at(endpoint_change c) { return static_cast<std::size_t>(c); }

// Index of the bucket that `d` belongs to.
std::size_t bucket_of(duration d) {
  std::size_t i = 0;
  while (i < latency_histogram::bounds.size() && latency_histogram::bounds[i] < d) ++i;
  return i;
}

class PoolFigures : public PoolWorld {
 protected:
  snapshot absent_in(const std::vector<std::string>& addresses, const std::string& absent) {
    snapshot s = answer_of(addresses);
    for (auto& e : s.endpoints) {
      if (e.where == ep(absent)) e.presence = presence::absent;
    }
    return s;
  }
  // Leased by the short way and returned at once.
  void use() {
    auto found = pool->try_checkout();
    ASSERT_TRUE(found) << found.error().message();
    found->end(lease_end::returned);
  }
  latency_histogram departed_use() { return pool->histograms().departed_use; }
};

TEST_F(PoolFigures, ConnectsThatSucceedAreTimed) {
  net->accept(ep("10.0.0.1"), 30ms);
  net->refuse(ep("10.0.0.2"), 40ms);
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(300ms);
  const auto h = pool->histograms().connect;
  EXPECT_EQ(h.count(), 1U);
  EXPECT_EQ(h.bucket(bucket_of(30ms)), 1U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 0.03);
}

TEST_F(PoolFigures, WhoQueuedWaitedAndWhoFoundOneIdleDidNot) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  auto held = take();
  const auto waiting = checkout(5s);
  const auto in_vain = checkout(100ms);
  sim.advance(400ms);
  held = {};
  sim.settle();
  ASSERT_TRUE(waiting->leased());
  EXPECT_EQ(in_vain->error, errc::checkout_timeout);
  const auto h = pool->histograms().checkout;
  EXPECT_EQ(h.count(), 2U);
  EXPECT_EQ(h.count(), pool->counters().checkouts);
  EXPECT_EQ(h.bucket(0), 1U);
  EXPECT_EQ(h.bucket(bucket_of(400ms)), 1U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 0.4);
}

TEST_F(PoolFigures, AWaitForTheFirstConnectionIsTimed) {
  net->accept(ep("10.0.0.1"), 80ms);
  start();
  const auto w = checkout(5s);
  dns({"10.0.0.1"});
  sim.advance(1s);
  ASSERT_TRUE(w->leased());
  EXPECT_DOUBLE_EQ(pool->histograms().checkout.sum_seconds(), 0.08);
}

TEST_F(PoolFigures, ACallerTurnedAwayIsAnEvent) {
  options.max_connections = 1;
  options.queue_limit = 1;
  start({"10.0.0.1"});
  const auto held = take();
  const auto queued = checkout(700ms);
  const auto rejected = checkout(5s);
  sim.settle();
  EXPECT_EQ(rejected->error, errc::queue_full);
  sim.advance(1s);
  EXPECT_EQ(queued->error, errc::checkout_timeout);
  const auto told = events->matching(event_is(event_kind::checkout));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].error, errc::queue_full);
  EXPECT_EQ(told[0].elapsed, 0s);
  EXPECT_EQ(told[1].error, errc::checkout_timeout);
  EXPECT_EQ(told[1].elapsed, 700ms);
}

TEST_F(PoolFigures, CallersOfARefusedNameAreTold) {
  net->refuse(ep("10.0.0.1"), 50ms);
  start();
  const auto w = checkout(5s);
  dns({"10.0.0.1"});
  sim.advance(200ms);
  ASSERT_FALSE(w->pending());
  const auto told = events->first(event_is(event_kind::checkout));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->error, w->error);
  EXPECT_EQ(told->elapsed, 50ms);
}

TEST_F(PoolFigures, EveryCloseIsCountedByItsReason) {
  options.idle_timeout = 10s;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  take().end(lease_end::poisoned);
  auto failing = take(3);
  failing[0].end(lease_end::failed, errc::peer_closed);
  failing.clear();
  sim.settle();
  net->peers().front()->hang_up();
  sim.advance(15s);
  const auto held = take(2);
  dns({"10.0.0.3"});
  sim.advance(40s);
  take().end(lease_end::spent);
  take();
  pool->close();
  sim.settle();
  const pool_counters c = pool->counters();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < c.closed_by.size(); ++i) {
    sum += c.closed_by[i];
    EXPECT_EQ(c.closed_by[i], closed_for(static_cast<close_reason>(i))) << i << events->trace();
  }
  EXPECT_EQ(sum, c.closed);
  for (const auto r : {close_reason::poisoned,
                       close_reason::error,
                       close_reason::idle,
                       close_reason::drain_deadline,
                       close_reason::spent,
                       close_reason::shutdown}) {
    EXPECT_GT(c.closed_by[at(r)], 0U) << to_string(r);
  }
}

TEST_F(PoolFigures, ChangesOfEndpointsAreCountedWithOrWithoutAListener) {
  net->refuse(ep("10.0.0.2"));
  pool.emplace(sim.executor(), std::make_unique<scripted_feed>(feed), net, options, sim.time());
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  publish(absent_in({"10.0.0.1", "10.0.0.2"}, "10.0.0.1"));
  dns({"10.0.0.1", "10.0.0.2"});
  dns({"10.0.0.2", "10.0.0.3"});
  sim.advance(100ms);
  const auto n = pool->counters().changes;
  EXPECT_EQ(n[at(endpoint_change::added)], 3U);
  EXPECT_EQ(n[at(endpoint_change::absent)], 1U);
  EXPECT_EQ(n[at(endpoint_change::returned)], 1U);
  EXPECT_EQ(n[at(endpoint_change::departed)], 1U);
  EXPECT_EQ(n[at(endpoint_change::active)], 2U);
  EXPECT_GT(n[at(endpoint_change::warm_failed)], 0U);
  EXPECT_EQ(n[at(endpoint_change::warming)], 2U + n[at(endpoint_change::warm_failed)]);
  EXPECT_EQ(n[at(endpoint_change::drained)], 1U);
}

// --- use after departure ------------------------------------------------------------------------

TEST_F(PoolFigures, UseOfADepartedEndpointIsMeasuredToTheStartOfTheLastLease) {
  start({"10.0.0.1"});
  sim.advance(5s);
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  sim.advance(1s);
  use();
  sim.advance(1s);  // the coarse clock has stopped again
  use();
  EXPECT_EQ(departed_use().count(), 0U) << "it still serves";
  net->accept(ep("10.0.0.2"));
  sim.advance(10s);
  ASSERT_EQ(told(endpoint_change::drained, "10.0.0.1"), 1U);
  EXPECT_EQ(departed_use().count(), 1U);
  EXPECT_DOUBLE_EQ(departed_use().sum_seconds(), 2.0);
  EXPECT_EQ(pool->counters().retained_leases, 2U);
}

TEST_F(PoolFigures, AnEndpointThatIsReplacedAtOnceIsNotUsedAfterwards) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  use();
  sim.advance(1s);
  dns({"10.0.0.2"});
  sim.advance(1s);
  EXPECT_EQ(departed_use().count(), 1U);
  EXPECT_DOUBLE_EQ(departed_use().sum_seconds(), 0.0);
}

TEST_F(PoolFigures, TheMeasureBeginsWithTheFirstAnswerThatLacksIt) {
  start({"10.0.0.1"});
  sim.advance(1s);
  publish(absent_in({"10.0.0.1"}, "10.0.0.1"));
  sim.advance(2s);
  use();
  dns({"10.0.0.1"});  // it was only not shown
  sim.advance(2s);
  publish(absent_in({"10.0.0.1"}, "10.0.0.1"));
  sim.advance(3s);
  use();
  sim.advance(1s);
  dns({"10.0.0.2"});
  sim.advance(1s);
  ASSERT_EQ(told(endpoint_change::drained, "10.0.0.1"), 1U);
  EXPECT_EQ(departed_use().count(), 1U);
  EXPECT_DOUBLE_EQ(departed_use().sum_seconds(), 3.0);
}

TEST_F(PoolFigures, LeasesOfThoseWhoQueuedCountToo) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  net->hang(ep("10.0.0.2"));
  auto held = take();
  dns({"10.0.0.2"});
  const auto w = checkout(5s);
  sim.advance(1500ms);
  held = {};
  sim.settle();
  ASSERT_TRUE(w->leased());
  w->lease = {};
  net->accept(ep("10.0.0.2"));
  sim.advance(20s);
  EXPECT_DOUBLE_EQ(departed_use().sum_seconds(), 1.5);
}

TEST_F(PoolFigures, OneThatNeverServedIsNotCounted) {
  net->hang(ep("10.0.0.1"));
  start({"10.0.0.1"});
  sim.advance(100ms);
  dns({"10.0.0.2"});
  sim.advance(1s);
  EXPECT_EQ(departed_use().count(), 0U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
