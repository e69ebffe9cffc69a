// SPDX-License-Identifier: Apache-2.0
#include "churn/suite.hpp"

#include "churn/facts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <stdexcept>

namespace redial::churn {

namespace {

// Why most of a client's failed requests failed.
std::string usual_error(const contestant_record& c) {
  std::map<std::string, std::size_t> times;
  for (const auto& r : c.requests) {
    if (!r.ok) ++times[r.error];
  }
  const auto most = std::max_element(
      times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == times.end() ? "" : most->first;
}

void print_remarks(const run_record& run) {
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) fmt::print("  without {}: {}\n", c.title, c.absent);
    const auto why = usual_error(c);
    if (!why.empty()) fmt::print("  {} failed, most often: {}\n", c.title, why);
  }
}

}  // namespace

std::vector<scenario> scenarios_named(const std::vector<std::string>& names, bool quick) {
  const auto all = all_scenarios(quick);
  const auto is_asked = [&](const std::string& name) {
    return std::any_of(
        names.begin(), names.end(), [&](const auto& n) { return n == name || n == "all"; });
  };
  std::vector<scenario> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const scenario& s) {
    return is_asked(s.name);
  });
  for (const auto& name : names) {
    const auto known = [&](const scenario& s) { return s.name == name || name == "all"; };
    if (std::none_of(all.begin(), all.end(), known)) {
      throw std::invalid_argument("no scenario '" + name + "'; `redial-churn list` names them");
    }
  }
  return found;
}

suite_record run_suite(const std::vector<scenario>& scenarios,
                       const std::vector<entrant>& entrants,
                       const run_options& options,
                       const std::string& command) {
  suite_record suite;
  suite.command = command;
  std::string left_out;
  for (const auto& s : scenarios) {
    if (const auto why = why_not_played(s, options.means); !why.empty()) {
      left_out += fmt::format("  {} was left out: {}\n", s.name, why);
      continue;
    }
    fmt::print("{}: {}.\n", s.name, s.title);
    std::fflush(stdout);
    auto result = run(s, entrants, options);
    result.settings.facts = facts_of_this_machine(command);
    print_remarks(result);
    fmt::print("\n");
    suite.runs.push_back(std::move(result));
  }
  // At the end, where it is seen beside the table.
  if (!left_out.empty()) fmt::print("{}\n", left_out);
  return suite;
}

}  // namespace redial::churn
