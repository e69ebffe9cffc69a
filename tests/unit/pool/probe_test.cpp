// SPDX-License-Identifier: Apache-2.0
// Active probes: who is not well is not used, without a call that finds out.

#include <redial/pool/health_probe.hpp>

#include "pool/probe_run.hpp"
#include "pool_world.hpp"

#include <boost/asio/error.hpp>

#include <numeric>

namespace redial::inline REDIAL_ABI::testing {
namespace {

/// Says of each endpoint what the test wants.
class scripted_probe final : public health_probe {
 public:
  void check(const probe_request& request, handler done) override {
    auto& peer = connection_cast<scripted_connection>(*request.connection).peer();
    EXPECT_TRUE(peer.is_open());
    EXPECT_EQ(request.where, peer.where());
    deadlines.push_back(request.deadline);
    const std::string where = request.where.addr.to_string();
    ++checks[where];
    if (silent.contains(where)) {
      pending.push_back(std::move(done));
    } else {
      done(sick.contains(where) ? make_error_code(errc::unavailable_status) : error_code{});
    }
  }
  std::set<std::string> sick;
  std::set<std::string> silent;
  std::map<std::string, int> checks;
  std::vector<handler> pending;
  std::vector<time_point> deadlines;
};

struct Probe : PoolWorld {
  Probe() {
    options.health.probe = probe;
    options.health.ejection_jitter = 0;
    options.idle_timeout = 0s;
  }
  std::size_t in_use() { return pool->gauges().endpoints_active; }
  std::shared_ptr<scripted_probe> probe = std::make_shared<scripted_probe>();
};

TEST_F(Probe, Fault154_IsPartOfWarmingAndItsFailureFailsNoCall) {
  probe->sick = {"10.0.0.2"};
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(300ms);
  EXPECT_EQ(in_use(), 1U);
  EXPECT_GE(told(endpoint_change::warm_failed, "10.0.0.2"), 1U);
  EXPECT_EQ(feed->count(endpoint_outcome::connect_refused), 0U) << "it was there";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(take().where(), ep("10.0.0.1"));
  probe->sick = {};
  sim.advance(1s);
  EXPECT_EQ(in_use(), 2U);
}

TEST_F(Probe, IsToldUntilWhen) {
  const time_point now = sim.now();
  start({"10.0.0.1"});
  sim.advance(100ms);
  ASSERT_FALSE(probe->deadlines.empty());
  EXPECT_GT(probe->deadlines[0], now);
  EXPECT_LE(probe->deadlines[0],
            sim.now() + options.connect_timeout + options.health.probe_timeout);
}

/// A type that is no `pooled_connection`.
struct plain_session {
  void close() noexcept {}
  [[nodiscard]] bool is_healthy() noexcept { return true; }

  int number = 0;
};

TEST_F(Probe, GetsBackWhatPooledHasWrapped) {
  const auto c = pooled(plain_session{7}, sim.executor());
  EXPECT_EQ(connection_cast<plain_session>(*c).number, 7);
}

TEST_F(Probe, TheConnectionThatPassedIsTheFirstIdleOne) {
  start({"10.0.0.1"});
  EXPECT_EQ(opened_ever(), 1U);
  EXPECT_TRUE(pool->try_checkout().has_value());
}

TEST_F(Probe, EachEndpointIsAskedOncePerIntervalByAConnectionOfItsOwn) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  const auto before = pool->counters().probes;
  sim.advance(100s);
  const auto asked = pool->counters().probes - before;
  EXPECT_GE(asked, 36U);
  EXPECT_LE(asked, 46U);
  EXPECT_EQ(pool->counters().probe_failures, 0U);
  EXPECT_EQ(open_now(), 2U) << "closed afterwards";
  EXPECT_GE(closed_for(close_reason::probed), asked);
}

TEST_F(Probe, SoManyFailuresEjectAndSoManyPassesBringBack) {
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  sim.advance(10s);
  probe->sick = {"10.0.0.1"};
  const auto asked = probe->checks["10.0.0.1"];
  ASSERT_TRUE(sim.run_until([&] { return told(endpoint_change::ejected) > 0; }, 60s));
  EXPECT_EQ(probe->checks["10.0.0.1"] - asked, 3);
  EXPECT_EQ(in_use(), 2U);
  EXPECT_EQ(pool->counters().probe_failures, 3U);
  sim.advance(60s);  // several warmings fail, too
  EXPECT_EQ(in_use(), 2U);
  probe->sick = {};
  sim.advance(12s);
  EXPECT_EQ(in_use(), 3U) << "before its time, which is over in a minute or more";
  EXPECT_EQ(told(endpoint_change::recovered, "10.0.0.1"), 1U);
}

TEST_F(Probe, OneThatSaysNothingHasFailedAfterItsTime) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(5s);
  probe->silent = {"10.0.0.1"};
  sim.advance(25s);
  EXPECT_EQ(told(endpoint_change::ejected, "10.0.0.1"), 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U + pool->gauges().connecting);
  for (auto& late : probe->pending) late({});  // means nothing any more
  sim.settle();
  EXPECT_EQ(in_use(), 1U);
}

TEST_F(Probe, WhatItClosesIsCountedByItsReason) {
  probe->sick = {"10.0.0.2"};
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20s);
  const auto c = pool->counters();
  ASSERT_GT(c.probes, 0U);
  EXPECT_GT(c.closed_by[static_cast<std::size_t>(close_reason::probed)], c.probes) << "and warming";
  EXPECT_EQ(std::accumulate(c.closed_by.begin(), c.closed_by.end(), std::uint64_t{0}), c.closed);
}

TEST_F(Probe, AllEndpointsOfALyingProbeStayInUse) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(5s);
  probe->sick = {"10.0.0.1", "10.0.0.2"};
  sim.advance(60s);
  EXPECT_EQ(pool->gauges().endpoints_ejected, 2U);
  EXPECT_EQ(events->count(event_kind::panic, "begun"), 1U);
  EXPECT_TRUE(take());
}

TEST_F(Probe, ClosingThePoolEndsAProbeUnderWay) {
  start({"10.0.0.1"});
  sim.advance(1s);
  probe->silent = {"10.0.0.1"};
  ASSERT_TRUE(sim.run_until([&] { return !probe->pending.empty(); }, 20s));
  pool->close();
  sim.settle();
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Probe, AStrangerFoundByAProbeIsQuarantined) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  net->fail(ep("10.0.0.1"), errc::identity_mismatch);
  sim.advance(6s);
  EXPECT_EQ(pool->gauges().endpoints_quarantined, 1U);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).open, 0U);
}

TEST_F(Probe, TcpAsksOnlyWhetherItOpens) {
  options.health.probe = tcp_probe();
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(20s);
  EXPECT_GE(pool->counters().probes, 6U);
  net->refuse(ep("10.0.0.2"));
  sim.advance(30s);
  EXPECT_EQ(told(endpoint_change::ejected, "10.0.0.2"), 1U);
}

TEST_F(Probe, LocalFaultsSayNothing) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(5s);
  net->fail(ep("10.0.0.1"), make_error_code(boost::system::errc::too_many_files_open));
  sim.advance(60s);
  EXPECT_EQ(pool->counters().ejections, 0U);
  EXPECT_EQ(pool->counters().probe_failures, 0U);
}

// A pool that closes on another thread gives the check up between its making and its start.
TEST(ProbeRun, MayBeGivenUpBeforeItStarts) {
  struct nothing {
    void close() noexcept {}
    bool is_healthy() noexcept { return true; }
  };
  simulation sim;
  const auto probe = std::make_shared<scripted_probe>();
  const std::shared_ptr<pooled_connection> connection = pooled(nothing(), sim.executor());
  int ends = 0;
  const auto run = std::make_shared<detail::probe_run>(
      connection, [&](error_code ec, std::shared_ptr<pooled_connection> given_back) {
        ++ends;
        EXPECT_EQ(ec, boost::asio::error::operation_aborted);
        EXPECT_EQ(given_back, connection);
      });
  run->cancel();
  probe_request request;
  request.connection = connection;
  run->start(request, probe);
  sim.settle();
  EXPECT_EQ(ends, 1);
  EXPECT_TRUE(probe->checks.empty());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
