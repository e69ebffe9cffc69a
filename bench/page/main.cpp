// SPDX-License-Identifier: Apache-2.0
// redial-figures PAGE FILE...: puts figures that the benchmark programs wrote into
// docs/performance.md.

#include "churn/facts.hpp"
#include "support/figures_page.hpp"

#include <fmt/core.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: redial-figures PAGE FILE...\n");
    return 2;
  }
  try {
    std::vector<redial::bench::figure_file> measured;
    for (int i = 2; i < argc; ++i) measured.push_back(redial::bench::read_json(argv[i]));
    const std::string page = argv[1];
    auto facts = redial::churn::facts_of_this_machine("");
    facts.erase(facts.begin());  // every table has a command of its own
    write_file(page, redial::bench::with_figures(read_file(page), measured, facts));
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-figures: {}\n", e.what());
    return 1;
  }
}
