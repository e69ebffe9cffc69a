// SPDX-License-Identifier: Apache-2.0
// What the backends' logs say about stale addresses.

#include "churn/recorder.hpp"

#include "synthetic_run.hpp"

#include <gtest/gtest.h>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using testing::ms;

TEST(BackendLog, ReadsWhatItWrote) {
  log_line line;
  line.at = time_point{123456789ns};
  line.contestant = "redial";
  line.id = 42;
  line.connection = 7;
  const auto text = to_string(line);
  EXPECT_EQ(text, "123456789 redial 42 7\n");
  const auto log = parse_backend_log(text + text);
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_EQ(log.broken, 0U);
  EXPECT_EQ(log.lines[1].at, line.at);
  EXPECT_EQ(log.lines[1].contestant, "redial");
  EXPECT_EQ(log.lines[1].id, 42U);
  EXPECT_EQ(log.lines[1].connection, 7U);
}

TEST(BackendLog, CountsBrokenLines) {
  const auto log = parse_backend_log("1 a 1 1\n\nx a 1 1\n1 a 1\n1 a 1 1 1\n1  1 1\n1 a 1 1");
  EXPECT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.broken, 6U);
}

TEST(AddServings, SortsByContestantAndShiftsToTheStart) {
  auto run = testing::synthetic_run();
  for (auto& c : run.contestants) c.servings.clear();
  const auto log = parse_backend_log("1000 redial 1 1\n2000 plain 2 2\n3000 stranger 3 3\n");
  add_servings(run, 1, log, time_point{500ns});
  ASSERT_EQ(run.contestants[0].servings.size(), 2U);
  ASSERT_EQ(run.contestants[0].servings[1].size(), 1U);
  EXPECT_EQ(run.contestants[0].servings[1][0].at, 500ns);
  ASSERT_EQ(run.contestants[1].servings[1].size(), 1U);
  EXPECT_EQ(run.contestants[1].servings[1][0].id, 2U);
}

TEST(ConnectionsOf, CountsEachOnceWhicheverBackendHeardIt) {
  const auto a = parse_backend_log("1 redial 1 7\n2 redial 2 7\n3 plain 1 8\n");
  const auto b = parse_backend_log("1 redial 3 9\n2 redial 4 7\n");
  EXPECT_EQ(connections_of("redial", {a, b}), 2U);
  EXPECT_EQ(connections_of("plain", {a, b}), 1U);
  EXPECT_EQ(connections_of("nobody", {a, b}), 0U);
}

class StaleUse : public ::testing::Test {
 protected:
  stale_use after(std::initializer_list<std::int64_t> at_a,
                  std::initializer_list<std::int64_t> at_b = {}) {
    contestant_record c;
    c.servings.resize(2);
    for (const auto t : at_a) c.servings[0].push_back({0, ms(t)});
    for (const auto t : at_b) c.servings[1].push_back({0, ms(t)});
    return stale_use_of(run_, c);
  }

  run_record run_ = testing::synthetic_run();  // A in DNS until 2 s, B from then on; 2 s allowed
};

TEST_F(StaleUse, NoneWhileInDns) {
  const auto use = after({0, 1999}, {2000, 9999});
  EXPECT_EQ(use.requests, 0U);
  EXPECT_EQ(use.last, 0ms);
  EXPECT_EQ(use.late, 0U);
  EXPECT_EQ(use.strays, 0U);
}

TEST_F(StaleUse, CountsFromTheMomentAnAddressLeft) {
  const auto use = after({1999, 2000, 3500, 4000});
  EXPECT_EQ(use.requests, 3U);
  EXPECT_EQ(use.last, 2000ms);
  EXPECT_EQ(use.late, 0U);
}

TEST_F(StaleUse, IsLatePastWhatIsAllowed) {
  const auto use = after({4000, 4001, 5000});
  EXPECT_EQ(use.late, 2U);
  EXPECT_EQ(use.last, 3000ms);
}

TEST_F(StaleUse, AnAddressThatNeverWasInDnsIsAStray) {
  const auto use = after({}, {1999});
  EXPECT_EQ(use.strays, 1U);
  EXPECT_EQ(use.requests, 0U);
}

TEST_F(StaleUse, AnAddressThatCameBackIsJudgedByItsLatestDeparture) {
  run_.backends[0].in_dns = {{ms(0), ms(1000)}, {ms(3000), ms(5000)}};
  EXPECT_EQ(after({2900}).last, 1900ms);
  EXPECT_EQ(after({4000}).requests, 0U);
  EXPECT_EQ(after({5500}).last, 500ms);
}

TEST_F(StaleUse, AStrangerIsAStrayAndItsAddressIsJudgedLikeAnyOther) {
  run_.backends[1] = run_.backends[0];  // has A's address, which is in DNS until 2 s
  run_.backends[1].in_dns.clear();
  const auto use = after({}, {1000, 3000, 4001});
  EXPECT_EQ(use.strays, 3U);
  EXPECT_EQ(use.requests, 2U);
  EXPECT_EQ(use.late, 1U);
  EXPECT_EQ(use.last, 2001ms);
}

TEST_F(StaleUse, AnAddressThatANewBackendTookOverHasNotLeft) {
  run_.backends[1].address = run_.backends[0].address;
  const auto use = after({3000}, {3000});
  EXPECT_EQ(use.requests, 0U);
  EXPECT_EQ(use.strays, 0U);
}

TEST(UnloggedAnswers, AreAnswersWithoutALogLine) {
  auto run = testing::synthetic_run();
  EXPECT_EQ(unlogged_answers(run.contestants[0]), 0U);
  run.contestants[0].servings[1].pop_back();
  EXPECT_EQ(unlogged_answers(run.contestants[0]), 1U);
  run.contestants[0].requests[0].backend = 25;  // no such backend
  EXPECT_EQ(unlogged_answers(run.contestants[0]), 2U);
}

}  // namespace
}  // namespace redial::churn
