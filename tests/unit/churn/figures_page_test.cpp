// SPDX-License-Identifier: Apache-2.0
#include "support/figures_page.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace redial::bench {
namespace {

const std::string page =
    "# Speed\nProse.\n<!-- figures: machine -->\nold\n<!-- end -->\n"
    "More.\n<!-- figures: redial-x -->\nold table\n<!-- end -->\nLast words.\n";

figure_file measured() {
  return {"redial-x",
          "redial-x --all",
          {at_least(0.95, figure_of("GET", "redial : Beast", "ratio", {0.9, 0.97, 0.99})),
           at_most(2048, figure_of("idle", "memory", "bytes", {4000}))}};
}

TEST(FiguresPage, ReplacesItsSectionsAndNothingElse) {
  const auto text = with_figures(page, {measured()}, {{"Machine", "two cores"}});
  EXPECT_EQ(text.find("old"), text.npos);
  EXPECT_NE(text.find("- Machine: two cores\n"), text.npos);
  EXPECT_NE(text.find("`redial-x --all`"), text.npos);
  EXPECT_NE(text.find("| GET | redial : Beast | 0.97  | 0.9 .. 0.99 | 3 | >= 0.95 | met |"),
            text.npos);
  EXPECT_NE(text.find("| 4000 bytes | 4000 .. 4000 | 1 | <= 2048 | **missed** |"), text.npos);
  EXPECT_EQ(text.find("# Speed\nProse.\n"), 0U);
  EXPECT_NE(text.find("\nLast words.\n"), text.npos);
  EXPECT_EQ(with_figures(text, {measured()}, {{"Machine", "two cores"}}), text);
}

TEST(FiguresPage, SectionsOfWhatWasNotMeasuredStay) {
  EXPECT_NE(with_figures(page, {}, {}).find("old table"), page.npos);
}

TEST(FiguresPage, TheCommandIsGivenWithoutItsOutput) {
  auto m = measured();
  m.command = "redial-x --json out.json --rounds 5";
  EXPECT_NE(markdown(m).find("`redial-x --rounds 5`"), std::string::npos);
}

TEST(FiguresPage, AProgramMayHaveBeenRunInParts) {
  auto rest = measured();
  rest.command = "redial-x --rest";
  const auto text = with_figures(page, {measured(), rest}, {});
  EXPECT_LT(text.find("`redial-x --all`"), text.find("`redial-x --rest`"));
  EXPECT_NE(text.find("`redial-x --rest`"), text.npos);
}

TEST(FiguresPage, AProgramWithoutSectionIsAnError) {
  auto other = measured();
  other.program = "redial-y";
  EXPECT_THROW((void)with_figures(page, {other}, {}), std::invalid_argument);
  EXPECT_THROW((void)with_figures("<!-- figures: redial-x -->\n", {measured()}, {}),
               std::invalid_argument);
}

TEST(FiguresPage, ReadsWhatWasWritten) {
  const auto path = std::filesystem::path(testing::TempDir()) / "redial_figures_page.json";
  const auto m = measured();
  write_json(path.string(), m.program, m.command, m.figures);
  const auto again = read_json(path.string());
  EXPECT_EQ(markdown(again), markdown(m));
  std::ofstream(path) << "{}";
  EXPECT_THROW((void)read_json(path.string()), std::runtime_error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace redial::bench
