// SPDX-License-Identifier: Apache-2.0
#include "churn/lanes.hpp"

#include "churn/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace redial::churn {

namespace {

constexpr double lane_height = 24;
constexpr double lane_pitch = 29;
constexpr double head_height = 34;
constexpr double fail_height = 30;
constexpr double bin = 0.25;  // seconds

// Requests per bin.
struct bins {
  explicit bins(double length) : counts(static_cast<std::size_t>(std::ceil(length / bin)) + 1) {}
  void add(double at) {
    const auto i = static_cast<std::size_t>(std::max(at, 0.0) / bin);
    ++counts[std::min(i, counts.size() - 1)];
  }
  std::vector<unsigned> counts;
};

// Columns of `values` standing on `floor`, each as tall as `height_of` says.
template <class HeightOf, class FloorOf>
std::string columns(const bins& values, const time_axis& x, FloorOf floor_of, HeightOf height_of) {
  std::string path;
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    if (values.counts[i] == 0) continue;
    const auto from = static_cast<double>(i) * bin;
    const auto left = x(from);
    // A hair wider, or the seams between columns show.
    const auto width = x(std::min(from + bin, x.length)) - left + 0.3;
    const auto height = height_of(i);
    path += fmt::format("M{} {}h{}v-{}h-{}z",
                        svg::number(left),
                        svg::number(floor_of(i)),
                        svg::number(width),
                        svg::number(height),
                        svg::number(width));
  }
  return path;
}

double cut(duration at, const time_axis& x) { return std::min(seconds(at), x.length); }

void draw_presence(svg::drawing& d, const backend_record& b, const time_axis& x, double y) {
  for (const auto& s : b.in_dns) {
    const auto from = x(seconds(s.from));
    d.rect(from, y, x(cut(s.to, x)) - from, lane_height, "band", 3);
  }
  for (const auto& s : b.alive) {
    const auto floor = y + lane_height;
    d.line(x(seconds(s.from)), floor, x(cut(s.to, x)), floor, "base");
    if (s.to >= std::chrono::duration_cast<duration>(std::chrono::duration<double>(x.length)))
      continue;
    const auto end = x(seconds(s.to)) + 1;
    d.path(fmt::format("M{0} {1}l8 8m0 -8l-8 8", svg::number(end), svg::number(floor - 9)),
           "cross");
  }
}

void draw_servings(svg::drawing& d,
                   const run_record& run,
                   const contestant_record& c,
                   std::size_t backend,
                   const time_axis& x,
                   double y) {
  bins fresh(x.length);
  bins stale(x.length);
  const auto& b = run.backends[backend];
  for (const auto& s : c.servings[backend]) (in_dns(b, s.at) ? fresh : stale).add(seconds(s.at));
  const auto full = std::max(run.settings.rate * bin, 1.0);
  const auto height = [&](unsigned n) { return std::min(1.0, n / full) * lane_height; };
  const auto floor = y + lane_height;
  d.path(columns(
             fresh,
             x,
             [&](std::size_t) { return floor; },
             [&](std::size_t i) { return height(fresh.counts[i]); }),
         "ok");
  d.path(columns(
             stale,
             x,
             [&](std::size_t i) { return floor - height(fresh.counts[i]); },
             [&](std::size_t i) { return height(stale.counts[i]); }),
         "stale");
}

// Until when redial may use an address that left DNS.
void draw_bounds(
    svg::drawing& d, const run_record& run, const backend_record& b, const time_axis& x, double y) {
  for (const auto& s : b.in_dns) {
    if (s.to == duration::max()) continue;
    const auto bound = s.to + run.settings.allowed_stale;
    const bool serves = std::any_of(b.alive.begin(), b.alive.end(), [&](const span& a) {
      return a.from <= bound && bound < a.to;
    });
    if (serves && seconds(bound) < x.length)
      d.line(x(seconds(bound)), y, x(seconds(bound)), y + lane_height, "bound");
  }
}

struct burst {
  double from, to;
  std::size_t count;
};

// Failures with less than 1.5 s between them.
std::vector<burst> bursts_of(const contestant_record& c) {
  std::vector<burst> bursts;
  for (const auto& r : c.requests) {
    if (r.ok) continue;
    const auto at = seconds(r.planned);
    if (bursts.empty() || at - bursts.back().to > 1.5) bursts.push_back({at, at, 0});
    bursts.back().to = at;
    ++bursts.back().count;
  }
  return bursts;
}

void draw_failures(svg::drawing& d,
                   const run_record& run,
                   const contestant_record& c,
                   const time_axis& x,
                   double top,
                   double y) {
  bins failed(x.length);
  for (const auto& r : c.requests) {
    if (!r.ok) failed.add(seconds(r.planned));
  }
  const auto floor = y + fail_height;
  // Across all lanes, so that a failure is seen from afar.
  d.path(
      columns(
          failed, x, [&](std::size_t) { return floor; }, [&](std::size_t) { return floor - top; }),
      "glow");
  const auto full = std::max(run.settings.rate * bin, 1.0);
  d.path(columns(
             failed,
             x,
             [&](std::size_t) { return floor; },
             [&](std::size_t i) {
               return std::max(4.0, std::min(1.0, failed.counts[i] / full) * (fail_height - 4));
             }),
         "fail");
  d.line(x.left, floor, x.right, floor, "base");
  const auto bursts = bursts_of(c);
  if (bursts.empty()) d.text(x.left + 6, floor - 6, "none", "good small strong");
  double taken = 0;
  for (const auto& b : bursts) {
    const auto words = std::to_string(b.count);
    // To the right of its columns, unless the last label is still there.
    const auto at = std::max(x(b.to) + 6, taken);
    d.text(at, floor - 6, words, "bad small strong");
    taken = at + svg::width_of(words, 12) + 6;
  }
}

void draw_headline(svg::drawing& d,
                   const run_record& run,
                   const contestant_record& c,
                   const time_axis& x,
                   double y) {
  const auto s = summarize(run, c);
  d.text_pair(x.left - 40,
              y,
              c.title,
              "ink head",
              fmt::format("{} of {} requests failed", s.failed, s.requests),
              s.failed == 0 ? "good head" : "bad head");
  if (s.stale.requests == 0) return;
  d.text(x.right,
         y,
         fmt::format("last request on an address that left DNS: {:.1f} s after",
                     seconds(s.stale.last)),
         s.stale.late == 0 ? "soft" : "bad",
         "end");
}

}  // namespace

double lanes_height(const run_record& run) noexcept {
  return head_height + static_cast<double>(run.backends.size()) * lane_pitch + fail_height;
}

double draw_lanes(svg::drawing& d,
                  const run_record& run,
                  const contestant_record& c,
                  const time_axis& x,
                  double y) {
  draw_headline(d, run, c, x, y + 20);
  const auto top = y + head_height;
  const auto fails = top + static_cast<double>(run.backends.size()) * lane_pitch;
  draw_event_lines(d, run, x, top - 4, fails + fail_height);
  for (std::size_t b = 0; b < run.backends.size(); ++b) {
    const auto lane = top + static_cast<double>(b) * lane_pitch;
    d.begin_group(fmt::format("{} = {}", run.backends[b].name, run.backends[b].address));
    d.text(x.left - 14, lane + 17, run.backends[b].name, "ink strong", "end");
    draw_presence(d, run.backends[b], x, lane);
    draw_servings(d, run, c, b, x, lane);
    draw_bounds(d, run, run.backends[b], x, lane);
    d.end_group();
  }
  draw_silence(d, run, x, top, fails + fail_height);
  d.text(x.left - 6, fails + fail_height - 6, "failed", "soft small", "end");
  draw_failures(d, run, c, x, top, fails);
  return lanes_height(run);
}

void draw_event_lines(
    svg::drawing& d, const run_record& run, const time_axis& x, double top, double bottom) {
  for (const auto& e : run.events) d.line(x(seconds(e.at)), top, x(seconds(e.at)), bottom, "event");
}

void draw_silence(
    svg::drawing& d, const run_record& run, const time_axis& x, double top, double bottom) {
  for (const auto& s : run.dns_silent) {
    const auto from = x(seconds(s.from));
    d.rect(from, top, x(cut(s.to, x)) - from, bottom - top, "silent");
  }
}

double draw_event_labels(svg::drawing& d, const run_record& run, const time_axis& x, double y) {
  constexpr double row_height = 16;
  // From the right: a label starts at its own line and must end before the next one's on its row.
  std::vector<double> free_until;
  struct placed {
    double at;
    std::size_t row;
    const std::string* words;
  };
  std::vector<placed> labels;
  for (auto e = run.events.rbegin(); e != run.events.rend(); ++e) {
    const auto at = x(seconds(e->at));
    const auto end = at + 4 + svg::width_of(e->label, 12);
    std::size_t row = free_until.size();
    // The lowest row in which it meets neither the next label nor the line of a higher one.
    for (double limit = x.right + 1e9; row > 0; --row) {
      limit = std::min(limit, free_until[row - 1]);
      if (end > limit) break;
    }
    if (row == free_until.size()) free_until.push_back(0);
    free_until[row] = at;
    labels.push_back({at, row, &e->label});
  }
  const auto height = static_cast<double>(free_until.size()) * row_height;
  for (const auto& l : labels) {
    const auto base = y + height - static_cast<double>(l.row) * row_height;
    d.line(l.at, base - 11, l.at, y + height + 6, "event");
    d.text(l.at + 4, base - 2, *l.words, "ink small");
  }
  return height + 6;
}

void draw_time_ticks(svg::drawing& d, const time_axis& x, double y) {
  const double step = x.length > 20 ? 10 : 1;
  for (double t = 0; t <= x.length + 1e-9; t += step) {
    d.line(x(t), y, x(t), y + 4, "base");
    d.text(x(t), y + 17, fmt::format("{:.0f} s", t), "soft small", t == 0 ? "start" : "middle");
  }
}

}  // namespace redial::churn
