// SPDX-License-Identifier: Apache-2.0
#include "churn/outputs.hpp"

#include "churn/commands.hpp"
#include "churn/lanes.hpp"
#include "churn/report.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace redial::churn {

void add_outputs(CLI::App& command, outputs& o) {
  command.add_option("--report", o.report, "Write the report (one HTML file) here");
  command.add_option("--picture", o.picture, "Write the lead picture (SVG) here");
  command.add_option("--json", o.json, "Write the raw results here");
}

void write_file(const std::string& path, const std::string& text) {
  const auto directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

void write_outputs(const run_record& run, const outputs& o) {
  if (!o.report.empty()) write_file(o.report, html_report(run));
  if (!o.picture.empty()) write_file(o.picture, lead_picture(run));
  if (!o.json.empty()) write_file(o.json, to_json(run).dump() + "\n");
}

int conclude(const run_record& run, const outputs& o) {
  fmt::print("\n{}\n", table(run));
  for (const auto& c : run.contestants) fmt::print("{}: {}.\n", c.title, verdict(run, c));
  if (!o.report.empty()) fmt::print("Report: {}\n", o.report);
  const auto broken = broken_promises(run);
  for (const auto& text : broken) fmt::print(stderr, "NOT AS PROMISED: {}\n", text);
  return broken.empty() ? 0 : promise_broken;
}

}  // namespace redial::churn
