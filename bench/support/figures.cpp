// SPDX-License-Identifier: Apache-2.0
#include "support/figures.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace redial::bench {

namespace {

double median(const std::vector<double>& sorted) {
  const auto middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

}  // namespace

std::string number_text(double value) {
  return std::abs(value) < 100 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
}

bool figure::has_demand() const noexcept {
  return std::isfinite(at_least) || std::isfinite(at_most);
}

std::string figure::demand() const {
  std::string text;
  if (std::isfinite(at_least)) text += ">= " + number_text(at_least);
  if (std::isfinite(at_most)) text += (text.empty() ? "<= " : ", <= ") + number_text(at_most);
  return text;
}

figure figure_of(std::string name, std::string what, std::string unit, std::vector<double> rounds) {
  if (rounds.empty()) throw std::invalid_argument("figure " + name + ": no round was measured");
  std::sort(rounds.begin(), rounds.end());
  figure f;
  f.name = std::move(name);
  f.what = std::move(what);
  f.unit = std::move(unit);
  f.value = median(rounds);
  f.low = rounds.front();
  f.high = rounds.back();
  f.rounds = rounds.size();
  return f;
}

figure at_least(double limit, figure f) {
  f.at_least = limit;
  return f;
}

figure at_most(double limit, figure f) {
  f.at_most = limit;
  return f;
}

std::string table(const std::vector<figure>& figures) {
  const auto title = [](const figure& f) { return f.name + ": " + f.what; };
  std::size_t width = 52;
  for (const auto& f : figures) width = std::max(width, title(f).size());
  std::string text;
  for (const auto& f : figures) {
    text += fmt::format("{:<{}} {:>8} {:<9} ({} .. {}, {} rounds)  {}\n",
                        title(f),
                        width,
                        number_text(f.value),
                        f.unit,
                        number_text(f.low),
                        number_text(f.high),
                        f.rounds,
                        !f.has_demand() ? "" : f.demand() + (f.met() ? "  met" : "  MISSED"));
  }
  return text;
}

void write_json(const std::string& path,
                const std::string& program,
                const std::string& command,
                const std::vector<figure>& figures) {
  nlohmann::ordered_json out{{"program", program}, {"command", command}};
  auto& list = out["figures"] = nlohmann::ordered_json::array();
  for (const auto& f : figures) {
    nlohmann::ordered_json j{{"name", f.name},
                             {"what", f.what},
                             {"unit", f.unit},
                             {"value", f.value},
                             {"low", f.low},
                             {"high", f.high},
                             {"rounds", f.rounds}};
    if (f.has_demand()) {
      j["must"] = f.demand();
      j["met"] = f.met();
    }
    list.push_back(std::move(j));
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << out.dump(1) << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace redial::bench
