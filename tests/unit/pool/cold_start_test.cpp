// SPDX-License-Identifier: Apache-2.0
// Before the first endpoint is active, and when none can become so.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ColdStart = PoolWorld;

TEST_F(ColdStart, WaitersAreServedByTheFirstActiveOneTheOthersGoOn) {
  start();
  net->hang(ep("10.0.0.1"));
  net->accept(ep("10.0.0.2"), 30ms);
  net->accept(ep("10.0.0.3"), 30ms);
  const auto a = checkout();
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  sim.advance(249ms);
  EXPECT_EQ(net->counts().asked, 1U);
  sim.advance(31ms);
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.2");
  sim.advance(30ms);  // nobody waits 250 ms more
  EXPECT_EQ(told(endpoint_change::active, "10.0.0.3"), 1U);
  EXPECT_EQ(pool->gauges().endpoints_warming, 1U);
}

TEST_F(ColdStart, WithoutAnAnswerTheDeadlineSaysUnresolved) {
  start();
  const auto a = checkout(2s);
  sim.advance(2s);
  EXPECT_EQ(a->error, errc::unresolved);
}

TEST_F(ColdStart, ATransientFailureIsWaitedOut) {
  start();
  const auto a = checkout(2s);
  publish(failure(errc::dns_timeout, false));
  EXPECT_TRUE(a->pending());
  sim.advance(1s);
  dns({"10.0.0.1"});
  EXPECT_TRUE(a->leased());
}

TEST_F(ColdStart, ADefiniteNegativeFailsAllWaitersAtOnce) {
  start();
  const auto a = checkout();
  const auto b = checkout();
  publish(failure(errc::name_not_found, true));
  EXPECT_EQ(a->error, errc::name_not_found);
  EXPECT_EQ(b->error, errc::name_not_found);
  const auto c = checkout();
  sim.settle();
  EXPECT_EQ(c->error, errc::name_not_found);
}

TEST_F(ColdStart, WhenEveryAddressRefusesWaitersGetTheLastCause) {
  net->refuse(ep("10.0.0.1"), 10ms);
  net->refuse(ep("10.0.0.2"), 10ms);
  start();
  const auto a = checkout();
  dns({"10.0.0.1", "10.0.0.2"});
  sim.advance(20ms);
  EXPECT_EQ(a->error, boost::asio::error::connection_refused);
  EXPECT_EQ(pool->last_connect_error(), boost::asio::error::connection_refused);
  EXPECT_EQ(feed->count(endpoint_outcome::connect_refused), 2U);
}

TEST_F(ColdStart, RefusalsFromBeforeTheWaitDoNotCount) {
  net->refuse(ep("10.0.0.1"));
  start({"10.0.0.1"});
  sim.advance(10ms);
  const auto a = checkout(5s);
  sim.settle();
  EXPECT_TRUE(a->pending());
  net->accept(ep("10.0.0.1"));
  sim.advance(1s);
  EXPECT_TRUE(a->leased());
}

TEST_F(ColdStart, Fault100_LocalFaultsAreNotReportedAndNotHidden) {
  const error_code no_ports = make_error_code(boost::system::errc::address_not_available);
  ASSERT_TRUE(no_ports == condition::local_fault);
  net->fail(ep("10.0.0.1"), no_ports);
  start();
  const auto a = checkout();
  dns({"10.0.0.1"});
  EXPECT_EQ(a->error, no_ports);
  EXPECT_EQ(pool->last_connect_error(), no_ports);
  EXPECT_TRUE(feed->reports.empty());
}

TEST_F(ColdStart, Fault103_AMissingFamilyDoesNotHideTheRefusal) {
  net->fail(ep("fe00::1"), make_error_code(boost::system::errc::address_not_available));
  net->refuse(ep("10.0.0.1"));
  start();
  const auto a = checkout();
  dns({"10.0.0.1", "fe00::1"});
  EXPECT_EQ(a->error, boost::asio::error::connection_refused);
}

TEST_F(ColdStart, ASilentAddressTimesOut) {
  net->hang(ep("10.0.0.1"));
  start();
  const auto a = checkout(10s);
  dns({"10.0.0.1"});
  sim.advance(2999ms);
  EXPECT_TRUE(a->pending());
  sim.advance(1ms);
  EXPECT_EQ(a->error, errc::connect_timeout);
  EXPECT_EQ(feed->count(endpoint_outcome::timed_out), 1U);
  EXPECT_EQ(net->counts().cancelled, 1U);
}

TEST_F(ColdStart, Fault90_ConnectTimeoutMayExceedCheckoutTimeout) {
  options.checkout_timeout = 1s;
  net->accept(ep("10.0.0.1"), 2s);
  start();
  const auto a = checkout();
  dns({"10.0.0.1"});
  sim.advance(1s);
  EXPECT_EQ(a->error, errc::checkout_timeout);
  sim.advance(1s);
  EXPECT_EQ(open_now(), 1U);  // the connect went on for the next caller
}

TEST_F(ColdStart, AWarmFailureFailsNoCallWhileAnotherServes) {
  net->refuse(ep("10.0.0.2"));
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(5s);
  EXPECT_GE(told(endpoint_change::warm_failed, "10.0.0.2"), 4U);
  EXPECT_TRUE(pool->try_checkout().has_value());
  net->accept(ep("10.0.0.2"));
  sim.advance(10s);
  EXPECT_EQ(told(endpoint_change::active, "10.0.0.2"), 1U);
}

TEST_F(ColdStart, AtMostMaxWarmingAtOnce) {
  options.max_warming = 3;
  std::vector<std::string> ten{"10.0.0.1"};
  for (int i = 10; i < 20; ++i) {
    ten.push_back("10.0.0." + std::to_string(i));
    net->accept(ep(ten.back()), 100ms);
  }
  start(ten);
  EXPECT_EQ(pool->gauges().connecting, 3U);
  sim.advance(100ms);
  EXPECT_EQ(pool->gauges().connecting, 3U);
  sim.advance(300ms);
  EXPECT_EQ(pool->gauges().endpoints_active, 11U);
}

TEST_F(ColdStart, AConnectionOverTheTotalLimitMakesRoomForANewEndpoint) {
  options.max_connections = 1;
  options.max_total_connections = 1;
  start({"10.0.0.1"});
  dns({"10.0.0.2"});
  EXPECT_EQ(told(endpoint_change::active, "10.0.0.2"), 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
}

TEST_F(ColdStart, AtTheTotalLimitWaitersDoNotKeepADepartedEndpointAlive) {
  options.max_connections = 1;
  options.max_total_connections = 1;
  start({"10.0.0.1"});
  auto l = take();
  dns({"10.0.0.2"});
  const auto a = checkout();
  const auto b = checkout();
  l = {};
  sim.settle();
  ASSERT_TRUE(a->leased());
  EXPECT_EQ(a->where(), "10.0.0.2");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
