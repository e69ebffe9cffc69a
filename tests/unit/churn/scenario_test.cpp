// SPDX-License-Identifier: Apache-2.0
// What a scenario allows, and that the scripts can be played.

#include "churn/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

TEST(AllowedStale, IsTheTtlBetweenFloorAndCapAndASecond) {
  scenario s;
  s.ttl_cap = 10s;
  s.ttl = 60s;
  EXPECT_EQ(s.allowed_stale(), 11s);
  s.ttl = 5s;
  EXPECT_EQ(s.allowed_stale(), 6s);
  s.ttl = 0s;
  EXPECT_EQ(s.allowed_stale(), 2s);
}

TEST(AllowedStale, IsWhatTheScenarioSaysOfOtherSources) {
  scenario s;
  s.ttl_cap = 10s;
  s.ttl = 60s;
  s.stale_limit = 62s;
  EXPECT_EQ(s.allowed_stale(), 62s);
  EXPECT_EQ(s.effective_ttl(), 10s);
}

class Catalogue : public ::testing::TestWithParam<bool> {
 protected:
  std::vector<scenario> all_ = all_scenarios(GetParam());
};

TEST_P(Catalogue, NamesAreWordsAndDiffer) {
  std::set<std::string> names;
  for (const auto& s : all_) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_EQ(s.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), s.name.npos);
    EXPECT_FALSE(s.title.empty());
  }
}

TEST_P(Catalogue, IsOrderedAndFitsItsTime) {
  for (const auto& s : all_) {
    EXPECT_TRUE(std::is_sorted(s.steps.begin(), s.steps.end(), [](const step& a, const step& b) {
      return a.at < b.at;
    })) << s.name;
    ASSERT_FALSE(s.steps.empty()) << s.name;
    EXPECT_LT(s.steps.back().at, s.length) << s.name;
    EXPECT_LE(s.length, GetParam() ? 11s : 80s) << s.name;
    EXPECT_EQ(s.ttl_cap, GetParam() ? 1s : 10s) << s.name;
    for (const auto& e : s.steps) EXPECT_TRUE(e.action) << s.name << ": " << e.text;
  }
}

TEST_P(Catalogue, NamesOnlyBackendsThatThereAre) {
  for (const auto& s : all_) {
    EXPECT_LE(s.backends, 26U) << s.name;
    for (const char letter : s.first + s.later + s.strangers) {
      EXPECT_LT(static_cast<std::size_t>(letter - 'A'), s.backends) << s.name;
    }
  }
}

TEST_P(Catalogue, TheSameWithoutFault) {
  for (const auto& s : all_) {
    const auto calm = without_fault(s);
    EXPECT_EQ(calm.name, s.name + "_without_fault");
    EXPECT_TRUE(calm.steps.empty());
    EXPECT_FALSE(calm.dns_faults);
    EXPECT_EQ(calm.length, s.length);
    EXPECT_EQ(calm.first, s.first);
    EXPECT_EQ(calm.load.size(), s.load.size());
  }
}

INSTANTIATE_TEST_SUITE_P(FullAndQuick, Catalogue, ::testing::Bool());

TEST(WithLength, RefusesToEndBeforeTheScript) {
  scenario s;
  s.length = 10s;
  s.steps.push_back({5s, "x", "x", [](stage&) {}});
  EXPECT_EQ(with_length(s, 6s).length, 6s);
  EXPECT_THROW((void)with_length(s, 5s), std::invalid_argument);
}

TEST(Demo, IsOrderedAndFitsItsTime) {
  for (const bool quick : {false, true}) {
    const auto s = demo_scenario(quick);
    EXPECT_TRUE(std::is_sorted(
        s.steps.begin(), s.steps.end(), [](const step& a, const step& b) { return a.at < b.at; }));
    EXPECT_LT(s.steps.back().at, s.length);
    EXPECT_LT(s.length, quick ? 10s : 70s);
    for (const auto& e : s.steps) {
      EXPECT_FALSE(e.text.empty());
      EXPECT_FALSE(e.label.empty());
      EXPECT_TRUE(e.action);
    }
  }
}

// Else the bound would be kept by killing, not by redial.
TEST(Demo, KillsTheOldAddressesOnlyAfterRedialMustHaveLeftThem) {
  for (const bool quick : {false, true}) {
    const auto s = demo_scenario(quick);
    EXPECT_GT(s.steps[1].at - s.steps[0].at, s.allowed_stale());
  }
}

}  // namespace
}  // namespace redial::churn
