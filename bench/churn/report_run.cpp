// SPDX-License-Identifier: Apache-2.0
#include "churn/report_run.hpp"

#include "churn/charts.hpp"
#include "churn/lanes.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace redial::churn {

namespace {

constexpr double width = 960;

std::string picture(double height, const std::string& body) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n{}</svg>\n",
                     svg::number(width),
                     svg::number(height),
                     body);
}

// A drawing over time under the labels of the run's events; `draw` returns the height it used.
std::string over_time(const run_record& run,
                      const std::function<double(svg::drawing&, const time_axis&, double)>& draw) {
  svg::drawing d;
  time_axis x;
  x.left = 60;
  x.right = width - 12;
  x.length = seconds(run.settings.length);
  x.columns = 120;  // a page has hundreds of pictures
  const auto top = draw_event_labels(d, run, x, 4);
  const auto bottom = top + draw(d, x, top + 4) + 4;
  draw_time_ticks(d, x, bottom);
  return picture(bottom + 24, d.body());
}

std::string lanes(const run_record& run) {
  return over_time(run, [&](svg::drawing& d, const time_axis& x, double y) {
    double used = 0;
    for (const auto& c : run.contestants) {
      if (c.absent.empty()) used += draw_lanes(d, run, c, x, y + used) + 14;
    }
    return used;
  });
}

std::string latencies(const run_record& run) {
  return over_time(run, [&](svg::drawing& d, const time_axis& x, double y) {
    double used = 0;
    for (const auto& c : run.contestants) {
      if (c.absent.empty()) used += draw_latency(d, run, c, x, y + used);
    }
    return used;
  });
}

std::string shares(const run_record& run) {
  return over_time(run, [&](svg::drawing& d, const time_axis& x, double y) {
    return draw_shares(d, run, x, y);
  });
}

std::string without_time(const run_record& run,
                         double (*draw)(svg::drawing&, const run_record&, double width, double y)) {
  svg::drawing d;
  const auto height = draw(d, run, width, 4);
  return picture(height + 8, d.body());
}

std::string figures_table(const run_record& run) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th></th>";
  for (const auto& c : run.contestants)
    html += fmt::format("<th class=\"n\">{}</th>", svg::escape(c.title));
  html += "</tr>\n";
  for (const auto& f : figures(run)) {
    html += fmt::format("<tr><td>{}</td>", svg::escape(f.title));
    for (const auto& v : f.values) {
      const bool judged = f.title == "failed" && v != "-";
      html += html_cell(v, !judged ? "n" : v == "0" ? "n good-cell" : "n bad-cell");
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string errors(const run_record& run) {
  std::string html;
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) {
      html += fmt::format(
          "<p>{} did not take part: {}.</p>\n", svg::escape(c.title), svg::escape(c.absent));
    }
    std::map<std::string, std::size_t> counts;
    for (const auto& r : c.requests) {
      if (!r.ok) ++counts[r.error];
    }
    if (counts.empty()) continue;
    html += fmt::format("<p>Failures of {}: ", svg::escape(c.title));
    std::string list;
    for (const auto& [text, n] : counts)
      list += fmt::format("{}{} x {}", list.empty() ? "" : ", ", n, svg::escape(text));
    html += list + ".</p>\n";
  }
  return html;
}

std::string settings(const run_record& run) {
  const auto& s = run.settings;
  std::vector<std::pair<std::string, std::string>> rows = {
      {"Load",
       fmt::format("{} requests/s from each client for {:.0f} s, open loop; at most {} in flight",
                   s.rate,
                   seconds(s.length),
                   s.in_flight_limit)},
      {"Deadline", fmt::format("{:.1f} s from the planned send time", seconds(s.deadline))},
      {"DNS",
       fmt::format("TTL {:.0f} s; redial honours at most {:.0f} s; {}",
                   seconds(s.ttl),
                   seconds(s.ttl_cap),
                   s.complete_answers ? "answers hold all addresses"
                                      : "answers hold a sample of the addresses")},
      {"Allowed for redial",
       fmt::format("{:.0f} s on an address that left DNS", seconds(s.allowed_stale))},
      {"Seed", std::to_string(s.seed)},
  };
  rows.insert(rows.end(), s.facts.begin(), s.facts.end());
  std::string html = "<div class=\"wide\"><table>\n";
  for (const auto& [name, value] : rows)
    html += "<tr>" + html_cell(name, "") + html_cell(value, "") + "</tr>\n";
  return html + "</table></div>\n";
}

std::string timeline(const run_record& run) {
  if (run.events.empty()) return "<p>Nothing happens.</p>\n";
  std::string html = "<table>\n";
  for (const auto& e : run.events) {
    html += "<tr>" + html_cell(fmt::format("{:.1f} s", seconds(e.at)), "n") +
            html_cell(e.text, "") + "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace

std::string html_cell(const std::string& text, const std::string& css) {
  const auto attribute = css.empty() ? "" : fmt::format(" class=\"{}\"", css);
  return fmt::format("<td{}>{}</td>", attribute, svg::escape(text));
}

std::string html_of(const run_record& run) {
  auto html = timeline(run);
  html +=
      "<h3>Who served</h3>\n<p>A lane is one backend. Grey: the name had its address. Blue: "
      "requests that arrived, as the backend logged them. Amber: requests that arrived after the "
      "address had left DNS. Red: when failed requests were planned. A cross: the process was "
      "killed. A dashed mark: until here redial may use an address that left DNS.</p>\n" +
      lanes(run);
  html +=
      "<h3>Latency over time</h3>\n<p>From the planned send time to the end. Dots: requests, red "
      "ones failed. Line: p99 over time; dashed green: redial's, to compare with.</p>\n" +
      latencies(run);
  html += "<h3>Latency by percentile</h3>\n" + without_time(run, draw_percentiles);
  html += "<h3>What it cost</h3>\n" + without_time(run, draw_costs);
  html += "<h3>Share of requests by backend</h3>\n" + shares(run);
  html += "<h3>Figures</h3>\n" + figures_table(run) + errors(run);
  return html + "<h3>Settings</h3>\n" + settings(run);
}

}  // namespace redial::churn
