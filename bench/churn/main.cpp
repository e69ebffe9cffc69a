// SPDX-License-Identifier: Apache-2.0
// redial-churn: what happens to requests when the addresses behind a name change.

#include <redial/core/version.hpp>

#include "churn/commands.hpp"
#include "support/interruption.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace redial::churn;

std::string joined(int argc, char** argv) {
  std::string text = "redial-churn";
  for (int i = 1; i < argc; ++i) text += std::string(" ") + argv[i];
  return text;
}

int run_program(int argc, char** argv) {
  CLI::App app("What happens to requests when the addresses behind a name change.", "redial-churn");
  app.require_subcommand(1);
  app.set_version_flag("--version", "redial-churn " + std::string(redial::version()));
  invocation self;
  self.command = joined(argc, argv);
  add_demo(app, self);
  add_list(app, self);
  add_run(app, self);
  add_limits(app, self);
  add_report(app, self);
  add_backend(app, self);
  app.footer(
      "For example: redial-churn run planned_move_ttl_60 unplanned_death --quick\n"
      "What a command takes: redial-churn run --help");
  CLI11_PARSE(app, argc, argv);
  return self.status;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<redial::bench::interruption_guard> guard;
  // A backend has nothing to put in order.
  if (argc < 2 || std::string_view(argv[1]) != "backend") guard.emplace();
  try {
    return run_program(argc, argv);
  } catch (const std::exception& e) {
    // Ctrl-C reaches the backends, too, which is no failure of theirs.
    if (redial::bench::was_interrupted()) {
      fmt::print(stderr, "\ninterrupted\n");
      return interrupted_by_user;
    }
    fmt::print(stderr, "redial-churn: {}\n", e.what());
    return harness_failed;
  }
}
