// SPDX-License-Identifier: Apache-2.0
#include "churn/commands.hpp"
#include "churn/outputs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace redial::churn {

namespace {

struct report_options {
  std::string results;
  outputs out;
};

int redraw(const report_options& o) {
  const auto suite = read_results(o.results);
  write_outputs(suite, o.out);
  // Of the demo; a table of all figures of many clients would be too wide.
  if (suite.runs.size() == 1 && suite.runs[0].contestants.size() <= 3)
    return conclude(suite.runs[0], o.out);
  return conclude(suite);
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
