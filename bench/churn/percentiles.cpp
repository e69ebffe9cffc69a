// SPDX-License-Identifier: Apache-2.0
#include "churn/percentiles.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace redial::churn {

namespace {

double milliseconds(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace

std::vector<percentile_point> percentile_points(const histogram& h, int ticks) {
  std::vector<percentile_point> points;
  if (h.count() == 0) return points;
  double share = 0;
  for (;;) {
    const auto value = h.percentile(share * 100);
    const auto count = h.count_up_to(value);
    if (count == h.count()) break;
    points.push_back({share, value, count});
    // Between 1 - 1/2^n and 1 - 1/2^(n+1) lie `ticks` steps.
    const auto halvings = std::floor(std::log2(1 / (1 - share)) + 1e-9) + 1;
    share += 1 / (ticks * std::exp2(halvings));
  }
  points.push_back({1, h.max(), h.count()});
  return points;
}

std::string percentiles(const histogram& h) {
  auto text = fmt::format(
      "{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  for (const auto& p : percentile_points(h)) {
    text += fmt::format("{:12.3f} {:14.12f} {:10d} ", milliseconds(p.value), p.share, p.count);
    text +=
        p.share < 1 ? fmt::format("{:14.2f}\n", 1 / (1 - p.share)) : fmt::format("{:>14}\n", "inf");
  }
  double mean = 0;
  double squares = 0;
  const auto n = static_cast<double>(h.count());
  h.each([&](duration v, std::uint64_t count) {
    mean += milliseconds(v) * static_cast<double>(count) / n;
    squares += milliseconds(v) * milliseconds(v) * static_cast<double>(count) / n;
  });
  const auto deviation = std::sqrt(std::max(0.0, squares - mean * mean));
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", mean, deviation);
  text += fmt::format(
      "#[Max     = {:12.3f}, Total count    = {:12d}]\n", milliseconds(h.max()), h.count());
  return text;
}

}  // namespace redial::churn
