// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/outputs.hpp"
#include "churn/results.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <memory>
#include <stdexcept>

namespace redial::churn {

namespace {

struct report_options {
  std::string results;
  outputs out;
};

int redraw(const report_options& o) {
  std::ifstream in(o.results);
  if (!in) throw std::runtime_error("cannot read " + o.results);
  const auto result = run_from_json(nlohmann::json::parse(in));
  write_outputs(result, o.out);
  return conclude(result, o.out);
}

}  // namespace

void add_report(CLI::App& app, invocation& self) {
  auto& report = *app.add_subcommand("report", "Draws the report of earlier results again");
  const auto o = std::make_shared<report_options>();
  report.add_option("results", o->results, "What --json wrote")->required();
  add_outputs(report, o->out);
  report.callback([o, &self] { self.status = redraw(*o); });
}

}  // namespace redial::churn
