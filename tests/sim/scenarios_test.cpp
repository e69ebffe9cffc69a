// SPDX-License-Identifier: Apache-2.0
// Ten thousand short histories in which everything goes wrong at random, and what must hold in all
// of them (scenario_checks.cpp).
//
// A failing history prints its seed. `REDIAL_SEED=<seed> redial_sim --gtest_filter='Parts/*'`
// replays it alone and tells what happens in it.

#include "scenario_world.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr std::uint64_t parts = 10;  // so that ctest runs them side by side
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds_per_part = 50;
#else
constexpr std::uint64_t seeds_per_part = 1000;
#endif

std::optional<std::uint64_t> asked_seed() {
  const char* text = std::getenv("REDIAL_SEED");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr) return std::nullopt;
  return std::stoull(text);
}

class Scenarios : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Scenarios, KeepTheInvariants) {
  if (const auto seed = asked_seed()) {
    if (*seed % parts != GetParam()) GTEST_SKIP() << "another part has seed " << *seed;
    const auto r = scenario_world(*seed, true).live();
    EXPECT_TRUE(r.broken.empty()) << "seed " << *seed << "\n" << r.broken;
    return;
  }
  scenario_result all;
  for (std::uint64_t n = 0; n < seeds_per_part; ++n) {
    const std::uint64_t seed = n * parts + GetParam();
    const auto r = scenario_world(seed).live();
    EXPECT_TRUE(r.broken.empty()) << "seed " << seed << "\n" << r.broken;
    if (HasFailure()) return;
    all.operations += r.operations;
    all.failed += r.failed;
    all.leases += r.leases;
    all.cancelled += r.cancelled;
    all.ended += r.ended;
    all.panics += r.panics;
    for (const auto& [change, times] : r.changes) all.changes[change] += times;
  }
  // Histories in which nothing happened would prove nothing. The fifty that sanitizers live through
  // are the first of the same thousand, and too few for averages to hold.
  if (seeds_per_part < 1000) return;
  EXPECT_GT(all.operations, 20 * seeds_per_part);
  EXPECT_GT(all.failed, 5 * seeds_per_part);
  EXPECT_GT(all.leases, 10 * seeds_per_part);
  EXPECT_GT(all.cancelled, seeds_per_part);
  EXPECT_GT(all.ended, seeds_per_part / 2);
  EXPECT_GT(all.panics, seeds_per_part / 20);
  for (const auto c : {endpoint_change::warm_failed,
                       endpoint_change::ejected,
                       endpoint_change::quarantined,
                       endpoint_change::retained,
                       endpoint_change::drained,
                       endpoint_change::recovered}) {
    EXPECT_GT(all.changes[c], seeds_per_part / 2) << to_string(c);
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Scenarios, ::testing::Range(std::uint64_t{0}, parts));

TEST(ScenariosReplay, TheSameSeedIsTheSameHistory) {
  for (const std::uint64_t seed : {3U, 4U, 5U}) {
    EXPECT_EQ(scenario_world(seed).live().trace, scenario_world(seed).live().trace);
  }
  EXPECT_NE(scenario_world(3).live().trace, scenario_world(4).live().trace);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
