// SPDX-License-Identifier: Apache-2.0
#include "churn/report.hpp"

#include "churn/charts.hpp"
#include "churn/lanes.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>

#include <functional>
#include <map>

namespace redial::churn {

namespace {

constexpr double width = 960;

constexpr const char* page_style =
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu "
    "Sans',sans-serif;max-width:1000px;"
    "margin:2rem auto;padding:0 1rem;background:#fff;color:#1f2328}"
    "h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.15rem;margin-top:2.2rem}"
    "svg{width:100%;height:auto;display:block}p{max-width:48rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.25rem .9rem .25rem 0;border-bottom:1px solid "
    "#d0d7de;text-align:left;vertical-align:top}"
    ".n{text-align:right}.bad-cell{color:#c4162a;font-weight:600}.good-cell{color:#1a7f37;font-"
    "weight:600}"
    "@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}"
    "td,th{border-color:#30363d}.bad-cell{color:#ff6b60}.good-cell{color:#3fb950}}";

// A drawing of its own under the labels of the run's events; `draw` returns the height it used.
std::string figure(const run_record& run,
                   const std::function<double(svg::drawing&, const time_axis&, double)>& draw) {
  svg::drawing labels;
  svg::drawing front;
  time_axis x;
  x.left = 60;
  x.right = width - 12;
  x.length = seconds(run.settings.length);
  const auto top = draw_event_labels(labels, run, x, 4);
  const auto bottom = top + draw(front, x, top + 4) + 4;
  draw_time_ticks(front, x, bottom);
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n{}{}</svg>\n",
                     svg::number(width),
                     svg::number(bottom + 24),
                     labels.body(),
                     front.body());
}

std::string cell(const std::string& text, const char* css) {
  return fmt::format("<td class=\"{}\">{}</td>", css, svg::escape(text));
}

std::string figures_table(const run_record& run) {
  std::string html = "<table>\n<tr><th></th>";
  for (const auto& c : run.contestants)
    html += fmt::format("<th class=\"n\">{}</th>", svg::escape(c.title));
  html += "</tr>\n";
  for (const auto& f : figures(run)) {
    html += fmt::format("<tr><td>{}</td>", svg::escape(f.title));
    for (const auto& v : f.values)
      html += cell(v, f.title != "failed" ? "n" : v == "0" ? "n good-cell" : "n bad-cell");
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string errors(const run_record& run) {
  std::string html;
  for (const auto& c : run.contestants) {
    std::map<std::string, std::size_t> counts;
    for (const auto& r : c.requests) {
      if (!r.ok) ++counts[r.error];
    }
    for (const auto& [text, n] : counts) {
      html +=
          "<tr>" + cell(c.title, "") + cell(std::to_string(n), "n") + cell(text, "") + "</tr>\n";
    }
  }
  if (html.empty()) return "";
  return "<h2>Why requests failed</h2>\n<table>\n" + html + "</table>\n";
}

std::string settings(const run_record& run) {
  const auto& s = run.settings;
  std::vector<std::pair<std::string, std::string>> rows = {
      {"Scenario", s.scenario},
      {"Load",
       fmt::format("{} requests/s from each client for {:.0f} s, open loop; at most {} in flight",
                   s.rate,
                   seconds(s.length),
                   s.in_flight_limit)},
      {"Deadline", fmt::format("{:.1f} s from the planned send time", seconds(s.deadline))},
      {"DNS",
       fmt::format(
           "TTL {:.0f} s; redial honours at most {:.0f} s", seconds(s.ttl), seconds(s.ttl_cap))},
      {"Allowed for redial",
       fmt::format("{:.0f} s on an address that left DNS", seconds(s.allowed_stale))},
      {"Seed", std::to_string(s.seed)},
  };
  rows.insert(rows.end(), s.facts.begin(), s.facts.end());
  std::string html = "<table>\n";
  for (const auto& [name, value] : rows)
    html += "<tr>" + cell(name, "") + cell(value, "") + "</tr>\n";
  return html + "</table>\n";
}

std::string timeline(const run_record& run) {
  std::string html = "<table>\n";
  for (const auto& e : run.events) {
    html +=
        "<tr>" + cell(fmt::format("{:.1f} s", seconds(e.at)), "n") + cell(e.text, "") + "</tr>\n";
  }
  return html + "</table>\n";
}

std::string lanes(const run_record& run) {
  return figure(run, [&](svg::drawing& d, const time_axis& x, double y) {
    double used = 0;
    for (const auto& c : run.contestants) used += draw_lanes(d, run, c, x, y + used) + 14;
    return used;
  });
}

std::string latencies(const run_record& run) {
  return figure(run, [&](svg::drawing& d, const time_axis& x, double y) {
    double used = 0;
    for (const auto& c : run.contestants) used += draw_latency(d, run, c, x, y + used);
    return used;
  });
}

std::string failures(const run_record& run) {
  return figure(run, [&](svg::drawing& d, const time_axis& x, double y) {
    return draw_failures_over_time(d, run, x, y);
  });
}

}  // namespace

std::string html_report(const run_record& run) {
  std::string title;
  for (const auto& c : run.contestants) {
    if (!title.empty()) title += " \u2014 ";
    const auto s = summarize(run, c);
    title += fmt::format("{}: {} of {} requests failed", c.title, s.failed, s.requests);
  }
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n";
  html += fmt::format("<title>{0}</title>\n<style>{1}{2}</style>\n<h1>{0}</h1>\n",
                      svg::escape(title),
                      page_style,
                      svg::style());
  html +=
      "<h2>Who served</h2>\n<p>A lane is one backend. Grey: the name had its address. Blue: "
      "requests that arrived, as the "
      "backend logged them. Amber: requests that arrived after the address had left DNS. Red: when "
      "failed requests were planned. "
      "A cross: the process was killed. A dashed mark: until here redial may use an address that "
      "left DNS.</p>\n";
  html += lanes(run) + figures_table(run);
  html +=
      "<h2>Failures over time</h2>\n<p>Failed requests per half second, by the time they were "
      "planned for.</p>\n" +
      failures(run);
  html +=
      "<h2>Latency over time</h2>\n<p>One dot per request, from its planned send time to its end; "
      "red ones failed.</p>\n" +
      latencies(run);
  html += errors(run) + "<h2>What happened</h2>\n" + timeline(run) + "<h2>Settings</h2>\n" +
          settings(run);
  return html + "</html>\n";
}

}  // namespace redial::churn
