// SPDX-License-Identifier: Apache-2.0
// What redial must reach, judged on runs made up by hand.

#include "churn/limits.hpp"

#include "synthetic_run.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

run_record alone() {
  auto run = testing::synthetic_run();
  run.contestants.resize(1);
  return run;
}

limit_runs runs(std::size_t pairs = 3) {
  limit_runs all;
  all.pairs.assign(pairs, {alone(), alone()});
  return all;
}

const bench::figure* find(const std::vector<bench::figure>& figures, const std::string& what) {
  for (const auto& f : figures) {
    if (f.what.find(what) != f.what.npos) return &f;
  }
  return nullptr;
}

bench::figure figure_named(const limit_runs& all, const std::string& what) {
  const auto figures = limit_figures(all);
  const auto* f = find(figures, what);
  if (!f) throw std::runtime_error("no figure " + what);
  return *f;
}

void slow_down(run_record& run, std::size_t request, duration by) {
  run.contestants[0].requests[request].done += by;
}

TEST(Limits, AllAreMetWhenAllIsWell) {
  const auto figures = limit_figures(runs());
  ASSERT_EQ(figures.size(), 3U);
  for (const auto& f : figures) {
    EXPECT_EQ(f.name, "synthetic");
    EXPECT_EQ(f.rounds, 3U);
    EXPECT_TRUE(f.has_demand() && f.met()) << f.what;
  }
}

TEST(Limits, AFailureInOneOfManyRunsIsMissed) {
  auto all = runs(5);
  all.pairs[3].with.contestants[0].requests[5] = testing::failed(5, 5000, "x");
  const auto f = figure_named(all, "failed requests");
  EXPECT_EQ(f.value, 1);
  EXPECT_EQ(f.low, 0);
  EXPECT_FALSE(f.met());
}

TEST(Limits, ALateRequestIsMissedWhereAnswersAreComplete) {
  auto all = runs();
  all.pairs[1].with.contestants[0].servings[0].push_back({3, 4001ms});
  EXPECT_FALSE(figure_named(all, "departed").met());
  for (auto& p : all.pairs) p.with.settings.complete_answers = false;
  EXPECT_EQ(find(limit_figures(all), "departed"), nullptr);
}

TEST(Limits, LatencyIsTheMedianOfTheRatiosOfThePairs) {
  auto all = runs();
  slow_down(all.pairs[0].with, 9, 20ms);     // 40 : 20
  slow_down(all.pairs[1].with, 9, 980ms);    // 1000 : 20
  slow_down(all.pairs[2].without, 9, 20ms);  // 20 : 40
  const auto f = figure_named(all, "p99, with");
  EXPECT_NEAR(f.value, 2, 0.04);
  EXPECT_NEAR(f.low, 0.5, 0.01);
  EXPECT_NEAR(f.high, 50, 1);
  EXPECT_FALSE(f.met());
  EXPECT_EQ(find(limit_figures(all), "p99.9"), nullptr);  // nobody died
}

TEST(Limits, WhatWasPlannedAroundASuddenDeathIsLeftOutOfP99ButNotOfP999) {
  auto all = runs();
  for (auto& p : all.pairs) {
    p.with.sudden = {{5s, 8s}};
    slow_down(p.with, 5, 980ms);
    slow_down(p.without, 6, 500ms);  // the same time is left out on both sides
  }
  EXPECT_NEAR(figure_named(all, "p99, with").value, 1, 0.02);
  const auto tail = figure_named(all, "p99.9");
  EXPECT_NEAR(tail.value, 1, 0.02);
  EXPECT_TRUE(tail.met());
  for (auto& p : all.pairs) slow_down(p.with, 5, 200ms);
  EXPECT_FALSE(figure_named(all, "p99.9").met());
  for (auto& p : all.pairs) slow_down(p.with, 8, 100ms);  // the first after the death
  EXPECT_FALSE(figure_named(all, "p99, with").met());
}

TEST(Limits, ConnectionsAreComparedInTheSameRunOnly) {
  auto all = runs();
  auto beside = testing::synthetic_run();
  beside.contestants[1].id = tuned_rival;
  beside.contestants[1].connections = 1;
  all.beside = {beside};
  auto f = figure_named(all, "connections");
  EXPECT_EQ(f.value, 2);
  EXPECT_EQ(f.rounds, 1U);
  EXPECT_FALSE(f.met());
  all.beside[0].contestants[1].connections = 2;
  EXPECT_TRUE(figure_named(all, "connections").met());
  all.beside[0].contestants[1].absent = "not built";
  EXPECT_EQ(find(limit_figures(all), "connections"), nullptr);
}

TEST(Limits, AFailureBesideTheRivalCountsToo) {
  auto all = runs();
  all.beside = {testing::synthetic_run()};
  all.beside[0].contestants[0].requests[5] = testing::failed(5, 5000, "x");
  EXPECT_FALSE(figure_named(all, "failed requests").met());
}

TEST(Limits, QueriesAreMeasuredByTheEffectiveTtl) {
  auto all = runs();  // 20 queries in 10 s
  const auto with_ttl = [&](duration ttl) {
    for (auto& p : all.pairs) p.with.settings.effective_ttl = ttl;
  };
  with_ttl(1s);  // 2 x (1 + 10) are due
  EXPECT_NEAR(figure_named(all, "DNS").value, 20.0 / 22, 1e-9);
  EXPECT_TRUE(figure_named(all, "DNS").met());
  with_ttl(2s);
  EXPECT_FALSE(figure_named(all, "DNS").met());
  for (auto& p : all.pairs) p.with.settings.names = 3;  // SRV and two targets
  EXPECT_NEAR(figure_named(all, "DNS").value, 20.0 / (5 * 6), 1e-9);
  EXPECT_TRUE(figure_named(all, "DNS").met());
  for (auto& p : all.pairs) p.with.settings.dns_faults = true;
  EXPECT_EQ(find(limit_figures(all), "DNS"), nullptr);
}

TEST(Limits, RefuseWhatCannotBeJudged) {
  EXPECT_THROW((void)limit_figures({}), std::invalid_argument);
  auto all = runs();
  all.pairs[2].without.contestants[0].absent = "x";
  EXPECT_THROW((void)limit_figures(all), std::invalid_argument);
}

TEST(Limits, PairsArePlayedInAlternatingOrder) {
  std::string order;
  const auto play = [&](char c) {
    return [&order, c] {
      order += c;
      auto run = alone();
      run.settings.title = std::string(1, c);
      return run;
    };
  };
  const auto pairs = play_pairs(3, play('w'), play('o'));
  EXPECT_EQ(order, "woowwo");
  ASSERT_EQ(pairs.size(), 3U);
  for (const auto& p : pairs) {
    EXPECT_EQ(p.with.settings.title, "w");
    EXPECT_EQ(p.without.settings.title, "o");
  }
}

}  // namespace
}  // namespace redial::churn
