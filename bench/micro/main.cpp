// SPDX-License-Identifier: Apache-2.0
// redial-bench: what the parts cost.
//
//   redial-bench [Google Benchmark's options]      each alone
//   redial-bench --ratios [--rounds N] [--quick] [--only TEXT] [--json FILE]
//                                                  each beside its baseline, in alternating rounds
//
// Fails when something allocates that must not, and with --ratios when a checkout makes a system
// call, but not for a slow machine.

#include "micro/ratios.hpp"
#include "micro/subject.hpp"
#include "support/figures.hpp"

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

constexpr std::size_t times_counted = 100000;

std::vector<comparison> everything() {
  std::vector<comparison> all = checkout_comparisons();
  const auto add = [&all](std::vector<comparison> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  add(pick_comparisons());
  add(snapshot_comparisons());
  add(completion_comparisons());
  add(call_comparisons());
  std::string why_not = enter_own_resolver_settings();
  add(lookup_comparisons(why_not));
  if (!why_not.empty()) fmt::print(stderr, "lookups are not measured: {}\n", why_not);
  return all;
}

// In batches, since the clock is read for each.
void run_alone(benchmark::State& state, const subject& s, bool& failed) {
  const work w = s.make();
  std::size_t batch = 1;
  while (w(batch).wall_ns < 1e5) batch *= 2;
  const std::size_t before = allocations();
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(batch))) (void)w(batch);
  if (s.allocates || allocations() == before) return;
  state.SkipWithError("it allocates");
  failed = true;
}

int show_each_alone(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto all = everything();
  std::set<std::string> known;
  bool failed = false;
  for (const auto& c : all) {
    for (const subject* s : {&c.baseline, &c.candidate}) {
      if (!known.insert(s->name).second) continue;
      benchmark::RegisterBenchmark(
          s->name.c_str(), [s, &failed](benchmark::State& state) { run_alone(state, *s, failed); });
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return failed ? 1 : 0;
}

// A count is the same on every machine.
bench::figure count_allocations(const comparison& c) {
  const work w = c.candidate.make();
  (void)w(1000);
  const std::size_t before = allocations();
  (void)w(times_counted);
  return bench::at_most(0,
                        bench::figure_of(c.name,
                                         fmt::format("allocations in {} times", times_counted),
                                         "count",
                                         {static_cast<double>(allocations() - before)}));
}

std::vector<bench::figure> count_system_calls() {
  const silence s = check_checkout_makes_no_system_call(times_counted);
  if (!s.checked) {
    fmt::print(stderr, "system calls are not counted: {}\n", s.why_not);
    return {};
  }
  return {bench::at_most(
      0,
      bench::figure_of("checkout + return, 100 endpoints",
                       fmt::format("killed for a system call in {} times", times_counted),
                       "count",
                       {s.kept ? 0.0 : 1.0}))};
}

struct settings {
  std::size_t rounds = 7;
  std::string only;
  std::string json;
};

int show_ratios(const settings& s, const std::string& command) {
  std::vector<bench::figure> figures;
  bool counts_met = true;
  bool found = false;
  const auto show = [&](bench::figure f, bool must) {
    fmt::print("{}", bench::table({f}));
    std::fflush(stdout);
    counts_met = counts_met && (!must || f.met());
    figures.push_back(std::move(f));
  };
  for (auto& f : count_system_calls()) show(std::move(f), true);
  for (const auto& c : everything()) {
    if (c.name.find(s.only) == c.name.npos) continue;
    found = true;
    show(compare(c, s.rounds), false);
    if (!c.candidate.allocates) show(count_allocations(c), true);
  }
  if (!found) throw std::invalid_argument("nothing is named '" + s.only + "'");
  if (!s.json.empty()) bench::write_json(s.json, "redial-bench", command, figures);
  return counts_met ? 0 : 1;
}

int run(int argc, char** argv) {
  settings s;
  std::string command = "redial-bench";
  bool ratios = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    command += fmt::format(" {}", option);
    if (option == "--ratios") ratios = true;
  }
  if (!ratios) return show_each_alone(argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--ratios") continue;
    if (option == "--quick") {
      s.rounds = 1;
      continue;
    }
    const bool has_value = i + 1 < argc;
    if (option == "--rounds" && has_value) {
      s.rounds = std::strtoul(argv[++i], nullptr, 10);
    } else if (option == "--only" && has_value) {
      s.only = argv[++i];
    } else if (option == "--json" && has_value) {
      s.json = argv[++i];
    } else {
      fmt::print(stderr, "redial-bench --ratios: {}?\n", option);
      return 2;
    }
  }
  if (s.rounds == 0) {
    fmt::print(stderr, "redial-bench --rounds: a number from 1\n");
    return 2;
  }
  return show_ratios(s, command);
}

}  // namespace

}  // namespace redial::micro

int main(int argc, char** argv) {
  try {
    return redial::micro::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-bench: {}\n", e.what());
    return 1;
  }
}
