// SPDX-License-Identifier: Apache-2.0
#include "churn/report.hpp"

#include "churn/compare.hpp"
#include "churn/outcomes.hpp"
#include "churn/report_run.hpp"
#include "churn/results.hpp"
#include "churn/svg.hpp"

#include <fmt/core.h>

#include <map>

namespace redial::churn {

namespace {

constexpr const char* page_style =
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
    "max-width:1100px;margin:2rem auto;padding:0 1rem;background:#fff;color:#1f2328}"
    "h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.2rem;margin-top:2.2rem}"
    "h3{font-size:1.02rem;margin-top:1.8rem}summary{font-size:1.1rem;cursor:pointer}"
    "details{border-top:1px solid #d0d7de;padding:.7rem 0}"
    "svg{width:100%;height:auto;display:block}p{max-width:48rem}.wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}"
    "td,th{padding:.25rem .9rem .25rem 0;border-bottom:1px solid #d0d7de;text-align:left;"
    "vertical-align:top}a{color:inherit}"
    ".n{text-align:right}.bad-cell{color:#c4162a;font-weight:600}"
    ".good-cell{color:#1a7f37;font-weight:600}"
    ".grid td,.grid th{padding:.3rem .5rem;border:1px solid #d0d7de;font-size:.8rem;"
    "line-height:1.35}.grid .good{background:#dafbe1}.grid .fair{background:#fff1b8}"
    ".grid .bad{background:#ffdcd8}.grid .missing{color:#59636e}"
    "@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}"
    "td,th,.grid td,.grid th,details{border-color:#30363d}"
    ".bad-cell{color:#ff6b60}.good-cell{color:#3fb950}.grid .good{background:#12361f}"
    ".grid .fair{background:#4a3a06}.grid .bad{background:#56191c}"
    ".grid .missing{color:#9198a1}}";

const char* css_of(grade g) {
  switch (g) {
    case grade::good:
      return "good";
    case grade::fair:
      return "fair";
    case grade::bad:
      return "bad";
    case grade::missing:
      return "missing";
  }
  return "";
}

std::string grid_cell(const outcome& o) {
  const auto g = grade_of(o);
  if (g == grade::missing) {
    const auto why = o.absent.empty() ? std::string("not asked") : "absent: " + o.absent;
    return html_cell(why, css_of(g));
  }
  return fmt::format("<td class=\"{0}\">{1}{2}{3}<br/>{4}</td>",
                     css_of(g),
                     g == grade::bad ? "<b>" : "",
                     svg::escape(failed_text(o)),
                     g == grade::bad ? "</b>" : "",
                     svg::escape(stale_text(o)));
}

std::string grid_table(const suite_record& suite) {
  const auto g = grid_of(suite);
  std::string html =
      "<p>Of each client's requests: how many failed, and until how long after an address had left "
      "DNS a request still arrived there, by the backends' own logs. Green: nothing failed and no "
      "address was used for longer than redial allows itself. Yellow: nothing failed. Red: "
      "requests failed.</p>\n<div class=\"wide\"><table class=\"grid\">\n<tr><th>Scenario</th>";
  for (const auto& c : g.contestants) html += fmt::format("<th>{}</th>", svg::escape(c.title));
  html += "</tr>\n";
  for (std::size_t s = 0; s < g.scenarios.size(); ++s) {
    const auto& head = g.scenarios[s];
    html += fmt::format("<tr><td><a href=\"#s{}\"><b>{}</b></a><br/>{}</td>",
                        s + 1,
                        svg::escape(head.id),
                        svg::escape(head.title));
    for (const auto& cell : g.cells[s]) html += grid_cell(cell);
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

// A run's own headline: what became of whom.
std::string headline(const run_record& run) {
  std::string title;
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) continue;
    if (!title.empty()) title += " \u2014 ";
    const auto s = summarize(run, c);
    title += fmt::format("{}: {} of {} requests failed", c.title, s.failed, s.requests);
  }
  return title;
}

std::string headline(const suite_record& suite) {
  if (suite.runs.size() == 1) return headline(suite.runs[0]);
  const auto g = grid_of(suite);
  return fmt::format("What happens to requests when DNS changes: {} scenarios, {} clients",
                     g.scenarios.size(),
                     g.contestants.size());
}

std::string sections(const suite_record& suite) {
  std::string html;
  std::map<std::string, std::size_t> places;  // of scenarios, as in the grid
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < suite.runs.size(); ++i) {
    const auto& s = suite.runs[i].settings;
    const auto place = places.emplace(s.scenario, places.size() + 1).first->second;
    const auto number = ++counts[s.scenario];
    html += fmt::format("<details{}{}>\n<summary><b>{}</b>{} {}</summary>\n",
                        number == 1 ? fmt::format(" id=\"s{}\"", place) : "",
                        i == 0 ? " open=\"open\"" : "",
                        svg::escape(s.scenario),
                        number == 1 ? "" : fmt::format(", run {}", number),
                        svg::escape(s.title));
    html += html_of(suite.runs[i]) + "</details>\n";
  }
  return html;
}

std::string origin(const suite_record& suite) {
  std::string html = "<h2>How this was made</h2>\n<div class=\"wide\"><table>\n";
  const auto row = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) html += "<tr>" + html_cell(name, "") + html_cell(value, "") + "</tr>\n";
  };
  row("Command", suite.command);
  if (!suite.runs.empty()) {
    const auto& s = suite.runs[0].settings;
    for (const auto& [name, value] : s.facts) {
      if (name != "Command" || suite.command.empty()) row(name, value);
    }
    row("Seed", std::to_string(s.seed));
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string html_report(const suite_record& suite, const suite_record* old) {
  auto html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n"
      "<title>{0}</title>\n<style>{1}{2}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
      svg::escape(headline(suite)),
      page_style,
      svg::style());
  html += grid_table(suite);
  if (old != nullptr) html += html_of(compare(*old, suite));
  html += "<h2>Runs</h2>\n" + sections(suite) + origin(suite);
  return html + "</body>\n</html>\n";
}

std::string html_report(const run_record& run) { return html_report(suite_record{"", {run}}); }

}  // namespace redial::churn
