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

TEST(BrokenPromises, AStray) {
  auto run = testing::synthetic_run();
  run.contestants[0].servings[1].push_back({0, 1ms});
  EXPECT_THAT(broken_promises(run), ElementsAre(HasSubstr("not in DNS yet")));
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

TEST(Json, IsReadBackAsItWas) {
  const auto run = testing::synthetic_run();
  const auto text = to_json(run).dump();
  const auto again = run_from_json(nlohmann::json::parse(text));
  EXPECT_EQ(to_json(again).dump(), text);
  EXPECT_EQ(table(again), table(run));
  EXPECT_EQ(again.contestants[1].requests[5].error, run.contestants[1].requests[5].error);
  EXPECT_EQ(again.backends[1].in_dns[0].to, duration::max());
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
