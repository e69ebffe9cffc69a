// SPDX-License-Identifier: Apache-2.0
#include "churn/picture.hpp"

#include "churn/lanes.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace redial::churn {

namespace {

constexpr double width = 960;
constexpr double margin = 16;

double key(svg::drawing& d, double at, double y, const char* css, const std::string& words) {
  d.rect(at, y - 10, 14, 11, css, 2);
  d.text(at + 19, y, words, "soft small");
  return at + 19 + svg::width_of(words, 12) + 12;
}

void draw_legend(svg::drawing& d, const run_record& run, double y) {
  double at = margin;
  at = key(d, at, y, "band", "address in DNS");
  at = key(d, at, y, "ok", "requests");
  at = key(d, at, y, "stale", "requests on an address that left DNS");
  at = key(d, at, y, "fail", "failed");
  at = key(d, at, y, "silent", "DNS fails");
  d.line(at + 4, y - 11, at + 4, y + 2, "bound");
  d.text(
      at + 12,
      y,
      fmt::format("redial's limit: TTL cap + 1 s = {:.0f} s", seconds(run.settings.allowed_stale)),
      "soft small");
}

bool is_demo(const run_record& run) { return run.settings.scenario.rfind("demo", 0) == 0; }

// What happened, in one line.
std::string headline(const run_record& run) {
  std::optional<std::size_t> ours;
  std::size_t others = 0;
  for (const auto& c : run.contestants) {
    const auto failed = summarize(run, c).failed;
    if (c.id == "redial") {
      ours = failed;
    } else {
      others += failed;
    }
  }
  if (!ours || run.contestants.size() != 2) return "Requests while DNS changes";
  return fmt::format("{}{} requests fail, with redial {}",
                     is_demo(run) ? "A service moves and crashes under load: " : "",
                     others,
                     *ours == 0 ? "none" : std::to_string(*ours));
}

}  // namespace

std::string lead_picture(const run_record& run) {
  svg::drawing d;
  time_axis x;
  x.length = seconds(run.settings.length);
  x.right = width - margin;
  d.text(margin, 34, headline(run), "ink title");
  double y = 56;
  // The demo's title says it; elsewhere it would be too long.
  if (!is_demo(run)) {
    d.text(margin, y, run.settings.title, "ink");
    y += 20;
  }
  d.text(margin,
         y,
         fmt::format("{} requests/s from each client, drawn from the backends' own logs. The "
                     "records' TTL is {:.0f} s; a lane is one backend.",
                     run.settings.rate,
                     seconds(run.settings.ttl)),
         "soft");
  y += 14;
  y += draw_event_labels(d, run, x, y);
  const auto pitch = lanes_height(run) + 14;
  const auto bottom = y + static_cast<double>(run.contestants.size()) * pitch;
  for (const auto& c : run.contestants) {
    draw_lanes(d, run, c, x, y);
    y += pitch;
  }
  draw_time_ticks(d, x, bottom);
  draw_legend(d, run, bottom + 42);
  return svg::picture(width,
                      bottom + 58,
                      "Requests by backend and time, while the addresses behind the name change",
                      d.body());
}

namespace {

// Redial and the first other one that took part; nothing unless both did.
std::optional<run_record> two_of(const run_record& run) {
  run_record two = run;
  two.contestants.clear();
  bool ours = false;
  bool other = false;
  for (const auto& c : run.contestants) {
    auto& taken = c.id == "redial" ? ours : other;
    // Another redial is no other one.
    if (taken || !c.absent.empty() || c.id == "finagle") continue;
    taken = true;
    // The other one first: the picture tells what is wrong, then what is done about it.
    two.contestants.insert(c.id == "redial" ? two.contestants.end() : two.contestants.begin(), c);
  }
  if (!ours || !other) return std::nullopt;
  return two;
}

}  // namespace

std::string lead_picture(const suite_record& suite) {
  std::optional<run_record> best;
  std::size_t most = 0;
  for (const auto& run : suite.runs) {
    auto two = two_of(run);
    if (!two) continue;
    if (is_demo(run)) return lead_picture(*two);
    const auto failed = summarize(*two, two->contestants.front()).failed;
    if (best && failed <= most) continue;
    most = failed;
    best = std::move(two);
  }
  if (!best) throw std::invalid_argument("no run has redial beside another client");
  return lead_picture(*best);
}

}  // namespace redial::churn
