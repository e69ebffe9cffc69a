// SPDX-License-Identifier: Apache-2.0
// Latency: over time, and by percentile.

#include "churn/charts.hpp"

#include "churn/percentiles.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace redial::churn {

namespace {

constexpr double head = 30;
constexpr double latency_height = 130;

// 1 ms to a bit over the deadline, the same for all contestants.
struct level_scale {
  level_scale(const run_record& run, double top, double height)
      : longest(std::max(seconds(run.settings.deadline) * 1500, 100.0)),
        y{0, std::log10(longest), top + height, top} {}
  [[nodiscard]] double operator()(duration d) const {
    return y(std::log10(std::clamp(seconds(d) * 1000, 1.0, longest)));
  }
  void grid(svg::drawing& d, double left, double right) const {
    std::string lines;
    for (const double ms : {1.0, 10.0, 100.0, 1000.0, 10000.0}) {
      if (ms > longest) break;
      const auto at = y(std::log10(ms));
      lines += fmt::format("M{} {}H{}", svg::number(left), svg::number(at), svg::number(right));
      const auto words =
          ms >= 1000 ? fmt::format("{:.0f} s", ms / 1000) : fmt::format("{:.0f} ms", ms);
      d.text(left - 6, at + 4, words, "soft small", "end");
    }
    d.path(lines, "grid");
  }
  double longest;  // ms
  svg::scale y;
};

// Dots on a grid as coarse as they are wide; those above each other, with room for at most one
// more between them, are one stroke. Strokes have round ends.
class dots {
 public:
  explicit dots(long size) : size_(size) {}
  void add(double x, double y) { seen_.emplace(std::lround(x) / size_, std::lround(y) / size_); }
  [[nodiscard]] std::string path() const {
    std::string path;
    long x = 0;  // Where the pen is: moves are relative, that is shorter.
    long y = 0;
    for (auto at = seen_.begin(); at != seen_.end();) {
      const auto [column, first] = *at;
      auto last = first;
      while (++at != seen_.end() && at->first == column && at->second <= last + 2)
        last = at->second;
      path += fmt::format("m{}{}{}v{}",
                          (column - x) * size_,
                          first < y ? "" : " ",
                          (first - y) * size_,
                          (last - first) * size_);
      x = column;
      y = last;
    }
    return path;
  }

 private:
  long size_;
  std::set<std::pair<long, long>> seen_;
};

// p99 of the requests planned in each slice of time, as steps. A slice has at least 100 requests
// at the usual rate.
std::string p99_path(const contestant_record& c, const time_axis& x, const level_scale& level) {
  const double slice = std::max(0.5, x.length / 80);
  std::vector<histogram> slices(static_cast<std::size_t>(std::ceil(x.length / slice)));
  for (const auto& r : c.requests) {
    const auto i = static_cast<std::size_t>(std::max(0.0, seconds(r.planned)) / slice);
    slices[std::min(i, slices.size() - 1)].add(r.done - r.planned);
  }
  std::string path;
  long end = -1;
  long y = 0;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (slices[i].count() == 0) continue;
    const auto from = std::lround(x(static_cast<double>(i) * slice));
    const auto next = std::lround(level(slices[i].percentile(99)));
    if (from != end) {
      path += fmt::format("M{} {}", from, next);
    } else if (next != y) {
      path += "v" + std::to_string(next - y);
    }
    end = std::lround(x(std::min(static_cast<double>(i + 1) * slice, x.length)));
    path += fmt::format("h{}", end - from);
    y = next;
  }
  return path;
}

const contestant_record* redial_in(const run_record& run) {
  for (const auto& c : run.contestants) {
    if (c.id == "redial" && c.absent.empty()) return &c;
  }
  return nullptr;
}

}  // namespace

double draw_latency(svg::drawing& d,
                    const run_record& run,
                    const contestant_record& c,
                    const time_axis& x,
                    double y) {
  const auto top = y + head;
  const level_scale level(run, top, latency_height);
  d.text(x.left - 40, y + 20, c.title, "ink head");
  draw_event_lines(d, run, x, top - 4, top + latency_height);
  draw_silence(d, run, x, top, top + latency_height);
  level.grid(d, x.left, x.right);
  dots ok(4);
  dots failed(4);
  for (const auto& r : c.requests)
    (r.ok ? ok : failed).add(x(seconds(r.planned)), level(r.done - r.planned));
  d.path(ok.path(), "dot-ok");
  d.path(failed.path(), "dot-fail");
  const auto* ours = redial_in(run);
  if (ours && ours != &c) d.path(p99_path(*ours, x, level), "p99-ours");
  d.path(p99_path(c, x, level), "p99");
  const auto s = summarize(run, c);
  const auto ms = [&](double p) { return seconds(s.latency.percentile(p)) * 1000; };
  d.text(x.right,
         y + 20,
         fmt::format("p50 {:.0f} ms, p99 {:.0f} ms, p99.9 {:.0f} ms, max {:.0f} ms",
                     ms(50),
                     ms(99),
                     ms(99.9),
                     ms(100)),
         "soft",
         "end");
  return head + latency_height + 12;
}

namespace {

constexpr double nines_shown = 4;

std::string curve(const histogram& latency, const svg::scale& x, const level_scale& level) {
  std::string path;
  for (const auto& p : percentile_points(latency)) {
    // The greatest lies at 100, which is infinitely far right.
    const auto nines = p.share < 1 ? -std::log10(1 - p.share) : nines_shown;
    const auto at = x(std::min(nines, nines_shown));
    path += fmt::format("{}{:.0f} {}", path.empty() ? "M" : "L", at, std::lround(level(p.value)));
    if (nines >= nines_shown) break;
  }
  return path;
}

void nines_grid(svg::drawing& d, const svg::scale& x, double top, double bottom) {
  for (const auto* words : {"0", "90", "99", "99.9", "99.99"}) {
    const auto nines = -std::log10(1 - std::stod(words) / 100);
    d.line(x(nines), top, x(nines), bottom, "grid");
    d.text(x(nines), bottom + 16, std::string(words) + " %", "soft small", "middle");
  }
}

// One row of the legend, which also is the table of two percentiles.
void legend_row(svg::drawing& d,
                const std::string& title,
                const histogram& latency,
                const std::string& css,
                double left,
                double width,
                double y) {
  const auto ms = [&](double p) {
    return fmt::format("{:.0f} ms", seconds(latency.percentile(p)) * 1000);
  };
  d.line(left, y - 4, left + 26, y - 4, css);
  d.text(left + 32, y, title, "ink small");
  d.text(width - 72, y, ms(99), "ink small", "end");
  d.text(width - 8, y, ms(99.9), "ink small", "end");
}

}  // namespace

double draw_percentiles(svg::drawing& d, const run_record& run, double width, double y) {
  constexpr double height = 240;
  const double right = width - 370;
  const double top = y + 8;
  const level_scale level(run, top, height);
  const svg::scale x{0, nines_shown, 60, right};
  level.grid(d, 60, right);
  nines_grid(d, x, top, top + height);
  double row = top + 4;
  d.text(width - 72, row, "p99", "soft small", "end");
  d.text(width - 8, row, "p99.9", "soft small", "end");
  std::size_t others = 0;
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) continue;
    const auto s = summarize(run, c);
    std::string css = "curve l0 thick";
    if (c.id != "redial") {
      ++others;
      css =
          fmt::format("curve l{}{}", others % svg::palette_size, others % 2 == 0 ? " dashed" : "");
    }
    d.path(curve(s.latency, x, level), css);
    row += 19;
    legend_row(d, c.title, s.latency, css, right + 24, width, row);
  }
  return std::max(height + 32, row - y + 12);
}

}  // namespace redial::churn
