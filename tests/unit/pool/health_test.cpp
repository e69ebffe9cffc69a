// SPDX-License-Identifier: Apache-2.0
// Endpoints that fail go out of use and come back; none but they suffer.

#include "pool_world.hpp"

#include <boost/asio/error.hpp>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct Health : PoolWorld {
  Health() { options.health.ejection_jitter = 0; }

  /// A lease on `where`, whose end is the test's.
  scripted_lease lease_on(const std::string& where) {
    std::vector<scripted_lease> others;
    for (int i = 0; i < 200; ++i) {
      auto l = take();
      if (!l || l.where() == ep(where)) return l;
      others.push_back(std::move(l));
    }
    ADD_FAILURE() << "nothing on " << where;
    return {};
  }
  void fail_on(const std::string& where, int n, lease_end how = lease_end::timed_out) {
    for (int i = 0; i < n; ++i) lease_on(where).end(how);
    sim.settle();
  }
  std::size_t leases_on(const std::string& where, int of) {
    std::size_t n = 0;
    for (int i = 0; i < of; ++i) n += take().where() == ep(where) ? 1U : 0U;
    return n;
  }
};

TEST_F(Health, Fault152_WhoAcceptsAndNeverAnswersIsEjectedAndComesBackThroughWarming) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_on("10.0.0.1", 5);
  EXPECT_EQ(told(endpoint_change::ejected, "10.0.0.1"), 1U);
  EXPECT_EQ(pool->gauges().endpoints_ejected, 1U);
  EXPECT_EQ(pool->counters().ejections, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(leases_on("10.0.0.1", 50), 0U);
  const auto asked = net->counts(ep("10.0.0.1")).asked;
  sim.advance(5s - 1ms);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, asked);
  sim.advance(20ms);
  EXPECT_EQ(told(endpoint_change::recovered, "10.0.0.1"), 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 1U) << "the warming connection is the first idle one";
  EXPECT_GT(leases_on("10.0.0.1", 50), 0U);
  EXPECT_EQ(pool->gauges().endpoints_ejected, 0U);
}

TEST_F(Health, OneThatGoesWellBetweenFailuresIsKept) {
  start({"10.0.0.1", "10.0.0.2"});
  for (int round = 0; round < 5; ++round) {
    fail_on("10.0.0.1", 4);
    lease_on("10.0.0.1").end(lease_end::returned);
  }
  EXPECT_EQ(pool->counters().ejections, 0U);
}

TEST_F(Health, AVerdictOrASpentConnectionIsNoFailure) {
  start({"10.0.0.1", "10.0.0.2"});
  for (const auto how : {lease_end::spent, lease_end::moved, lease_end::poisoned}) {
    fail_on("10.0.0.1", 10, how);
  }
  EXPECT_EQ(pool->counters().ejections, 0U);
}

TEST_F(Health, Fault100To102_ALocalFaultIsNoFailure) {
  start({"10.0.0.1", "10.0.0.2"});
  const auto fds = make_error_code(boost::system::errc::too_many_files_open);
  for (int i = 0; i < 10; ++i) lease_on("10.0.0.1").end(lease_end::failed, fds);
  sim.settle();
  net->fail(ep("10.0.0.1"), make_error_code(boost::system::errc::address_not_available));
  net->hang_up(ep("10.0.0.1"));
  for (int i = 0; i < 30; ++i) {
    (void)take();
    sim.advance(1s);
  }
  EXPECT_GE(pool->counters().connect_failures, 6U);
  EXPECT_EQ(pool->counters().ejections, 0U);
}

TEST_F(Health, WhoAnswersThatItIsNotWellIsEjectedAndKeepsItsConnectionUntilThen) {
  start({"10.0.0.1", "10.0.0.2"});
  fail_on("10.0.0.1", 4, lease_end::unwell);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).closed(), 0U);
  fail_on("10.0.0.1", 1, lease_end::unwell);
  EXPECT_EQ(pool->counters().ejections, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
}

TEST_F(Health, Fault98_WhoRefusesIsEjected) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  net->refuse(ep("10.0.0.1"));
  net->hang_up(ep("10.0.0.1"));
  for (int i = 0; i < 20 && pool->counters().ejections == 0; ++i) {
    (void)take();
    sim.advance(500ms);
  }
  EXPECT_EQ(pool->counters().ejections, 1U);
  EXPECT_EQ(pool->counters().connect_failures, 5U);
}

TEST_F(Health, LeasesOnAnEjectedOneGoOnAndTheirConnectionsCloseAfterwards) {
  start({"10.0.0.1", "10.0.0.2"});
  auto good = lease_on("10.0.0.1");
  fail_on("10.0.0.1", 5);
  ASSERT_EQ(pool->counters().ejections, 1U);
  sim.advance(2s);
  EXPECT_TRUE(good->peer().is_open());
  good = {};
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(closed_for(close_reason::ejected), 1U);
}

TEST_F(Health, Fault153_WhenAllFailSomeServeAndTheCallsLearnWhy) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"});
  for (int i = 0; i < 100; ++i) take().end(lease_end::timed_out);
  EXPECT_EQ(pool->gauges().endpoints_ejected, 2U);
  EXPECT_TRUE(take()) << "half of them stay in use";
}

TEST_F(Health, APanicIsToldAndLeasesTheEjectedOnes) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  fail_on("10.0.0.1", 5);
  net->fail(ep("10.0.0.2"), errc::identity_mismatch);
  fail_on("10.0.0.2", 1);
  (void)take(3);
  sim.settle();
  ASSERT_EQ(pool->gauges().endpoints_quarantined, 1U);
  EXPECT_EQ(events->count(event_kind::panic, "begun"), 1U);
  EXPECT_EQ(pool->counters().panics, 1U);
  std::set<std::string> used;
  auto held = take(12);
  for (const auto& l : held) used.insert(l.where().addr.to_string());
  EXPECT_EQ(used, (std::set<std::string>{"10.0.0.1", "10.0.0.3"}));
  held.clear();

  net->accept(ep("10.0.0.2"));
  sim.advance(6s);
  EXPECT_EQ(events->count(event_kind::panic, "over"), 1U) << events->trace();
}

TEST_F(Health, SlowStartGivesANewcomerLessAtFirst) {
  options.health.slow_start = 10s;
  options.idle_timeout = 0s;
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20s);
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  const auto early = leases_on("10.0.0.3", 600);
  EXPECT_LT(early, 60U) << "a tenth of its share is 20";
  EXPECT_GT(early, 0U);
  sim.advance(10s);
  EXPECT_NEAR(static_cast<double>(leases_on("10.0.0.3", 600)), 200, 60);
}

// The machine behind the address is another one: nothing that was open there works any more.
struct ElasticAddress : Health {
  void prepare() {
    start({"10.0.0.1", "10.0.0.2"});
    (void)take(8);
    sim.advance(1s);
    before = net->counts(ep("10.0.0.1")).open;
    others = net->counts(ep("10.0.0.2")).open;
    ASSERT_GT(before, 1U);
  }
  std::size_t before = 0;
  std::size_t others = 0;
};

TEST_F(ElasticAddress, ItsIdleConnectionsGoTogetherAfterOneTimeout) {
  prepare();
  auto reused = lease_on("10.0.0.1");
  ASSERT_TRUE(reused.is_reused());
  reused.end(lease_end::timed_out);
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, others) << "one bad host drains no others";
  EXPECT_EQ(pool->counters().ejections, 0U);
  EXPECT_EQ(pool->counters().resets, 0U);
  EXPECT_FALSE(lease_on("10.0.0.1").is_reused());
}

TEST_F(ElasticAddress, TheSameAfterOneReset) {
  prepare();
  lease_on("10.0.0.1").end(lease_end::reset, boost::asio::error::connection_reset);
  sim.settle();
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
  EXPECT_EQ(net->counts(ep("10.0.0.2")).open, others);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
