// SPDX-License-Identifier: Apache-2.0
#include "churn/compare.hpp"

#include "churn/report_run.hpp"
#include "churn/svg.hpp"

#include <fmt/core.h>

#include <cmath>
#include <map>
#include <utility>

namespace redial::churn {

namespace {

using key = std::pair<std::string, std::string>;  // scenario, contestant

std::map<key, const outcome*> by_key(const grid& g) {
  std::map<key, const outcome*> all;
  for (std::size_t s = 0; s < g.scenarios.size(); ++s) {
    for (std::size_t c = 0; c < g.contestants.size(); ++c) {
      if (!g.cells[s][c].rounds.empty())
        all[{g.scenarios[s].id, g.contestants[c].id}] = &g.cells[s][c];
    }
  }
  return all;
}

range range_over(const outcome& o, const measure& m) {
  std::vector<double> values;
  for (const auto& s : o.rounds) values.push_back(m.of(s));
  return range_of(std::move(values));
}

std::vector<compared> figures_of(const outcome& before, const outcome& now) {
  std::vector<compared> all;
  for (const auto& m : measures()) {
    compared c{m.title, range_over(before, m), range_over(now, m), change::none};
    if (std::isnan(c.before.median) || std::isnan(c.now.median)) continue;
    // Of the number of requests neither is the better one.
    if (m.column != "requests") {
      if (c.now.high < c.before.low) c.verdict = change::better;
      if (c.now.low > c.before.high) c.verdict = change::worse;
    }
    all.push_back(std::move(c));
  }
  return all;
}

void add_rows(comparison& out,
              const grid& g,
              const std::map<key, const outcome*>& before,
              const std::map<key, const outcome*>& now,
              bool only_old) {
  for (const auto& s : g.scenarios) {
    for (const auto& c : g.contestants) {
      const auto a = before.find({s.id, c.id});
      const auto b = now.find({s.id, c.id});
      if (only_old ? a == before.end() || b != now.end() : b == now.end()) continue;
      comparison::row row{s.id, c.title, 0, 0, {}};
      if (a != before.end()) row.runs_before = a->second->rounds.size();
      if (b != now.end()) row.runs_now = b->second->rounds.size();
      if (row.runs_before != 0 && row.runs_now != 0)
        row.figures = figures_of(*a->second, *b->second);
      out.rows.push_back(std::move(row));
    }
  }
}

bool equal(const compared& c) {
  return c.before.median == c.now.median && c.before.low == c.now.low &&
         c.before.high == c.now.high;
}

const char* word(change v) {
  switch (v) {
    case change::none:
      return "";
    case change::better:
      return "better";
    case change::worse:
      return "WORSE";
  }
  return "";
}

std::string runs_text(const comparison::row& r) {
  if (r.runs_before == 0) return "only in the new results";
  if (r.runs_now == 0) return "only in the old results";
  return fmt::format("runs {} -> {}", r.runs_before, r.runs_now);
}

}  // namespace

comparison compare(const suite_record& old_suite, const suite_record& new_suite) {
  const auto old_grid = grid_of(old_suite);
  const auto new_grid = grid_of(new_suite);
  const auto before = by_key(old_grid);
  const auto now = by_key(new_grid);
  comparison out;
  add_rows(out, new_grid, before, now, false);
  add_rows(out, old_grid, before, now, true);
  return out;
}

std::string text_of(const comparison& c) {
  std::string text;
  for (const auto& r : c.rows) {
    text += fmt::format("{}, {} ({})\n", r.scenario, r.contestant, runs_text(r));
    for (const auto& f : r.figures) {
      if (equal(f)) continue;
      text += fmt::format("  {:<46} {:>24} -> {:<24} {}\n",
                          f.figure,
                          text_of(f.before),
                          text_of(f.now),
                          word(f.verdict));
    }
  }
  return text;
}

std::string html_of(const comparison& c) {
  std::string html =
      "<h2>Compared with earlier results</h2>\n<p>Medians, with least and greatest where a "
      "scenario was played several times. Better and worse: every new run lies on one side of "
      "every old one. Figures that are equal are left out.</p>\n<div class=\"wide\"><table>\n"
      "<tr><th>Scenario</th><th>Client</th><th>Figure</th><th class=\"n\">Before</th>"
      "<th class=\"n\">Now</th><th></th></tr>\n";
  for (const auto& r : c.rows) {
    const auto start = "<tr>" + html_cell(r.scenario, "") + html_cell(r.contestant, "");
    if (r.figures.empty()) {
      html += start + html_cell(runs_text(r), "") + "<td></td><td></td><td></td></tr>\n";
    }
    for (const auto& f : r.figures) {
      if (equal(f)) continue;
      const auto* css = f.verdict == change::better  ? "good-cell"
                        : f.verdict == change::worse ? "bad-cell"
                                                     : "";
      html += start + html_cell(f.figure, "") + html_cell(text_of(f.before), "n") +
              html_cell(text_of(f.now), "n") + html_cell(word(f.verdict), css) + "</tr>\n";
    }
  }
  return html + "</table></div>\n";
}

}  // namespace redial::churn
