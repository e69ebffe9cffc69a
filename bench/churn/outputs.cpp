// SPDX-License-Identifier: Apache-2.0
#include "churn/outputs.hpp"

#include "churn/commands.hpp"
#include "churn/compare.hpp"
#include "churn/csv.hpp"
#include "churn/outcomes.hpp"
#include "churn/percentiles.hpp"
#include "churn/picture.hpp"
#include "churn/report.hpp"
#include "churn/results.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>

namespace redial::churn {

void add_outputs(CLI::App& command, outputs& o) {
  command.add_option("--report", o.report, "Write the report (one HTML file) here");
  command.add_option("--picture", o.picture, "Write the lead picture (SVG) here");
  command.add_option("--json", o.json, "Write the raw results here");
  command.add_option("--grid", o.grid_picture, "Write the table of all as a picture (SVG) here");
  command.add_option("--csv", o.csv, "Write every figure of every run here");
  command.add_option("--series", o.series, "Write every second of every run here (CSV)");
  command.add_option(
      "--percentiles", o.percentiles, "Write HdrHistogram's tables into this directory");
  command.add_option("--compare", o.compare, "Earlier results (of --json) to compare with")
      ->check(CLI::ExistingFile);
}

void write_file(const std::string& path, const std::string& text) {
  const auto directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

namespace {

// One file per run and contestant: plotters read one distribution per file.
void write_percentiles(const suite_record& suite, const std::string& directory) {
  std::map<std::string, int> counts;
  for (const auto& run : suite.runs) {
    const auto number = ++counts[run.settings.scenario];
    for (const auto& c : run.contestants) {
      if (!c.absent.empty()) continue;
      auto name = fmt::format("{}.{}.{}.hgrm", run.settings.scenario, number, c.id);
      std::replace(name.begin(), name.end(), ' ', '_');
      std::replace(name.begin(), name.end(), '/', '_');
      write_file(directory + "/" + name, percentiles(summarize(run, c).latency));
    }
  }
}

}  // namespace

void write_outputs(const suite_record& suite, const outputs& o) {
  std::optional<suite_record> old;
  if (!o.compare.empty()) {
    old = read_results(o.compare);
    fmt::print("\nCompared with {}:\n{}", o.compare, text_of(compare(*old, suite)));
  }
  if (!o.json.empty()) write_file(o.json, to_json(suite).dump() + "\n");
  if (!o.csv.empty()) write_file(o.csv, to_csv(suite));
  if (!o.series.empty()) write_file(o.series, series_csv(suite));
  if (!o.percentiles.empty()) write_percentiles(suite, o.percentiles);
  if (!o.report.empty()) write_file(o.report, html_report(suite, old ? &*old : nullptr));
  if (!o.grid_picture.empty()) write_file(o.grid_picture, grid_picture(suite));
  if (!o.picture.empty()) write_file(o.picture, lead_picture(suite));
}

void write_outputs(const run_record& run, const outputs& o) {
  write_outputs(suite_record{"", {run}}, o);
}

suite_record read_results(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  return suite_from_json(nlohmann::json::parse(in));
}

int conclude(const run_record& run, const outputs& o) {
  fmt::print("\n{}\n", table(run));
  for (const auto& c : run.contestants) fmt::print("{}: {}.\n", c.title, verdict(run, c));
  if (!o.report.empty()) fmt::print("Report: {}\n", o.report);
  const auto broken = broken_promises(run);
  for (const auto& text : broken) fmt::print(stderr, "NOT AS PROMISED: {}\n", text);
  return broken.empty() ? 0 : promise_broken;
}

int conclude(const suite_record& suite) {
  if (suite.runs.empty()) return nothing_played;
  fmt::print("{}", table(suite));
  int status = 0;
  for (const auto& r : suite.runs) {
    for (const auto& text : broken_promises(r)) {
      fmt::print(stderr, "NOT AS PROMISED in {}: {}\n", r.settings.scenario, text);
      status = promise_broken;
    }
  }
  return status;
}

}  // namespace redial::churn
