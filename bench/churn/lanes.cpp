// SPDX-License-Identifier: Apache-2.0
#include "churn/lanes.hpp"

#include "churn/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace redial::churn {

namespace {

constexpr double head_height = 34;
constexpr double fail_height = 30;

// A lane's height and the distance to the next one. Many backends share the room of a dozen.
struct lane_size {
  explicit lane_size(std::size_t backends) {
    if (backends <= 12) return;
    pitch = std::max(5.0, 12 * 29.0 / static_cast<double>(backends));
    height = pitch - 1;
  }
  [[nodiscard]] std::size_t named_every() const {
    return static_cast<std::size_t>(std::ceil(14 / pitch));
  }
  double height = 24;
  double pitch = 29;
};

// Requests per bin, which is 250 ms or more.
struct bins {
  bins(const time_axis& x, std::size_t lanes)
      : width(std::max(0.25, x.length / static_cast<double>(x.columns / (lanes > 12 ? 2 : 1)))),
        counts(static_cast<std::size_t>(std::ceil(x.length / width))) {
    for (std::size_t i = 0; i <= counts.size(); ++i)
      edges.push_back(x(std::min(x.length, static_cast<double>(i) * width)));
  }
  void add(double at) {
    const auto i = static_cast<std::size_t>(std::max(at, 0.0) / width);
    ++counts[std::min(i, counts.size() - 1)];
  }
  double width;
  std::vector<unsigned> counts;
  std::vector<double> edges;
};

template <class HeightOf>
std::string columns(const bins& values, double floor, HeightOf height_of) {
  std::vector<double> heights;
  for (const auto n : values.counts) heights.push_back(n == 0 ? 0 : height_of(n));
  return svg::columns(values.edges, heights, floor);
}

double cut(duration at, const time_axis& x) { return std::min(seconds(at), x.length); }

void draw_presence(
    svg::drawing& d, const backend_record& b, const lane_size& lane, const time_axis& x, double y) {
  for (const auto& s : b.in_dns) {
    const auto from = x(seconds(s.from));
    d.rect(from, y, x(cut(s.to, x)) - from, lane.height, "band", std::min(3.0, lane.height / 4));
  }
  for (const auto& s : b.alive) {
    const auto floor = y + lane.height;
    d.line(x(seconds(s.from)), floor, x(cut(s.to, x)), floor, "base");
    if (s.to >= std::chrono::duration_cast<duration>(std::chrono::duration<double>(x.length)))
      continue;
    const auto end = x(seconds(s.to)) + 1;
    const auto size = svg::number(std::min(8.0, lane.height - 1));
    d.path(fmt::format("M{0} {1}l{2} {2}m0 -{2}l-{2} {2}",
                       svg::number(end),
                       svg::number(floor - 1 - std::min(8.0, lane.height - 1)),
                       size),
           "cross");
  }
}

void draw_servings(svg::drawing& d,
                   const run_record& run,
                   const contestant_record& c,
                   std::size_t backend,
                   const time_axis& x,
                   double y) {
  bins stale(x, run.backends.size());
  bins fresh(x, run.backends.size());
  const auto& b = run.backends[backend];
  for (const auto& s : c.servings[backend]) (in_dns(b, s.at) ? fresh : stale).add(seconds(s.at));
  // The stale ones look out above the others.
  for (std::size_t i = 0; i < stale.counts.size(); ++i) {
    if (stale.counts[i] != 0) stale.counts[i] += fresh.counts[i];
  }
  const lane_size lane(run.backends.size());
  const auto full = std::max(run.settings.rate * fresh.width, 1.0);
  const auto height = [&](unsigned n) { return std::min(1.0, n / full) * lane.height; };
  d.path(columns(stale, y + lane.height, height), "stale");
  d.path(columns(fresh, y + lane.height, height), "ok");
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
      d.line(x(seconds(bound)),
             y,
             x(seconds(bound)),
             y + lane_size(run.backends.size()).height,
             "bound");
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

// How many failed in each, `bin` seconds being the width of a column.
void draw_burst_labels(
    svg::drawing& d, const std::vector<burst>& bursts, const time_axis& x, double bin, double y) {
  if (bursts.empty()) d.text(x.left + 6, y, "none", "good small strong");
  double taken = 0;
  for (const auto& b : bursts) {
    const auto words = std::to_string(b.count);
    const auto wide = svg::width_of(words, 12);
    const auto from = x(std::floor(b.from / bin) * bin);
    const auto to = x(std::min(x.length, (std::floor(b.to / bin) + 1) * bin));
    // To the right of its columns, or to their left where the picture ends.
    const auto at = to + 8 + wide > x.right ? from - 4 - wide : std::max(to + 4, taken);
    if (at < taken || at + wide > x.right) continue;
    d.text(at, y, words, "bad small strong");
    taken = at + wide + 6;
  }
}

void draw_failures(svg::drawing& d,
                   const run_record& run,
                   const contestant_record& c,
                   const time_axis& x,
                   double top,
                   double y) {
  bins failed(x, run.backends.size());
  for (const auto& r : c.requests) {
    if (!r.ok) failed.add(seconds(r.planned));
  }
  const auto floor = y + fail_height;
  // Across all lanes, so that a failure is seen from afar.
  d.path(columns(failed, floor, [&](unsigned) { return floor - top; }), "glow");
  const auto full = std::max(run.settings.rate * failed.width, 1.0);
  const auto height = [&](unsigned n) {
    return std::max(4.0, std::min(1.0, n / full) * (fail_height - 4));
  };
  d.path(columns(failed, floor, height), "fail");
  d.line(x.left, floor, x.right, floor, "base");
  draw_burst_labels(d, bursts_of(c), x, failed.width, floor - 6);
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
  const bool well = s.stale.late == 0 || !run.settings.complete_answers;
  d.text(x.right,
         y,
         fmt::format("last request on an address that left DNS: {:.1f} s after",
                     seconds(s.stale.last)),
         well ? "soft" : "bad",
         "end");
}

}  // namespace

double lanes_height(const run_record& run) noexcept {
  const auto n = run.backends.size();
  return head_height + static_cast<double>(n) * lane_size(n).pitch + fail_height;
}

double draw_lanes(svg::drawing& d,
                  const run_record& run,
                  const contestant_record& c,
                  const time_axis& x,
                  double y) {
  draw_headline(d, run, c, x, y + 20);
  const auto top = y + head_height;
  const lane_size size(run.backends.size());
  const auto fails = top + static_cast<double>(run.backends.size()) * size.pitch;
  draw_event_lines(d, run, x, top - 4, fails + fail_height);
  const bool hints = run.backends.size() <= 12;
  for (std::size_t b = 0; b < run.backends.size(); ++b) {
    const auto lane = top + static_cast<double>(b) * size.pitch;
    if (hints) d.begin_group(fmt::format("{} = {}", run.backends[b].name, run.backends[b].address));
    if (b % size.named_every() == 0)
      d.text(x.left - 14, lane + size.height / 2 + 5, run.backends[b].name, "ink strong", "end");
    draw_presence(d, run.backends[b], size, x, lane);
    draw_servings(d, run, c, b, x, lane);
    draw_bounds(d, run, run.backends[b], x, lane);
    if (hints) d.end_group();
  }
  draw_silence(d, run, x, top, fails + fail_height);
  d.text(x.left - 6, fails + fail_height - 6, "failed", "soft small", "end");
  draw_failures(d, run, c, x, top, fails);
  return lanes_height(run);
}

void draw_event_lines(
    svg::drawing& d, const run_record& run, const time_axis& x, double top, double bottom) {
  std::string lines;
  for (const auto& e : run.events) {
    lines += fmt::format("M{} {}V{}",
                         svg::number(std::round(x(seconds(e.at)) * 2) / 2),
                         svg::number(top),
                         svg::number(bottom));
  }
  d.path(lines, "event");
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
    d.text(x(t),
           y + 17,
           fmt::format("{:.0f} s", t),
           "soft small",
           t == 0                ? "start"
           : x(t) > x.right - 14 ? "end"
                                 : "middle");
  }
}

}  // namespace redial::churn
