// SPDX-License-Identifier: Apache-2.0
#include "churn/outcomes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

namespace redial::churn {

namespace {

template <int Tenths>
double latency_ms(const summary& s) {
  return seconds(s.latency.percentile(Tenths / 10.0)) * 1000;
}

std::string number(double v) {
  if (v == std::floor(v) && std::abs(v) < 1e9) return fmt::format("{:.0f}", v);
  return std::abs(v) < 100 ? fmt::format("{:.1f}", v) : fmt::format("{:.0f}", v);
}

range range_over(const outcome& o, double (*of)(const summary&)) {
  std::vector<double> values;
  for (const auto& s : o.rounds) values.push_back(of(s));
  return range_of(std::move(values));
}

double failed_of(const summary& s) { return static_cast<double>(s.failed); }
double stale_seconds(const summary& s) { return seconds(s.stale.last); }

std::size_t place(std::vector<grid::head>& heads, const std::string& id, const std::string& title) {
  const auto at =
      std::find_if(heads.begin(), heads.end(), [&](const grid::head& h) { return h.id == id; });
  if (at != heads.end()) return static_cast<std::size_t>(at - heads.begin());
  heads.push_back({id, title});
  return heads.size() - 1;
}

std::size_t strays_in(const outcome& o) {
  std::size_t strays = 0;
  for (const auto& s : o.rounds) strays += s.stale.strays;
  return strays;
}

std::string short_cell(const outcome& o) {
  if (o.rounds.empty()) return "-";
  const auto stale = stale_in(o).median;
  auto text =
      number(failed_in(o).median) + (stale > 0 ? fmt::format(" / {:.1f}", stale) : " / none");
  const auto strays = strays_in(o);
  return strays == 0 ? text : fmt::format("{} ({})", text, strays);
}

// Every reason once, with whom it kept out and where.
std::string absences(const grid& g) {
  std::map<std::string, std::map<std::string, std::size_t>> reasons;  // contestant, why, how often
  for (std::size_t c = 0; c < g.contestants.size(); ++c) {
    for (const auto& row : g.cells) {
      if (!row[c].absent.empty()) ++reasons[g.contestants[c].title][row[c].absent];
    }
  }
  std::string text;
  for (const auto& [who, list] : reasons) {
    for (const auto& [why, count] : list)
      text +=
          fmt::format("  {} did not take part in {} of {}: {}\n", who, count, g.cells.size(), why);
  }
  return text;
}

}  // namespace

const std::vector<measure>& measures() {
  static const std::vector<measure> all = {
      {"requests", "requests", [](const summary& s) { return static_cast<double>(s.requests); }},
      {"failed", "failed requests", failed_of},
      {"retried",
       "answered by a later attempt",
       [](const summary& s) { return static_cast<double>(s.retried); }},
      {"stale_seconds", "last use of an address that left DNS, s after", stale_seconds},
      {"stale_requests",
       "requests on addresses that left DNS",
       [](const summary& s) { return static_cast<double>(s.stale.requests); }},
      {"late_requests",
       "of those, later than allowed",
       [](const summary& s) { return static_cast<double>(s.stale.late); }},
      {"stray_requests",
       "requests to servers that DNS did not name",
       [](const summary& s) { return static_cast<double>(s.stale.strays); }},
      {"connections",
       "connections opened",
       [](const summary& s) { return static_cast<double>(s.connections); }},
      {"dns_queries",
       "DNS queries",
       [](const summary& s) {
         return s.dns_queries == not_counted ? std::nan("") : static_cast<double>(s.dns_queries);
       }},
      {"latency_p50_ms", "latency p50, ms", latency_ms<500>},
      {"latency_p90_ms", "latency p90, ms", latency_ms<900>},
      {"latency_p99_ms", "latency p99, ms", latency_ms<990>},
      {"latency_p999_ms", "latency p99.9, ms", latency_ms<999>},
      {"latency_max_ms", "latency max, ms", latency_ms<1000>},
      {"generator_late_p999_ms",
       "load generator late, p99.9, ms",
       [](const summary& s) { return seconds(s.lateness.percentile(99.9)) * 1000; }},
  };
  return all;
}

range range_of(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("a range of nothing");
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  const auto median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

std::string text_of(const range& r) {
  if (r.low == r.high) return number(r.median);
  return fmt::format("{} ({} to {})", number(r.median), number(r.low), number(r.high));
}

grade grade_of(const outcome& o) {
  if (o.rounds.empty()) return grade::missing;
  bool late = false;
  for (const auto& s : o.rounds) {
    if (s.failed != 0) return grade::bad;
    late = late || s.stale.late != 0 || s.stale.strays != 0;
  }
  return late && o.complete_answers ? grade::fair : grade::good;
}

range failed_in(const outcome& o) { return range_over(o, failed_of); }
range stale_in(const outcome& o) { return range_over(o, stale_seconds); }

std::string failed_text(const outcome& o) {
  if (o.rounds.empty()) return "";
  return text_of(failed_in(o)) + " failed";
}

std::string stale_text(const outcome& o) {
  if (o.rounds.empty()) return "";
  const auto r = stale_in(o);
  if (r.high == 0) return "no old address";
  if (o.rounds.size() == 1) return fmt::format("old address {:.1f} s", r.median);
  return fmt::format("old address {:.1f} ({:.1f} to {:.1f}) s", r.median, r.low, r.high);
}

grid grid_of(const suite_record& suite) {
  grid g;
  for (const auto& run : suite.runs) {
    (void)place(g.scenarios, run.settings.scenario, run.settings.title);
    for (const auto& c : run.contestants) (void)place(g.contestants, c.id, c.title);
  }
  g.cells.assign(g.scenarios.size(), std::vector<outcome>(g.contestants.size()));
  for (const auto& run : suite.runs) {
    auto& row = g.cells[place(g.scenarios, run.settings.scenario, "")];
    for (const auto& c : run.contestants) {
      auto& cell = row[place(g.contestants, c.id, "")];
      cell.complete_answers = run.settings.complete_answers;
      if (c.absent.empty()) {
        cell.rounds.push_back(summarize(run, c));
      } else {
        cell.absent = c.absent;
      }
    }
  }
  for (auto& row : g.cells) {
    for (auto& cell : row) {
      if (!cell.rounds.empty()) cell.absent.clear();
    }
  }
  return g;
}

std::string table(const suite_record& suite) {
  const auto g = grid_of(suite);
  bool strays = false;
  std::size_t names = 8;
  std::vector<std::size_t> widths;
  for (const auto& c : g.contestants) widths.push_back(c.id.size());
  for (std::size_t s = 0; s < g.scenarios.size(); ++s) {
    names = std::max(names, g.scenarios[s].id.size());
    for (std::size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], short_cell(g.cells[s][c]).size());
      strays = strays || strays_in(g.cells[s][c]) != 0;
    }
  }
  auto text = std::string("Failed requests / seconds on an address that had left DNS");
  text += strays ? " (requests to servers that DNS did not name)\n" : "\n";
  text += fmt::format("  {:<{}}", "", names);
  for (std::size_t c = 0; c < widths.size(); ++c)
    text += fmt::format("  {:>{}}", g.contestants[c].id, widths[c]);
  text += "\n";
  for (std::size_t s = 0; s < g.scenarios.size(); ++s) {
    text += fmt::format("  {:<{}}", g.scenarios[s].id, names);
    for (std::size_t c = 0; c < widths.size(); ++c)
      text += fmt::format("  {:>{}}", short_cell(g.cells[s][c]), widths[c]);
    text += "\n";
  }
  return text + absences(g);
}

}  // namespace redial::churn
