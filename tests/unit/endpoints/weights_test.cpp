// SPDX-License-Identifier: Apache-2.0
// Shares by weight (RFC 2782). Tolerances are five standard deviations of the binomial: a right
// implementation misses one once in two million; the seed is fixed all the same.

#include "endpoints/alias_table.hpp"
#include "endpoints/selector.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <numeric>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

void expect_share(int seen, int of, double share) {
  const double deviation = std::sqrt(of * share * (1 - share));
  EXPECT_NEAR(seen, of * share, 5 * deviation + 1e-9);
}

TEST(AliasTable, DrawsByShare) {
  for (const std::vector<std::uint64_t>& shares : {std::vector<std::uint64_t>{1},
                                                   {1, 1},
                                                   {1, 10},
                                                   {10, 1},
                                                   {3, 1, 4, 1, 5, 9, 2, 6},
                                                   {65535, 1, 1, 1},
                                                   {7, 7, 7, 8}}) {
    alias_table table;
    table.build(shares);
    fast_random random(3);
    std::vector<int> seen(shares.size());
    constexpr int times = 100'000;
    for (int i = 0; i < times; ++i) ++seen.at(table.draw(random));
    const auto sum = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
    for (std::size_t i = 0; i < shares.size(); ++i) {
      expect_share(seen[i], times, static_cast<double>(shares[i]) / static_cast<double>(sum));
    }
  }
}

struct Weights : ::testing::Test {
  void make(const std::vector<std::uint16_t>& weights) {
    for (const std::uint16_t w : weights) {
      endpoint_entry& e = entries.emplace_back();
      e.id = entries.size();
      e.weight = w;
      e.idle = e.connections = 1000;
      choice.admit(e);
    }
  }
  /// How often each is lent when every lease ends before the next begins.
  std::vector<int> light_load(int times) {
    std::vector<int> seen(entries.size());
    for (int i = 0; i < times; ++i) ++seen[static_cast<std::size_t>(choice.pick_idle()->id - 1)];
    return seen;
  }
  std::deque<endpoint_entry> entries;
  selector choice{11};
};

constexpr int times = 40'000;

TEST_F(Weights, Fault49_AllZeroIsUniform) {
  make({0, 0, 0, 0});
  for (const int seen : light_load(times)) expect_share(seen, times, 0.25);
}

TEST_F(Weights, Fault49_AZeroBesideATenGetsOneOfEleven) {
  make({0, 10});
  const auto seen = light_load(times);
  expect_share(seen[0], times, 1.0 / 11);
}

TEST_F(Weights, Fault49_ZerosShareOnePart) {
  make({0, 10, 0});
  const auto seen = light_load(times);
  expect_share(seen[0], times, 0.5 / 11);
  expect_share(seen[2], times, 0.5 / 11);
}

TEST_F(Weights, UnderLightLoadSharesAreTheWeights) {
  make({100, 1, 49, 50});
  const auto seen = light_load(times);
  expect_share(seen[0], times, 0.5);
  expect_share(seen[1], times, 0.005);
  expect_share(seen[2], times, 0.245);
  expect_share(seen[3], times, 0.25);
}

TEST_F(Weights, ASecondLeaseBesideTheFirstChangesNoShare) {
  make({100, 1});
  endpoint_entry& busy = entries[0];
  busy.leases = 1;
  const auto seen = light_load(times);
  expect_share(seen[1], times, 1.0 / 101);
}

TEST_F(Weights, UnderHeavyLoadLeasesFollowTheWeights) {
  make({30, 10, 60});
  for (int i = 0; i < 1000; ++i) ++choice.pick_idle()->leases;
  EXPECT_NEAR(entries[0].leases, 300U, 15);
  EXPECT_NEAR(entries[1].leases, 100U, 15);
  EXPECT_NEAR(entries[2].leases, 600U, 15);
}

TEST_F(Weights, ConnectsFollowTheWeights) {
  make({30, 10, 60});
  const auto any = [](const endpoint_entry&) { return true; };
  for (int i = 0; i < 1000; ++i) ++choice.pick(any)->opening;
  EXPECT_NEAR(entries[0].opening, 300U, 15);
  EXPECT_NEAR(entries[1].opening, 100U, 15);
  EXPECT_NEAR(entries[2].opening, 600U, 15);
}

TEST_F(Weights, ConditionalPicksFollowTheWeights) {
  make({100, 30, 10});
  const auto not_first = [](const endpoint_entry& e) { return e.id != 1; };
  std::vector<int> seen(3);
  for (int i = 0; i < times; ++i)
    ++seen[static_cast<std::size_t>(choice.pick_idle(not_first)->id - 1)];
  EXPECT_EQ(seen[0], 0);
  expect_share(seen[1], times, 0.75);
}

TEST_F(Weights, AHeavyOneWithoutAnIdleConnectionIsTheStarvedOne) {
  make({100, 1});
  endpoint_entry& heavy = entries[0];
  heavy.idle = 0;
  heavy.leases = heavy.connections = 1;
  EXPECT_EQ(choice.pick_idle(), &entries[1]);
  EXPECT_EQ(choice.take_starved(), &heavy);
}

TEST_F(Weights, ALightOneWithoutAnIdleConnectionStealsNothing) {
  make({100, 1});
  endpoint_entry& light = entries[1];
  light.idle = 0;
  light.leases = light.connections = 1;
  entries[0].leases = 50;
  int starved = 0;
  for (int i = 0; i < times; ++i) {
    EXPECT_EQ(choice.pick_idle(), &entries[0]);
    if (choice.take_starved() != nullptr) ++starved;
  }
  // At most as often as it is drawn (twice a choice would be twice that), not whenever it is
  // lighter.
  EXPECT_LT(starved, times / 101 + 5 * 20);
}

TEST_F(Weights, OneThatIsBusyBesideANearEqualThatIsFreeIsSeldomStarved) {
  make({10, 11});
  entries[0].idle = 0;
  entries[0].leases = entries[0].connections = 1;
  int starved = 0;
  for (int i = 0; i < times; ++i) {
    EXPECT_EQ(choice.pick_idle(), &entries[1]);
    if (choice.take_starved() != nullptr) ++starved;
  }
  EXPECT_LT(starved, times / 10);  // only when four draws in a row show nobody else
}

TEST_F(Weights, WhatIsBeingConnectedToIsNotStarved) {
  make({100, 1});
  entries[0].idle = 0;
  entries[0].opening = entries[0].connections = 1;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(choice.pick_idle(), &entries[1]);
  EXPECT_EQ(choice.take_starved(), nullptr);
}

TEST_F(Weights, ChangesCountAtOnce) {
  make({5, 5, 5});
  choice.change(entries[0], 0, 90);
  expect_share(light_load(times)[0], times, 0.9);
  choice.remove(entries[1]);
  expect_share(light_load(times)[0], times, 90.0 / 95);
  choice.change(entries[0], 0, 5);
  expect_share(light_load(times)[0], times, 0.5);
  choice.change(entries[0], 1, 90);  // another tier's weight is nobody's business
  EXPECT_EQ(light_load(100)[2], 100);
}

TEST_F(Weights, OneOrNoneWithAnIdleConnection) {
  make({100, 50, 1});
  entries[0].idle = entries[1].idle = 0;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(choice.pick_idle(), &entries[2]);
  entries[2].idle = 0;
  EXPECT_EQ(choice.pick_idle(), nullptr);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
