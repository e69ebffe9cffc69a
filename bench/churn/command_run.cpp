// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/contestant_external.hpp"
#include "churn/entrants.hpp"
#include "churn/outputs.hpp"
#include "churn/suite.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <map>
#include <memory>

namespace redial::churn {

namespace {

struct suite_options {
  std::vector<std::string> scenarios;
  std::vector<std::string> contestants;
  std::vector<std::string> externals;
  bool quick = false;
  bool no_namespaces = false;
  double deadline = 2;  // s
  double length = 0;    // s; 0: as the scenario says
  run_options run;
  outputs out;
};

duration from_seconds(double s) {
  return std::chrono::duration_cast<duration>(std::chrono::duration<double>(s));
}

int play(suite_options o, const std::string& command) {
  const temporary_directory files;  // stays until the last stage is gone
  if (o.no_namespaces) {
    o.run.means.place.why_not = "--no-namespaces";
  } else {
    o.run.means.place = enter_room(files.path());
  }
  if (const auto& why = o.run.means.place.why_not; !why.empty()) {
    fmt::print("Not everything can be had: {}.\n", why);
  }
  o.run.deadline = from_seconds(o.deadline);
  auto scenarios = scenarios_named(o.scenarios, o.quick);
  if (o.length > 0) {
    for (auto& s : scenarios) s = with_length(std::move(s), from_seconds(o.length));
  }
  auto entrants = entrants_named(o.contestants);
  for (const auto& e : o.externals) entrants.push_back(external_entrant(e));
  const auto suite = run_suite(scenarios, entrants, o.run, command);
  write_outputs(suite, o.out);
  return conclude(suite);
}

void add_load_options(CLI::App& run, suite_options& o) {
  run.add_option("--rate", o.run.rate, "Requests per second and client")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  run.add_option("--in-flight", o.run.in_flight_limit, "Most requests in flight per client")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  run.add_option("--deadline", o.deadline, "Seconds from the planned send time")
      ->check(CLI::Range(0.01, 60.0))
      ->capture_default_str();
  run.add_option("--duration", o.length, "Seconds of load, instead of the scenario's own")
      ->check(CLI::Range(1.0, 3600.0));
  run.add_option("--seed", o.run.seed, "Of every random choice")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace

void add_run(CLI::App& app, invocation& self) {
  auto& run = *app.add_subcommand("run", "Plays scenarios to all clients at once");
  const auto o = std::make_shared<suite_options>();
  run.add_option("scenario", o->scenarios, "Names as `list` prints them, or `all`")->required();
  run.add_flag("--quick", o->quick, "Each in 7 to 11 seconds, with a TTL cap of 1 s");
  run.add_option("--contestants", o->contestants, "Only these, by their ids")
      ->delimiter(',')
      ->allow_extra_args(false);
  run.add_option("--external",
                 o->externals,
                 "name=command: a client of your own, see docs/churn_line_protocol.md")
      ->allow_extra_args(false);
  const std::map<std::string, authority> kinds{{"embedded", authority::embedded},
                                               {"knot", authority::knot}};
  run.add_option("--authority", o->run.means.names, "The name server: Knot needs its package")
      ->transform(CLI::CheckedTransformer(kinds))
      ->option_text("embedded (default) or knot");
  run.add_flag("--no-namespaces",
               o->no_namespaces,
               "Stay in this network; leaves out what needs one of its own");
  add_load_options(run, *o);
  add_outputs(run, o->out);
  run.footer(
      "Exit status: 0 redial kept its promise, 1 it did not, 2 the harness failed, 77 nothing "
      "could "
      "be played, 130 interrupted. Nobody else is judged.");
  run.callback([o, &self] { self.status = play(*o, self.command); });
}

}  // namespace redial::churn
