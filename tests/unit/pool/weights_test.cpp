// SPDX-License-Identifier: Apache-2.0
// Weights (RFC 2782): the share of leases, with connections opened as the pool sees fit. The shares
// themselves are tested with the selector; here, that the opening of connections follows them.

#include "pool_world.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct WeightPool : PoolWorld {
  void start_with(const std::map<std::string, std::uint16_t>& weights) {
    start();
    show(weights);
    sim.advance(1ms);
  }
  void show(const std::map<std::string, std::uint16_t>& weights) {
    std::vector<std::string> all;
    for (const auto& w : weights) all.push_back(w.first);
    snapshot s = answer_of(all);
    for (auto& e : s.endpoints) e.where.weight = weights.at(e.where.addr.to_string());
    publish(s);
  }
  /// Leases of each address, `at_once` held all the time.
  std::map<std::string, int> share(int calls, std::size_t at_once) {
    std::map<std::string, int> seen;
    std::vector<scripted_lease> held(at_once);
    for (int i = 0; i < calls; ++i) {
      auto& place = held[static_cast<std::size_t>(i) % at_once];
      place = {};
      place = take();
      ++seen[place.where().addr.to_string()];
    }
    held.clear();
    sim.settle();
    return seen;
  }
};

void expect_share(int seen, int of, double share) {
  EXPECT_NEAR(seen, of * share, 5 * std::sqrt(of * share * (1 - share)) + 1);
}

TEST_F(WeightPool, Fault49_AllZeroIsUniform) {
  start_with({{"10.0.0.1", 0}, {"10.0.0.2", 0}});
  expect_share(share(4000, 1)["10.0.0.1"], 4000, 0.5);
}

TEST_F(WeightPool, Fault49_AZeroIsRarelyChosen) {
  start_with({{"10.0.0.1", 0}, {"10.0.0.2", 10}});
  expect_share(share(4000, 1)["10.0.0.1"], 4000, 1.0 / 11);
}

TEST_F(WeightPool, OneCallAtATimeFollowsTheWeightsWithOneConnectionEach) {
  start_with({{"10.0.0.1", 1}, {"10.0.0.2", 3}});
  expect_share(share(4000, 1)["10.0.0.1"], 4000, 0.25);
  EXPECT_EQ(opened_ever(), 2U);
}

TEST_F(WeightPool, ALightOneDoesNotStealWhileAHeavyOneHasTooFewConnections) {
  start_with({{"10.0.0.1", 1}, {"10.0.0.2", 100}});
  (void)share(300, 10);  // the heavy one gets its connections
  const auto seen = share(3000, 10);
  EXPECT_LT(seen.at("10.0.0.1"), 3000 * 0.03);
  EXPECT_LE(net->counts(ep("10.0.0.1")).opened, 2U);
  EXPECT_GE(net->counts(ep("10.0.0.2")).opened, 9U);
}

TEST_F(WeightPool, UnderLoadLeasesAndConnectionsFollowTheWeights) {
  start_with({{"10.0.0.1", 10}, {"10.0.0.2", 30}});
  (void)share(1000, 40);
  const auto seen = share(4000, 40);
  EXPECT_NEAR(seen.at("10.0.0.2"), 3000, 200);
  EXPECT_NEAR(static_cast<double>(net->counts(ep("10.0.0.2")).open), 30, 5);
}

TEST_F(WeightPool, ANewWeightCountsWithoutANewConnection) {
  start_with({{"10.0.0.1", 1}, {"10.0.0.2", 1}});
  show({{"10.0.0.1", 9}, {"10.0.0.2", 1}});
  expect_share(share(4000, 1)["10.0.0.1"], 4000, 0.9);
  EXPECT_EQ(opened_ever(), 2U);
  EXPECT_EQ(told(endpoint_change::warming), 2U);
}

TEST_F(WeightPool, SeveralPortsOfOneAddressAreSeveralEndpoints) {
  start();
  snapshot s = answer_of({"10.0.0.1"});
  s.endpoints.push_back(s.endpoints.front());
  s.endpoints[1].where.port = 81;
  s.endpoints[1].where.weight = 3;
  s.endpoints[0].where.weight = 1;
  s.endpoints.push_back(s.endpoints.front());
  s.endpoints[2].where.srv_target = "node2.test";
  s.endpoints[2].where.weight = 4;
  std::sort(s.endpoints.begin(), s.endpoints.end(), [](const auto& a, const auto& b) {
    return a.where < b.where;
  });
  publish(s);
  EXPECT_EQ(pool->gauges().endpoints_active, 3U);
  std::map<std::pair<std::uint16_t, std::string>, int> seen;
  for (int i = 0; i < 4000; ++i) {
    const auto l = take();
    ++seen[{l.where().port, l.where().srv_target}];
  }
  expect_share(seen[std::make_pair(std::uint16_t{80}, std::string{})], 4000, 0.125);
  expect_share(seen[std::make_pair(std::uint16_t{81}, std::string{})], 4000, 0.375);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
