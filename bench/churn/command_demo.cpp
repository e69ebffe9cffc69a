// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/contestant_beast.hpp"
#include "churn/contestant_redial.hpp"
#include "churn/facts.hpp"
#include "churn/outputs.hpp"
#include "churn/runner.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <memory>

namespace redial::churn {

namespace {

struct demo_options {
  bool quick = false;
  run_options run;
  outputs out;
};

int play(const demo_options& o, const std::string& command) {
  const auto s = demo_scenario(o.quick);
  fmt::print(
      "{}.\n{} requests/s from each of two clients for {:.0f} s; the service's name has TTL {:.0f} "
      "s.\n\n",
      s.title,
      o.run.rate,
      seconds(s.length),
      seconds(s.ttl));
  std::fflush(stdout);
  auto result = run(s,
                    {{"plain", "plain keep-alive client", nullptr, make_beast},
                     {"redial", "redial", nullptr, make_redial}},
                    o.run);
  result.settings.facts = facts_of_this_machine(command);
  write_outputs(result, o.out);
  return conclude(result, o.out);
}

}  // namespace

void add_demo(CLI::App& app, invocation& self) {
  auto& demo =
      *app.add_subcommand("demo", "redial beside an ordinary keep-alive client, about 70 seconds");
  const auto o = std::make_shared<demo_options>();
  demo.add_flag(
      "--quick", o->quick, "The same events in 8 seconds, with a TTL cap of 1 s instead of 10 s");
  demo.add_option("--rate", o->run.rate, "Requests per second and client")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  demo.add_option("--seed", o->run.seed, "Of every random choice")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_outputs(demo, o->out);
  demo.callback([o, &self] { self.status = play(*o, self.command); });
}

}  // namespace redial::churn
