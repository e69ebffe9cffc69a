// SPDX-License-Identifier: Apache-2.0
#include "support/figures_page.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace redial::bench {

namespace {

using nlohmann::json;

constexpr std::string_view section_end = "<!-- end -->\n";

std::string section_begin(std::string_view name) {
  return fmt::format("<!-- figures: {} -->\n", name);
}

// The demand as `write_json` wrote it.
void read_demand(std::string_view text, figure& f) {
  while (text.size() > 3) {
    const auto comma = std::min(text.find(", "), text.size());
    const double limit = std::stod(std::string(text.substr(3, comma - 3)));
    (text.substr(0, 2) == ">=" ? f.at_least : f.at_most) = limit;
    text.remove_prefix(std::min(comma + 2, text.size()));
  }
}

figure figure_from(const json& j) {
  figure f;
  f.name = j.at("name").get<std::string>();
  f.what = j.at("what").get<std::string>();
  f.unit = j.at("unit").get<std::string>();
  f.value = j.at("value").get<double>();
  f.low = j.at("low").get<double>();
  f.high = j.at("high").get<double>();
  f.rounds = j.at("rounds").get<std::size_t>();
  if (j.contains("must")) read_demand(j.at("must").get<std::string>(), f);
  return f;
}

// Replaces one section. False: `page` has none of that name.
bool replace(std::string& page, std::string_view name, const std::string& text) {
  const auto begin = section_begin(name);
  const auto at = page.find(begin);
  if (at == page.npos) return false;
  const auto from = at + begin.size();
  const auto to = page.find(section_end, from);
  if (to == page.npos) {
    throw std::invalid_argument(fmt::format("the section '{}' of the page has no end", name));
  }
  page.replace(from, to - from, text);
  return true;
}

// Where the figures were written to is nobody's concern but who measured them.
std::string without_output(std::string command) {
  const auto at = command.find(" --json ");
  if (at == command.npos) return command;
  return command.erase(at, std::min(command.find(' ', at + 8), command.size()) - at);
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
  return text;
}

}  // namespace

figure_file read_json(const std::string& path) {
  try {
    std::ifstream in(path);
    const auto j = json::parse(in);
    figure_file file;
    file.program = j.at("program").get<std::string>();
    file.command = j.at("command").get<std::string>();
    for (const auto& f : j.at("figures")) file.figures.push_back(figure_from(f));
    return file;
  } catch (const std::exception& e) {
    throw std::runtime_error(fmt::format("{}: no file of figures: {}", path, e.what()));
  }
}

std::string markdown(const figure_file& measured) {
  auto text = fmt::format("`{}`\n\n", without_output(measured.command));
  text += "| | figure | median | spread | rounds | must | |\n|---|---|---:|---|---:|---|---|\n";
  for (const auto& f : measured.figures) {
    text += fmt::format("| {} | {} | {} {} | {} .. {} | {} | {} | {} |\n",
                        cell(f.name),
                        cell(f.what),
                        number_text(f.value),
                        f.unit == "ratio" ? "" : f.unit,
                        number_text(f.low),
                        number_text(f.high),
                        f.rounds,
                        f.demand(),
                        !f.has_demand() ? ""
                        : f.met()       ? "met"
                                        : "**missed**");
  }
  return text;
}

std::string with_figures(std::string_view page,
                         const std::vector<figure_file>& measured,
                         const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string out(page);
  std::string machine;
  for (const auto& [name, value] : facts) machine += fmt::format("- {}: {}\n", name, value);
  (void)replace(out, "machine", machine);
  std::map<std::string, std::string> sections;  // a program may have been run in parts
  for (const auto& file : measured) {
    auto& text = sections[file.program];
    text += (text.empty() ? "" : "\n") + markdown(file);
  }
  for (const auto& [program, text] : sections) {
    if (!replace(out, program, text)) {
      throw std::invalid_argument(fmt::format("the page has no section '{}'", program));
    }
  }
  return out;
}

}  // namespace redial::bench
