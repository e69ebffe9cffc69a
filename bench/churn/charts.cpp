// SPDX-License-Identifier: Apache-2.0
#include "churn/charts.hpp"

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
constexpr double row_height = 44;

// Zero-length strokes with round ends. Dots that would cover each other are drawn once.
class dots {
 public:
  void add(double x, double y) {
    const auto at = std::pair(std::lround(x * 2), std::lround(y * 2));
    if (!seen_.insert(at).second) return;
    path_ += fmt::format("M{} {}h0",
                         svg::number(static_cast<double>(at.first) / 2),
                         svg::number(static_cast<double>(at.second) / 2));
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::set<std::pair<long, long>> seen_;
  std::string path_;
};

std::string axis_label(double ms) {
  return ms >= 1000 ? fmt::format("{:.0f} s", ms / 1000) : fmt::format("{:.0f} ms", ms);
}

}  // namespace

double draw_latency(svg::drawing& d,
                    const run_record& run,
                    const contestant_record& c,
                    const time_axis& x,
                    double y) {
  const auto top = y + head;
  // From 1 ms to a bit over the deadline.
  const auto longest = std::max(seconds(run.settings.deadline) * 1.5, 0.1);
  const svg::scale level{0, std::log10(longest * 1000), top + latency_height, top};
  d.text(x.left - 40, y + 20, c.title, "ink head");
  draw_event_lines(d, run, x, top - 4, top + latency_height);
  draw_silence(d, run, x, top, top + latency_height);
  for (const double ms : {1.0, 10.0, 100.0, 1000.0, 10000.0}) {
    if (ms > longest * 1000) break;
    d.line(x.left, level(std::log10(ms)), x.right, level(std::log10(ms)), "grid");
    d.text(x.left - 6, level(std::log10(ms)) + 4, axis_label(ms), "soft small", "end");
  }
  dots ok;
  dots failed;
  for (const auto& r : c.requests) {
    const auto ms = std::clamp(seconds(r.done - r.planned) * 1000, 1.0, longest * 1000);
    (r.ok ? ok : failed).add(x(seconds(r.planned)), level(std::log10(ms)));
  }
  d.path(ok.path(), "dot-ok");
  d.path(failed.path(), "dot-fail");
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

double draw_failures_over_time(svg::drawing& d,
                               const run_record& run,
                               const time_axis& x,
                               double y) {
  constexpr double width = 0.5;  // seconds
  const auto cells = static_cast<std::size_t>(std::ceil(x.length / width)) + 1;
  std::vector<std::vector<unsigned>> all;
  unsigned most = 1;
  for (const auto& c : run.contestants) {
    auto& counts = all.emplace_back(cells, 0U);
    for (const auto& r : c.requests) {
      if (!r.ok)
        ++counts[std::min(cells - 1, static_cast<std::size_t>(seconds(r.planned) / width))];
    }
    most = std::max(most, *std::max_element(counts.begin(), counts.end()));
  }
  const auto bottom = y + static_cast<double>(all.size()) * row_height;
  draw_event_lines(d, run, x, y, bottom);
  draw_silence(d, run, x, y, bottom);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto floor = y + static_cast<double>(i + 1) * row_height;
    d.text(x.left - 40, floor - row_height + 16, run.contestants[i].title, "ink small strong");
    d.line(x.left, floor, x.right, floor, "base");
    for (std::size_t b = 0; b < cells; ++b) {
      if (all[i][b] == 0) continue;
      const auto from = static_cast<double>(b) * width;
      const auto height = std::max(2.0, (row_height - 20) * all[i][b] / most);
      d.begin_group(
          fmt::format("{} failed from {:.1f} s to {:.1f} s", all[i][b], from, from + width));
      d.rect(x(from),
             floor - height,
             x(std::min(from + width, x.length)) - x(from) - 0.5,
             height,
             "fail");
      d.end_group();
    }
  }
  return bottom - y + 6;
}

}  // namespace redial::churn
