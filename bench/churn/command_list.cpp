// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/entrants.hpp"
#include "churn/record.hpp"
#include "churn/scenario.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace redial::churn {

namespace {

void list() {
  fmt::print("Scenarios (seconds in full, with --quick):\n");
  const auto full = all_scenarios(false);
  const auto quick = all_scenarios(true);
  for (std::size_t i = 0; i < full.size(); ++i) {
    fmt::print("  {:<23}{:>4.0f}{:>6.1f}  {}\n",
               full[i].name,
               seconds(full[i].length),
               seconds(quick[i].length),
               full[i].title);
  }
  fmt::print("Contestants:\n");
  for (const auto& e : all_entrants()) fmt::print("  {:<12}{}\n", e.id, e.title);
}

}  // namespace

void add_list(CLI::App& app, invocation&) {
  app.add_subcommand("list", "Scenarios and contestants")->callback(list);
}

}  // namespace redial::churn
