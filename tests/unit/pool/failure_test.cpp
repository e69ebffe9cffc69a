// SPDX-License-Identifier: Apache-2.0
// What the end of a lease says about its connection and its endpoint.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Failure : PoolWorld {
  /// Three connections to one endpoint, one of them leased.
  scripted_lease one_of_three() {
    start({"10.0.0.1"});
    auto all = take(3);
    return std::move(all[0]);
  }
};

TEST_F(Failure, AResetDropsTheIdleOnesOfTheEndpointAndIsEvidence) {
  auto l = one_of_three();
  l.end(lease_end::reset, boost::asio::error::connection_reset);
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(closed_for(close_reason::endpoint_failed), 2U);
  EXPECT_EQ(closed_for(close_reason::error), 1U);
  ASSERT_EQ(feed->count(endpoint_outcome::connection_reset), 1U);
  EXPECT_TRUE(feed->reports.back().last_usable);
}

// Being looked at by the pool at that moment, so not on the idle list.
TEST_F(Failure, AlsoTheOneWhoseNoticeIsBeingArmedIsDropped) {
  start({"10.0.0.1"});
  auto both = take(2);
  both[1] = {};
  sim.after(10ms, [&] { both[0].end(lease_end::reset, boost::asio::error::connection_reset); });
  sim.advance(20ms);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Failure, OtherEndpointsKeepTheirs) {
  start({"10.0.0.1", "10.0.0.2"});
  auto l = take();
  const auto where = l.where();
  l.end(lease_end::reset);
  sim.settle();
  EXPECT_EQ(net->counts(where).open, 0U);
  EXPECT_EQ(open_now(), 1U);
  EXPECT_FALSE(feed->reports.back().last_usable);
}

TEST_F(Failure, ATimeoutProvesNothingButAsksForARefresh) {
  auto l = one_of_three();
  l.end(lease_end::timed_out);
  sim.settle();
  EXPECT_EQ(feed->count(endpoint_outcome::timed_out), 1U);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Failure, AnyOtherFailureDropsTheIdleOnesAndAsksForARefresh) {
  auto l = one_of_three();
  l.end(lease_end::failed);
  sim.settle();
  EXPECT_EQ(feed->refreshes, 1);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Failure, VerdictsCloseOneConnectionAndForceARefresh) {
  auto l = one_of_three();
  l.moved();
  auto second = take();
  second.poison();
  sim.settle();
  EXPECT_EQ(feed->count(endpoint_outcome::moved), 2U);
  EXPECT_EQ(open_now(), 1U);
  EXPECT_EQ(closed_for(close_reason::moved), 1U);
  EXPECT_EQ(closed_for(close_reason::poisoned), 1U);
}

TEST_F(Failure, SpentIsNobodysFault) {
  auto l = one_of_three();
  const auto before = feed->reports.size();
  l.end(lease_end::spent);
  sim.settle();
  EXPECT_EQ(open_now(), 2U);
  EXPECT_EQ(feed->reports.size(), before);
  EXPECT_EQ(closed_for(close_reason::spent), 1U);
}

TEST_F(Failure, Fault102_ALocalFaultIsNotCharged) {
  auto l = one_of_three();
  const auto before = feed->reports.size();
  l.end(lease_end::failed, make_error_code(boost::system::errc::no_buffer_space));
  sim.settle();
  EXPECT_EQ(open_now(), 2U);
  EXPECT_EQ(feed->reports.size(), before);
  EXPECT_EQ(feed->refreshes, 0);
}

TEST_F(Failure, ARetryOnTheSameEndpointGetsAConnectionOpenedAfterwards) {
  auto l = one_of_three();
  const tried_endpoint tried{l.endpoint_id(), sim.now()};
  l.end(lease_end::reset);
  const auto w = checkout(1s, {tried});
  sim.settle();
  ASSERT_TRUE(w->leased());
  EXPECT_FALSE(w->lease.is_reused());
  EXPECT_EQ(opened_ever(), 4U);
}

TEST_F(Failure, ARetryOnTheSameEndpointDoesNotTakeAnOlderOneThatComesBack) {
  options.max_connections = 2;
  start({"10.0.0.1"});
  auto both = take(2);
  sim.advance(1ms);
  net->accept(ep("10.0.0.1"), 1s);
  const tried_endpoint tried{both[0].endpoint_id(), sim.now()};
  both[0].end(lease_end::reset);
  const auto w = checkout(5s, {tried});
  both[1] = {};  // opened before the failure
  sim.advance(999ms);
  EXPECT_TRUE(w->pending());
  sim.advance(1ms);
  ASSERT_TRUE(w->leased());
  EXPECT_FALSE(w->lease.is_reused());
}

TEST_F(Failure, TheConnectionMayBeTakenAlong) {
  auto l = one_of_three();
  auto* raw = &*l;
  auto taken = detail::access::base(l).take(lease_end::timed_out, {});
  sim.settle();
  EXPECT_FALSE(l);
  EXPECT_EQ(taken.get(), raw);
  EXPECT_EQ(open_now(), 1U);  // not closed by the pool
  EXPECT_EQ(pool->gauges().leased, 0U);
  taken->close();
}

TEST_F(Failure, ALeaseThatEndsTwiceEndsOnce) {
  auto l = one_of_three();
  l.end(lease_end::spent);
  l.end(lease_end::reset);
  l = {};
  EXPECT_EQ(feed->count(endpoint_outcome::connection_reset), 0U);
}

TEST_F(Failure, ABackendThatRestartsGetsItsShareAgain) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  net->refuse(ep("10.0.0.1"));
  net->hang_up(ep("10.0.0.1"));
  sim.settle();
  ASSERT_EQ(open_now(), 1U);

  // Calls go to the other one, which always has an idle connection; one of them has this one tried.
  for (int i = 0; i < 20; ++i) (void)take();
  EXPECT_EQ(feed->count(endpoint_outcome::connect_refused), 1U) << "backs off, asks for a refresh";
  net->accept(ep("10.0.0.1"));
  sim.advance(1s);
  for (int i = 0; i < 20; ++i) (void)take();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, 1U);
}

TEST_F(Failure, SuccessesAreReported) {
  start({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(feed->count(endpoint_outcome::connected), 2U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
