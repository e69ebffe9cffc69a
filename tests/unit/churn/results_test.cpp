// SPDX-License-Identifier: Apache-2.0
// Figures, judgement, and the run as a file.

#include "churn/results.hpp"

#include "synthetic_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Summary, CountsWhatHappened) {
  const auto run = testing::synthetic_run();
  const auto s = summarize(run, run.contestants[1]);
  EXPECT_EQ(s.requests, 10U);
  EXPECT_EQ(s.failed, 1U);
  EXPECT_EQ(s.retried, 0U);
  EXPECT_EQ(s.stale.requests, 1U);
  EXPECT_EQ(s.stale.last, 1ms);
  EXPECT_EQ(s.latency.percentile(50), 20ms);
  EXPECT_EQ(s.dns_queries, 20U);
}

TEST(BrokenPromises, NoneWhenAllIsWell) {
  EXPECT_THAT(broken_promises(testing::synthetic_run()), IsEmpty());
}

TEST(BrokenPromises, AFailedRequestOfRedialAndOfNobodyElse) {
  auto run = testing::synthetic_run();
  run.contestants[0].requests[5] = testing::failed(5, 5000, "x");
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("1 requests failed")));
}

TEST(BrokenPromises, ALateRequest) {
  auto run = testing::synthetic_run();
  run.contestants[0].servings[0].push_back({3, 4001ms});
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("later than 2.0 s")));
}

TEST(BrokenPromises, ALateRequestBreaksNoneWhenAnswersAreSamples) {
  auto run = testing::synthetic_run();
  run.contestants[0].servings[0].push_back({3, 4001ms});
  run.settings.complete_answers = false;
  EXPECT_THAT(broken_promises(run), IsEmpty());
}

TEST(BrokenPromises, RedialDidNotTakePart) {
  auto run = testing::synthetic_run();
  run.contestants[0] = {};
  run.contestants[0].id = "redial";
  run.contestants[0].absent = "no network";
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("no network")));
}

TEST(BrokenPromises, AStray) {
  auto run = testing::synthetic_run();
  run.contestants[0].servings[1].push_back({0, 1ms});
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("servers that DNS did not name")));
}

TEST(BrokenPromises, AnAnswerThatNobodyGave) {
  auto run = testing::synthetic_run();
  run.contestants[1].servings[1].clear();
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("harness: ")));
}

TEST(Table, HasAColumnPerContestant) {
  const auto text = table(testing::synthetic_run());
  EXPECT_THAT(text, HasSubstr("redial"));
  EXPECT_THAT(text, HasSubstr("plain <client>"));
  EXPECT_THAT(text, HasSubstr("DNS queries"));
}

TEST(Table, HasNoFiguresForWhoWasAbsent) {
  auto run = testing::synthetic_run();
  run.contestants[1] = {};
  run.contestants[1].absent = "not built";
  for (const auto& f : figures(run)) EXPECT_EQ(f.values[1], "-") << f.title;
  EXPECT_EQ(verdict(run, run.contestants[1]), "did not take part: not built");
}

TEST(Json, IsReadBackAsItWas) {
  const auto run = testing::synthetic_run();
  const auto text = to_json(run).dump();
  const auto again = run_from_json(nlohmann::json::parse(text));
  EXPECT_EQ(to_json(again).dump(), text);
  EXPECT_EQ(table(again), table(run));
  EXPECT_EQ(again.contestants[1].requests[5].error, run.contestants[1].requests[5].error);
  EXPECT_EQ(again.backends[1].in_dns[0].to, duration::max());
}

TEST(Json, WhatNobodyCountedIsReadBackAsThatAndShownAsThat) {
  auto run = testing::synthetic_run();
  run.contestants[0].dns_queries = not_counted;
  const auto again = run_from_json(nlohmann::json::parse(to_json(run).dump()));
  EXPECT_EQ(again.contestants[0].dns_queries, not_counted);
  EXPECT_THAT(table(again), HasSubstr("not counted"));
}

TEST(Json, OfASuiteIsReadBackWithEveryField) {
  suite_record suite{"redial-churn all", {testing::synthetic_run(), testing::synthetic_run()}};
  auto& run = suite.runs[1];
  run.settings.title = "a title";
  run.settings.complete_answers = false;
  run.settings.dns_faults = true;
  run.settings.effective_ttl = 9s;
  run.settings.names = 3;
  run.sudden = {{1s, 4s}};
  run.contestants[1] = {};
  run.contestants[1].id = "grpc";
  run.contestants[1].absent = "not built";
  const auto text = to_json(suite).dump();
  const auto again = suite_from_json(nlohmann::json::parse(text));
  EXPECT_EQ(to_json(again).dump(), text);
  EXPECT_EQ(again.command, "redial-churn all");
  ASSERT_EQ(again.runs.size(), 2U);
  const auto& read = again.runs[1];
  EXPECT_EQ(read.settings.title, "a title");
  EXPECT_FALSE(read.settings.complete_answers);
  EXPECT_TRUE(again.runs[0].settings.complete_answers);
  EXPECT_TRUE(read.settings.dns_faults);
  EXPECT_EQ(read.settings.effective_ttl, 9s);
  EXPECT_EQ(read.settings.names, 3U);
  ASSERT_EQ(read.sudden.size(), 1U);
  EXPECT_EQ(read.sudden[0].to, 4s);
  EXPECT_EQ(read.contestants[1].absent, "not built");
  EXPECT_THAT(read.contestants[1].servings, IsEmpty());
}

TEST(Json, OfARunIsASuiteOfOne) {
  const auto suite = suite_from_json(to_json(testing::synthetic_run()));
  ASSERT_EQ(suite.runs.size(), 1U);
  EXPECT_EQ(table(suite.runs[0]), table(testing::synthetic_run()));
}

TEST(Json, OfAnotherFormatIsRefusedByItsNumber) {
  auto old = to_json(suite_record{});
  old["format"] = 1;
  try {
    (void)suite_from_json(old);
    ADD_FAILURE() << "was read";
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr("format 1, this program reads 2"));
  }
}

TEST(Json, RefusesWhatIsNoRun) {
  EXPECT_THROW((void)run_from_json(nlohmann::json::parse("{}")), nlohmann::json::exception);
  auto other = to_json(testing::synthetic_run());
  other["format"] = 99;
  EXPECT_THROW((void)run_from_json(other), std::invalid_argument);
  other = to_json(testing::synthetic_run());
  other["contestants"][0]["servings"].erase(0);
  EXPECT_THROW((void)run_from_json(other), std::invalid_argument);
}

}  // namespace
}  // namespace redial::churn
