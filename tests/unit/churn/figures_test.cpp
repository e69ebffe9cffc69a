// SPDX-License-Identifier: Apache-2.0
#include "support/figures.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace redial::bench {
namespace {

TEST(Figures, MedianAndSpreadOverTheRounds) {
  const auto odd = figure_of("a", "b", "ratio", {3, 1, 2});
  EXPECT_EQ(odd.value, 2);
  EXPECT_EQ(odd.low, 1);
  EXPECT_EQ(odd.high, 3);
  EXPECT_EQ(odd.rounds, 3U);
  EXPECT_EQ(figure_of("a", "b", "ratio", {4, 1, 2, 3}).value, 2.5);
  EXPECT_THROW((void)figure_of("a", "b", "ratio", {}), std::invalid_argument);
}

TEST(Figures, ADemandIsMetOnItsOwnSideOnly) {
  EXPECT_TRUE(at_least(2, figure_of("a", "b", "", {2})).met());
  EXPECT_FALSE(at_least(2.1, figure_of("a", "b", "", {2})).met());
  EXPECT_TRUE(at_most(2, figure_of("a", "b", "", {2})).met());
  EXPECT_FALSE(at_most(1.9, figure_of("a", "b", "", {2})).met());
  EXPECT_FALSE(figure_of("a", "b", "", {2}).has_demand());
}

TEST(Figures, TheTableSaysWhatWasMissed) {
  const auto text = table({at_most(1.5, figure_of("pick", "to mutex", "ratio", {1.9}))});
  EXPECT_NE(text.find("pick: to mutex"), text.npos);
  EXPECT_NE(text.find("<= 1.5  MISSED"), text.npos);
}

TEST(Figures, AreWrittenWithTheirDemands) {
  const auto path = std::filesystem::path(testing::TempDir()) / "redial_figures.json";
  write_json(path.string(),
             "redial-x",
             "redial-x --y",
             {at_least(0.95, figure_of("n", "w", "ratio", {1})), figure_of("free", "w", "B", {7})});
  std::ifstream in(path);
  const auto j = nlohmann::json::parse(in);
  std::filesystem::remove(path);
  EXPECT_EQ(j["command"], "redial-x --y");
  EXPECT_EQ(j["figures"][0]["must"], ">= 0.95");
  EXPECT_TRUE(j["figures"][0]["met"]);
  EXPECT_FALSE(j["figures"][1].contains("must"));
}

TEST(Figures, AsTextHasItsValueInOneColumnWhateverItIsCalled) {
  const auto text = table(
      {figure_of("short", "a", "ms", {1}), figure_of(std::string(60, 'n'), "what", "ms", {2})});
  const auto first = text.find(" 1 ms");
  const auto second = text.find(" 2 ms") - (text.find('\n') + 1);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace redial::bench
