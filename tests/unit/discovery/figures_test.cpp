// SPDX-License-Identifier: Apache-2.0
// What a discovery tells and measures of its questions.
#include "discovery_world.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class DiscoveryFigures : public ::testing::Test, protected discovery_world {
 protected:
  ~DiscoveryFigures() override {
    if (names) names->close();
    sim.settle();
  }
  void start() {
    names = make();
    sub.emplace(*names, "tcp://api.test:80", sim.executor());
    sim.advance(500ms);
  }
  // The results of the answers so far, in words, for one type.
  std::string results(const char* type) {
    std::string all;
    for (const auto& e : events->matching(event_is(event_kind::answer, {}, type))) {
      all += e.detail.substr(e.detail.rfind(' ') + 1) + ' ';
    }
    events->clear();
    return all;
  }

  std::shared_ptr<discovery> names;
  std::optional<reader> sub;
};

TEST_F(DiscoveryFigures, AnAnswerSaysWhatItDid) {
  dns.set("api.test", {"10.0.0.1"}, 2s);
  options.watch.first_family_wait = 0ms;
  start();
  EXPECT_EQ(results("A"), "changed ");
  EXPECT_EQ(results("AAAA"), "");
  sim.advance(3s);
  EXPECT_EQ(results("A"), "unchanged ");
  dns.set("api.test", {"10.0.0.2"}, 2s);
  sim.advance(2s);
  EXPECT_EQ(results("A"), "changed ");
  dns.fail("api.test", answer_outcome::timeout);
  sim.advance(2s);
  const auto failing = results("A");
  EXPECT_EQ(failing.find("stale "), 0U) << failing;
  EXPECT_EQ(failing.find("changed"), std::string::npos) << failing;
}

TEST_F(DiscoveryFigures, NoDataInOneFamilyIsNoFailure) {
  dns.set("api.test", {"10.0.0.1"}, 2s);
  start();
  sim.advance(5s);
  const auto c = names->counters();
  EXPECT_EQ(c.refreshes_error + c.refreshes_stale, 0U);
  EXPECT_EQ(c.refreshes_changed, 1U);
  EXPECT_EQ(c.refreshes_changed + c.refreshes_unchanged, c.answers);
}

TEST_F(DiscoveryFigures, AFailureWithoutEndpointsIsAnError) {
  dns.fail("api.test", answer_outcome::server_failure);
  start();
  const auto c = names->counters();
  EXPECT_GT(c.refreshes_error, 0U);
  EXPECT_EQ(c.refreshes_error, c.failures);
  EXPECT_EQ(results("A").find("error "), 0U);
}

TEST_F(DiscoveryFigures, LookupsAreTimedWhetherTheySucceedOrNot) {
  dns.set("api.test", {"10.0.0.1"}, 60s);
  dns.latency(30ms);
  start();
  const auto h = names->histograms().lookup;
  EXPECT_EQ(h.count(), 2U);
  EXPECT_DOUBLE_EQ(h.sum_seconds(), 0.06);
  dns.fail("api.test", answer_outcome::timeout);
  sim.advance(20s);
  EXPECT_GT(names->histograms().lookup.count(), h.count());
}

TEST_F(DiscoveryFigures, Fault130_AListenerThatThrowsStopsNoName) {
  struct thrower final : event_listener {
    void on_answer(const answer_event&) override { throw std::runtime_error("answer"); }
    void on_endpoint(const endpoint_event&) override { throw std::runtime_error("endpoint"); }
    void on_snapshot(const snapshot_event&) override { throw std::runtime_error("snapshot"); }
  };
  options.listener = std::make_shared<thrower>();
  dns.set("api.test", {"10.0.0.1"}, 1s);
  names = make();
  sub.emplace(*names, "tcp://api.test:80", sim.executor());
  int thrown = 0;
  const auto run = [&](duration d) {
    const auto until = sim.now() + d;
    while (sim.now() < until) {
      try {
        sim.advance(until - sim.now());
      } catch (const std::runtime_error&) {
        ++thrown;
      }
    }
  };
  run(5s);
  EXPECT_EQ(sub->endpoints(), texts{"10.0.0.1:80"});
  dns.set("api.test", {"10.0.0.2"}, 1s);
  run(3s);
  EXPECT_EQ(sub->endpoints(), texts{"10.0.0.2:80"}) << "it goes on being asked for";
  EXPECT_GT(thrown, 10);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
