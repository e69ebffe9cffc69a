// SPDX-License-Identifier: Apache-2.0
// Checkout and return of idle connections.

#include "pool_world.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

using Checkout = PoolWorld;

TEST_F(Checkout, TheWarmingConnectionIsTheFirstIdleOne) {
  start({"10.0.0.1"});
  EXPECT_EQ(open_now(), 1U);
  auto l = pool->try_checkout();
  ASSERT_TRUE(l.has_value());
  EXPECT_EQ(l->where(), ep("10.0.0.1"));
  EXPECT_FALSE(l->is_reused());
  EXPECT_EQ(opened_ever(), 1U);
}

TEST_F(Checkout, AReturnedConnectionIsLentAgain) {
  start({"10.0.0.1"});
  { const auto l = pool->try_checkout(); }
  const auto l = pool->try_checkout();
  ASSERT_TRUE(l.has_value());
  EXPECT_TRUE(l->is_reused());
  EXPECT_EQ(opened_ever(), 1U);
  EXPECT_EQ(pool->counters().checkouts_idle, 2U);
}

TEST_F(Checkout, TheLastReturnedIsLentFirst) {
  start({"10.0.0.1"});
  auto leases = take(3);
  const auto* second = &*leases[1];
  leases[0] = {};
  leases[2] = {};
  leases[1] = {};
  EXPECT_EQ(&*take(), second);
}

TEST_F(Checkout, NothingIdleIsAnErrorAtOnce) {
  start();
  EXPECT_EQ(pool->try_checkout().error(), errc::no_usable_endpoint);
  dns({"10.0.0.1"});
  const auto l = pool->try_checkout();
  EXPECT_EQ(pool->try_checkout().error(), errc::no_idle_connection);
  pool->close();
  EXPECT_EQ(pool->try_checkout().error(), errc::closed);
}

TEST_F(Checkout, Fault129_AnIdleConnectionIsPostedNotCalledInline) {
  start({"10.0.0.1"});
  const auto w = checkout();
  EXPECT_TRUE(w->pending());
  sim.settle();
  EXPECT_TRUE(w->leased());
}

TEST_F(Checkout, TheHandlerRunsOnItsOwnExecutor) {
  start({"10.0.0.1"});
  auto strand = asio::make_strand(sim.context());
  bool there = false;
  pool->async_checkout(asio::bind_executor(
      strand, [&](error_code, scripted_lease) { there = strand.running_in_this_thread(); }));
  sim.settle();
  EXPECT_TRUE(there);
}

TEST_F(Checkout, AForeignExecutorStaysAtWorkWhileItsHandlerWaits) {
  start();
  asio::io_context own;
  bool called = false;
  pool->async_checkout(
      checkout_options(sim.now() + 1s),
      asio::bind_executor(own, [&](error_code, scripted_lease) { called = true; }));
  own.poll();
  EXPECT_FALSE(own.stopped());
  sim.advance(1s);
  own.run();
  EXPECT_TRUE(called);
}

TEST_F(Checkout, LeasesSpreadOverEndpoints) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"});
  const auto leases = take(40);
  for (const char* a : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}) {
    EXPECT_GE(net->counts(ep(a)).open, 6U) << a;
    EXPECT_LE(net->counts(ep(a)).open, 14U) << a;
  }
}

TEST_F(Checkout, Fault136_LeasesMoveAndMoveToThemselves) {
  start({"10.0.0.1"});
  auto a = take();
  auto b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT: that a moved-from lease is empty is documented
  auto& alias = b;
  b = std::move(alias);
  EXPECT_TRUE(b);
  EXPECT_EQ(pool->gauges().leased, 1U);
  b = take();
  EXPECT_EQ(pool->gauges().leased, 1U);
  EXPECT_EQ(pool->gauges().idle, 1U);
}

TEST_F(Checkout, Fault125_ALeaseOutlivesItsPool) {
  start({"10.0.0.1"});
  auto l = take();
  pool.reset();
  sim.settle();
  EXPECT_EQ(open_now(), 0U);  // taken from its holder
  l = {};
  sim.settle();
}

TEST_F(Checkout, APoolMoves) {
  start({"10.0.0.1"});
  const auto w = checkout();
  scripted_pool other(std::move(*pool));
  sim.settle();
  EXPECT_TRUE(w->leased());
  *pool = std::move(other);
  EXPECT_EQ(pool->gauges().leased, 1U);
}

TEST_F(Checkout, Fault137_ManyCyclesOpenNothingNew) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int i = 0; i < 200'000; ++i) {
    const auto l = pool->try_checkout();
    ASSERT_TRUE(l.has_value());
  }
  EXPECT_EQ(opened_ever(), 2U);
  EXPECT_EQ(pool->counters().checkouts, 200'000U);
}

// Holders read it without the pool's lock while snapshots come in.
TEST_F(Checkout, Fault132_WhereALeaseIsDoesNotChangeUnderItsHolder) {
  start({"10.0.0.1"});
  const auto l = take();
  auto heavier = answer_of({"10.0.0.1"});
  heavier.endpoints[0].where.weight = 7;
  publish(heavier);
  EXPECT_EQ(l.where().weight, 0U);
}

TEST_F(Checkout, ATriedEndpointIsAvoided) {
  start({"10.0.0.1", "10.0.0.2"});
  checkout_options o;
  {
    const auto l = take();
    o.tried.push_back({l.endpoint_id(), sim.now()});
  }
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 30; ++i) {
    const auto l = pool->try_checkout(o);
    ASSERT_TRUE(l.has_value());
    EXPECT_NE(l->endpoint_id(), o.tried[0].id);
  }
}

TEST_F(Checkout, WhenAllWereTriedAFresherConnectionServes) {
  start({"10.0.0.1"});
  checkout_options o;
  {
    const auto l = take();
    o.tried.push_back({l.endpoint_id(), sim.now() + 1ms});
  }
  sim.advance(1s);
  EXPECT_FALSE(pool->try_checkout(o).has_value());  // that one is from before the failure
  const auto w = checkout(1s, o.tried);
  sim.settle();
  ASSERT_TRUE(w->leased());
  EXPECT_FALSE(w->lease.is_reused());
  EXPECT_EQ(opened_ever(), 2U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
