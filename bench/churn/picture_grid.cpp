// SPDX-License-Identifier: Apache-2.0
#include "churn/outcomes.hpp"
#include "churn/picture.hpp"
#include "churn/svg.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace redial::churn {

namespace {

constexpr double least_width = 960;
constexpr double least_room = 84;  // for `12345 failed`
constexpr double margin = 16;
constexpr double names = 178;
constexpr double row_height = 36;
constexpr double line_height = 14;

// As many words per line as fit.
std::vector<std::string> wrapped(const std::string& text, double room) {
  std::istringstream words(text);
  std::vector<std::string> lines;
  for (std::string word; words >> word;) {
    if (!lines.empty() && svg::width_of(lines.back() + " " + word, 12) <= room) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

const char* css_of(grade g) {
  switch (g) {
    case grade::good:
      return "cell-good";
    case grade::fair:
      return "cell-fair";
    case grade::bad:
      return "cell-bad";
    case grade::missing:
      return "cell-missing";
  }
  return "";
}

void draw_cell(svg::drawing& d, const outcome& o, double x, double y, double room) {
  const auto g = grade_of(o);
  d.rect(x, y, room, row_height - 3, css_of(g), 3);
  const auto middle = x + room / 2;
  if (g == grade::missing) {
    d.text(middle, y + 20, "absent", "soft small", "middle");
    return;
  }
  const auto failed = failed_in(o);
  d.text(middle,
         y + 14,
         fmt::format("{:.0f} failed", failed.high),
         g == grade::bad ? "ink small strong" : "ink small",
         "middle");
  const auto stale = stale_in(o).high;
  d.text(middle,
         y + 28,
         stale > 0 ? fmt::format("old: {:.1f} s", stale) : "old: never",
         "soft small",
         "middle");
}

std::size_t draw_heads(svg::drawing& d, const grid& g, double room, double y) {
  std::vector<std::vector<std::string>> titles;
  std::size_t most = 0;
  for (const auto& c : g.contestants) {
    titles.push_back(wrapped(c.title, room));
    most = std::max(most, titles.back().size());
  }
  for (std::size_t c = 0; c < titles.size(); ++c) {
    const auto middle = names + margin + (static_cast<double>(c) + 0.5) * room;
    for (std::size_t i = 0; i < titles[c].size(); ++i) {
      const auto line = static_cast<double>(most - titles[c].size() + i);
      d.text(middle, y + line * line_height, titles[c][i], "ink small strong", "middle");
    }
  }
  return most;
}

}  // namespace

std::string grid_picture(const suite_record& suite) {
  const auto g = grid_of(suite);
  svg::drawing d;
  d.text(margin, 34, "What happens to requests when DNS changes", "ink title");
  d.text(margin,
         56,
         "Failed requests, and seconds until the last request on an address that had left DNS; of "
         "several runs the worst.",
         "soft");
  const auto columns = static_cast<double>(std::max<std::size_t>(1, g.contestants.size()));
  const auto width = std::max(least_width, names + 2 * margin + columns * least_room);
  const auto room = (width - names - 2 * margin) / columns;
  double y = 86;
  y += static_cast<double>(draw_heads(d, g, room, y)) * line_height - 4;
  for (std::size_t s = 0; s < g.scenarios.size(); ++s) {
    d.text(margin, y + 20, g.scenarios[s].id, "ink small strong");
    for (std::size_t c = 0; c < g.contestants.size(); ++c) {
      const auto left = names + margin + static_cast<double>(c) * room;
      draw_cell(d, g.cells[s][c], left + 1.5, y, room - 3);
    }
    y += row_height;
  }
  return svg::picture(width, y + 14, "Failed requests by scenario and client", d.body());
}

}  // namespace redial::churn
