// SPDX-License-Identifier: Apache-2.0
// redial-churn: what happens to requests when the addresses behind a name change.

#include "churn/backend.hpp"
#include "churn/contestant_beast.hpp"
#include "churn/contestant_redial.hpp"
#include "churn/facts.hpp"
#include "churn/lanes.hpp"
#include "churn/report.hpp"
#include "churn/results.hpp"
#include "churn/runner.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

using namespace redial::churn;

constexpr int promise_broken = 1;
constexpr int harness_failed = 2;
constexpr int interrupted_by_user = 130;

struct outputs {
  std::string report;
  std::string picture;
  std::string json;
};

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

int play_demo(bool quick,
              const run_options& options,
              const outputs& o,
              const std::string& command) {
  const auto s = demo_scenario(quick);
  fmt::print(
      "{}.\n{} requests/s from each of two clients for {:.0f} s; the service's name has TTL {:.0f} "
      "s.\n\n",
      s.title,
      options.rate,
      seconds(s.length),
      seconds(s.ttl));
  std::fflush(stdout);
  auto result = run(s,
                    {{"plain", "plain keep-alive client", nullptr, make_beast},
                     {"redial", "redial", nullptr, make_redial}},
                    options);
  result.settings.facts = facts_of_this_machine(command);
  write_outputs(result, o);
  return conclude(result, o);
}

int redraw(const std::string& path, const outputs& o) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  const auto result = run_from_json(nlohmann::json::parse(in));
  write_outputs(result, o);
  return conclude(result, o);
}

std::string joined(int argc, char** argv) {
  std::string text = "redial-churn";
  for (int i = 1; i < argc; ++i) text += std::string(" ") + argv[i];
  return text;
}

int run_program(int argc, char** argv) {
  CLI::App app("What happens to requests when the addresses behind a name change.");
  app.require_subcommand(1);
  outputs out;

  auto& demo =
      *app.add_subcommand("demo", "redial beside an ordinary keep-alive client, about 70 seconds");
  bool quick = false;
  run_options options;
  demo.add_flag(
      "--quick", quick, "The same events in 8 seconds, with a TTL cap of 1 s instead of 10 s");
  demo.add_option("--rate", options.rate, "Requests per second and client")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  demo.add_option("--seed", options.seed, "Of every random choice")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_outputs(demo, out);

  auto& report = *app.add_subcommand("report", "Draws the report of earlier results again");
  std::string results;
  report.add_option("results", results, "What --json wrote")->required();
  add_outputs(report, out);

  auto& backend = *app.add_subcommand("backend", "The service, as the other commands start it");
  backend_options service;
  backend.add_option("--listen", service.listen, "address:port")->required();
  backend.add_option("--name", service.name, "Body of its responses")->required();
  backend.add_option("--certificate", service.certificate, "PEM; speaks TLS");
  backend.add_option("--private-key", service.private_key, "PEM");
  backend.add_option("--grpc-port", service.grpc_port, "Speaks gRPC there, too");
  backend.add_flag("--stranger", service.stranger, "Is another service");
  backend.add_option("--control-fd", service.control_fd, "Socket with commands");
  backend.add_option("--log", service.log, "File that requests are appended to")->required();
  backend.add_option("--ready-fd", service.ready_fd, "Descriptor to tell when it listens");
  backend.add_option("--parent", service.parent, "Process to die with");

  CLI11_PARSE(app, argc, argv);
  if (backend.parsed()) return run_backend(service);
  if (report.parsed()) return redraw(results, out);
  return play_demo(quick, options, out, joined(argc, argv));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const interrupted&) {
    fmt::print(stderr, "\ninterrupted\n");
    return interrupted_by_user;
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-churn: {}\n", e.what());
    return harness_failed;
  }
}
