// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/entrants.hpp"
#include "churn/limits.hpp"
#include "churn/suite.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace redial::churn {

namespace {

struct limit_options {
  std::vector<std::string> scenarios;
  std::size_t pairs = 5;
  std::size_t beside = 5;
  bool quick = false;
  bool no_namespaces = false;
  std::string json;
  run_options run;
};

run_record played(const scenario& s, const std::vector<entrant>& who, const run_options& options) {
  fmt::print("{}: {}.\n", s.name, s.title);
  std::fflush(stdout);
  auto result = run(s, who, options);
  // The demand on DNS queries is one on what an authority is asked.
  if (s.behind_cache || s.in_hosts_file) result.settings.effective_ttl = duration::zero();
  return result;
}

// Redial and the tuned libcurl, if this program has one.
std::vector<entrant> rivals() {
  std::vector<entrant> both;
  std::copy_if(
      all_entrants().begin(), all_entrants().end(), std::back_inserter(both), [](const entrant& e) {
        return e.id == "redial" || e.id == tuned_rival;
      });
  return both;
}

limit_runs play_scenario(const scenario& s, const limit_options& o) {
  const auto ours = entrants_named({"redial"});
  limit_runs runs;
  runs.pairs = play_pairs(
      o.pairs,
      [&] { return played(s, ours, o.run); },
      [&] { return played(without_fault(s), ours, o.run); });
  const auto both = rivals();
  for (std::size_t i = 0; both.size() == 2 && i < o.beside; ++i)
    runs.beside.push_back(played(s, both, o.run));
  return runs;
}

int play(limit_options o, const std::string& command) {
  const temporary_directory files;  // stays until the last stage is gone
  if (!o.no_namespaces) o.run.means.place = enter_room(files.path());
  std::vector<bench::figure> all;
  std::string left_out;
  for (const auto& s : scenarios_named(o.scenarios, o.quick)) {
    if (const auto why = why_not_played(s, o.run.means); !why.empty()) {
      left_out += fmt::format("  {} was left out: {}\n", s.name, why);
      continue;
    }
    const auto figures = limit_figures(play_scenario(s, o));
    fmt::print("\n{}\n", bench::table(figures));
    all.insert(all.end(), figures.begin(), figures.end());
    // Hours of runs ought not to be lost with the last one.
    if (!o.json.empty()) bench::write_json(o.json, "redial-churn limits", command, all);
  }
  fmt::print("All scenarios:\n{}{}", bench::table(all), left_out);
  if (all.empty()) return nothing_played;
  const bool met =
      std::all_of(all.begin(), all.end(), [](const bench::figure& f) { return f.met(); });
  return met ? 0 : promise_broken;
}

}  // namespace

void add_limits(CLI::App& app, invocation& self) {
  auto& limits = *app.add_subcommand(
      "limits", "Plays scenarios with redial alone, with and without what happens in them");
  const auto o = std::make_shared<limit_options>();
  limits.add_option("scenario", o->scenarios, "Names as `list` prints them, or `all`")->required();
  limits.add_option("--pairs", o->pairs, "Runs with and runs without")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  limits.add_option("--beside", o->beside, "More runs, with the tuned libcurl beside redial")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  limits.add_flag("--quick", o->quick, "Each in 7 to 11 seconds, with a TTL cap of 1 s");
  limits.add_flag("--no-namespaces",
                  o->no_namespaces,
                  "Stay in this network; leaves out what needs one of its own");
  limits.add_option("--rate", o->run.rate, "Requests per second")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  limits.add_option("--seed", o->run.seed, "Of every random choice")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  limits.add_option("--json", o->json, "Write the figures here");
  limits.callback([o, &self] { self.status = play(*o, self.command); });
}

}  // namespace redial::churn
