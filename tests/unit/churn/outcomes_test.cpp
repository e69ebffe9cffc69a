// SPDX-License-Identifier: Apache-2.0
// A suite as a grid, as CSV and as percentiles.

#include "churn/outcomes.hpp"

#include "churn/csv.hpp"
#include "churn/percentiles.hpp"
#include "synthetic_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

run_record absent_plain() {
  auto run = testing::synthetic_run();
  run.settings.scenario = "tls";
  run.contestants[1] = {};
  run.contestants[1].id = "plain";
  run.contestants[1].title = "plain <client>";
  run.contestants[1].absent = "no TLS, \"yet\"";
  return run;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

suite_record suite() { return {"c", {testing::synthetic_run(), absent_plain()}}; }

TEST(Range, IsMedianLeastAndGreatest) {
  const auto r = range_of({9, 1, 2, 4});
  EXPECT_EQ(r.median, 3);
  EXPECT_EQ(r.low, 1);
  EXPECT_EQ(r.high, 9);
  EXPECT_EQ(text_of(r), "3 (1 to 9)");
  EXPECT_EQ(text_of(range_of({0.25})), "0.2");
  EXPECT_THROW((void)range_of({}), std::invalid_argument);
}

TEST(Grid, HasACellPerScenarioAndContestant) {
  const auto g = grid_of(suite());
  ASSERT_EQ(g.cells.size(), 2U);
  ASSERT_EQ(g.cells[0].size(), 2U);
  EXPECT_EQ(g.scenarios[1].id, "tls");
  EXPECT_EQ(grade_of(g.cells[0][0]), grade::good);
  EXPECT_EQ(failed_text(g.cells[0][0]), "0 failed");
  EXPECT_EQ(grade_of(g.cells[0][1]), grade::bad);
  EXPECT_EQ(failed_text(g.cells[0][1]), "1 failed");
  EXPECT_EQ(stale_text(g.cells[0][1]), "old address 0.0 s");
  EXPECT_EQ(grade_of(g.cells[1][1]), grade::missing);
  EXPECT_EQ(failed_text(g.cells[1][1]), "");
}

TEST(Grid, TooLongOnAnOldAddressIsFairOnlyWhereAnswersAreComplete) {
  auto run = testing::synthetic_run();
  run.contestants[0].servings[0].push_back({3, 4001ms});
  EXPECT_EQ(grade_of(grid_of({"", {run}}).cells[0][0]), grade::fair);
  run.settings.complete_answers = false;
  EXPECT_EQ(grade_of(grid_of({"", {run}}).cells[0][0]), grade::good);
}

TEST(Grid, SeveralRunsOfAScenarioShareACellAndOneFailureSpoilsIt) {
  auto other = testing::synthetic_run();
  for (std::uint64_t i = 6; i < 9; ++i)
    other.contestants[0].requests[i] = testing::failed(i, 6000, "x");
  const auto g = grid_of({"", {testing::synthetic_run(), other, testing::synthetic_run()}});
  ASSERT_EQ(g.scenarios.size(), 1U);
  EXPECT_EQ(failed_text(g.cells[0][0]), "0 (0 to 3) failed");
  EXPECT_EQ(grade_of(g.cells[0][0]), grade::bad);
}

TEST(Grid, AsTextNamesAllAndSaysWhyOneWasAbsent) {
  const auto text = table(suite());
  EXPECT_THAT(text, HasSubstr("synthetic"));
  EXPECT_THAT(text, HasSubstr("1 / 0.0"));
  EXPECT_THAT(text, HasSubstr("plain <client> did not take part in 1 of 2: no TLS"));
}

TEST(Grid, AsTextHasColumnsAsWideAsTheirLongestCell) {
  auto run = testing::synthetic_run();
  for (std::uint64_t i = 0; i < 1000; ++i)
    run.contestants[1].servings[1].push_back({i, 1500ms});  // B is in DNS from 2 s on
  const auto lines = lines_of(table({"", {run, absent_plain()}}));
  EXPECT_EQ(lines[0],
            "Failed requests / seconds on an address that had left DNS (requests to servers that "
            "DNS did not name)");
  EXPECT_EQ(lines[1], "              redial           plain");
  EXPECT_EQ(lines[2], "  synthetic  0 / 0.0  1 / 0.0 (1000)");
  EXPECT_EQ(lines[3], "  tls        0 / 0.0               -");
}

TEST(Csv, HasARowPerRunAndContestant) {
  const auto lines = lines_of(to_csv(suite()));
  ASSERT_EQ(lines.size(), 5U);
  const auto columns = std::count(lines[0].begin(), lines[0].end(), ',');
  EXPECT_EQ(columns, 8 + static_cast<std::ptrdiff_t>(measures().size()));
  EXPECT_EQ(std::count(lines[1].begin(), lines[1].end(), ','), columns);
  EXPECT_THAT(lines[0], HasSubstr("failed,retried,stale_seconds"));
  EXPECT_THAT(lines[2], HasSubstr("synthetic,1,plain,plain <client>,,1,10,1,7,10,1,0,0.001,1,0"));
  EXPECT_THAT(lines[4], HasSubstr("tls,1,plain,plain <client>,\"no TLS, \"\"yet\"\"\",1,10,1,7,,"));
}

TEST(Csv, LeavesOutWhatNobodyCounted) {
  auto run = testing::synthetic_run();
  run.contestants[0].dns_queries = not_counted;
  const auto lines = lines_of(to_csv({"", {run}}));
  EXPECT_THAT(lines[0], HasSubstr(",connections,dns_queries,latency_p50_ms"));
  EXPECT_THAT(lines[1], HasSubstr(",2,,20"));
  EXPECT_THAT(lines[2], HasSubstr(",2,20,20"));
}

TEST(Csv, NumbersTheRunsOfAScenario) {
  const auto lines = lines_of(to_csv({"", {testing::synthetic_run(), testing::synthetic_run()}}));
  EXPECT_THAT(lines[1], HasSubstr("synthetic,1,redial"));
  EXPECT_THAT(lines[3], HasSubstr("synthetic,2,redial"));
}

TEST(Csv, OfSecondsCountsByThePlannedTime) {
  auto run = testing::synthetic_run();
  run.contestants[1].requests[5].done = run.contestants[1].requests[5].planned + 1500ms;
  const auto lines = lines_of(series_csv({"", {run, absent_plain()}}));
  ASSERT_EQ(lines.size(), 1U + 3 * 10U);  // nothing of the absent one
  EXPECT_EQ(lines[1], "synthetic,1,redial,0,1,1,0,20,20,20,1");
  EXPECT_EQ(lines[1 + 10 + 5], "synthetic,1,plain,5,1,0,1,1500,1500,1500,1");
  EXPECT_EQ(lines[1 + 10 + 6], "synthetic,1,plain,6,1,1,0,20,20,20,2");
}

TEST(Percentiles, LieCloserTowardsTheEndAndReachTheMaximum) {
  histogram h;
  for (int i = 1; i <= 1000; ++i) h.add(std::chrono::milliseconds{i});
  const auto points = percentile_points(h, 1);
  ASSERT_GE(points.size(), 4U);
  EXPECT_EQ(points[0].share, 0);
  EXPECT_EQ(points[1].share, 0.5);
  EXPECT_EQ(points[2].share, 0.75);
  EXPECT_EQ(points.back().share, 1);
  EXPECT_EQ(points.back().value, 1s);
  EXPECT_EQ(points.back().count, 1000U);
  EXPECT_TRUE(std::is_sorted(points.begin(), points.end(), [](const auto& a, const auto& b) {
    return a.value < b.value;
  }));
  EXPECT_TRUE(percentile_points({}).empty());
}

TEST(Percentiles, ArePrintedAsPlottersReadThem) {
  histogram h;
  for (int i = 0; i < 4; ++i) h.add(10us);
  h.add(60us);
  EXPECT_EQ(percentiles(h),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
            "       0.010 0.000000000000          4           1.00\n"
            "       0.010 0.100000000000          4           1.11\n"
            "       0.010 0.200000000000          4           1.25\n"
            "       0.010 0.300000000000          4           1.43\n"
            "       0.010 0.400000000000          4           1.67\n"
            "       0.010 0.500000000000          4           2.00\n"
            "       0.010 0.550000000000          4           2.22\n"
            "       0.010 0.600000000000          4           2.50\n"
            "       0.010 0.650000000000          4           2.86\n"
            "       0.010 0.700000000000          4           3.33\n"
            "       0.010 0.750000000000          4           4.00\n"
            "       0.010 0.775000000000          4           4.44\n"
            "       0.010 0.800000000000          4           5.00\n"
            "       0.060 1.000000000000          5            inf\n"
            "#[Mean    =        0.020, StdDeviation   =        0.020]\n"
            "#[Max     =        0.060, Total count    =            5]\n");
}

}  // namespace
}  // namespace redial::churn
