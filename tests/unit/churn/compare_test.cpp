// SPDX-License-Identifier: Apache-2.0
// Two suites side by side.

#include "churn/compare.hpp"

#include "synthetic_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::churn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A run in which `failures` of the plain client's requests fail.
run_record with_failures(std::size_t failures) {
  auto run = testing::synthetic_run();
  auto& requests = run.contestants[1].requests;
  requests[5] = testing::answered(5, 5000, 1);
  for (std::size_t i = 0; i < failures; ++i) {
    requests[i] = testing::failed(i, requests[i].planned / testing::ms(1), "x");
  }
  return run;
}

const compared& failed_of(const comparison& c, std::size_t row) {
  for (const auto& f : c.rows.at(row).figures) {
    if (f.figure == "failed requests") return f;
  }
  throw std::runtime_error("not compared");
}

TEST(Compare, AgainstItselfNothingChanges) {
  const suite_record suite{"", {testing::synthetic_run()}};
  const auto c = compare(suite, suite);
  ASSERT_EQ(c.rows.size(), 2U);
  for (const auto& r : c.rows) {
    EXPECT_EQ(r.figures.size(), measures().size());
    for (const auto& f : r.figures) EXPECT_EQ(f.verdict, change::none) << f.figure;
  }
  EXPECT_THAT(text_of(c), Not(HasSubstr("->  ")));
}

TEST(Compare, LeavesOutWhatNobodyCounted) {
  const suite_record counted{"", {testing::synthetic_run()}};
  auto run = testing::synthetic_run();
  run.contestants[0].dns_queries = not_counted;
  EXPECT_EQ(compare({"", {run}}, counted).rows[0].figures.size(), measures().size() - 1);
}

TEST(Compare, IsOfMediansAndJudgesOnlyWhenTheRunsAreApart) {
  const suite_record old_suite{"", {with_failures(1), with_failures(2), with_failures(4)}};
  const suite_record apart{"", {with_failures(5), with_failures(7), with_failures(6)}};
  const suite_record mixed{"", {with_failures(4), with_failures(7), with_failures(6)}};
  const auto worse = failed_of(compare(old_suite, apart), 1);
  EXPECT_EQ(worse.before.median, 2);
  EXPECT_EQ(worse.now.median, 6);
  EXPECT_EQ(worse.verdict, change::worse);
  EXPECT_EQ(failed_of(compare(apart, old_suite), 1).verdict, change::better);
  EXPECT_EQ(failed_of(compare(old_suite, mixed), 1).verdict, change::none);
  const auto text = text_of(compare(old_suite, apart));
  EXPECT_THAT(text, HasSubstr("synthetic, plain <client> (runs 3 -> 3)"));
  EXPECT_THAT(text, HasSubstr("2 (1 to 4) -> 6 (5 to 7)"));
  EXPECT_THAT(text, HasSubstr("WORSE"));
}

TEST(Compare, SaysWhatOnlyOneOfThemHas) {
  auto other = testing::synthetic_run();
  other.settings.scenario = "other";
  other.contestants.resize(1);
  const suite_record old_suite{"", {testing::synthetic_run()}};
  const auto text = text_of(compare(old_suite, {"", {other}}));
  EXPECT_THAT(text, HasSubstr("other, redial (only in the new results)"));
  EXPECT_THAT(text, HasSubstr("synthetic, plain <client> (only in the old results)"));
}

}  // namespace
}  // namespace redial::churn
