// SPDX-License-Identifier: Apache-2.0
// What freshness costs, and how evenly requests are spread.

#include "churn/charts.hpp"
#include "churn/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace redial::churn {

namespace {

struct cost {
  const char* title;
  double (*of)(const summary&);
};

constexpr std::array<cost, 4> costs{
    {{"on old addresses, s", [](const summary& s) { return seconds(s.stale.last); }},
     {"failed requests", [](const summary& s) { return static_cast<double>(s.failed); }},
     {"connections opened", [](const summary& s) { return static_cast<double>(s.connections); }},
     {"DNS queries", [](const summary& s) {
        return s.dns_queries == not_counted ? std::nan("") : static_cast<double>(s.dns_queries);
      }}}};

std::string value_text(double v) {
  return v == std::floor(v) ? fmt::format("{:.0f}", v) : fmt::format("{:.1f}", v);
}

}  // namespace

double draw_costs(svg::drawing& d, const run_record& run, double width, double y) {
  constexpr double names = 210;
  constexpr double value_room = 56;
  constexpr double row_height = 20;
  const auto column = (width - names) / static_cast<double>(costs.size());
  std::vector<summary> all;
  std::vector<const contestant_record*> who;
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) continue;
    all.push_back(summarize(run, c));
    who.push_back(&c);
  }
  const auto first = y + 26;
  for (std::size_t i = 0; i < who.size(); ++i) {
    const auto base = first + static_cast<double>(i) * row_height + 13;
    d.text(names - 12, base, who[i]->title, "ink small", "end");
  }
  for (std::size_t k = 0; k < costs.size(); ++k) {
    const auto left = names + static_cast<double>(k) * column;
    d.text(left, y + 14, costs[k].title, "ink small strong");
    double most = 0;
    for (const auto& s : all) most = std::max(most, costs[k].of(s));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto top = first + static_cast<double>(i) * row_height;
      const auto value = costs[k].of(all[i]);
      if (std::isnan(value)) {
        d.text(left, top + 13, "not counted", "ink small");
        continue;
      }
      const auto bar = most > 0 ? value / most * (column - value_room - 8) : 0;
      d.rect(
          left, top + 2, std::max(bar, 1.0), row_height - 6, who[i]->id == "redial" ? "p0" : "p7");
      d.text(left + bar + 6, top + 13, value_text(value), "ink small");
    }
  }
  return 26 + static_cast<double>(who.size()) * row_height + 6;
}

namespace {

constexpr double share_height = 64;
constexpr double share_head = 26;

// By backend and slice of time.
struct slices {
  slices(const contestant_record& c, const time_axis& x) {
    counts.resize(c.servings.size());
    const auto n = static_cast<std::size_t>(std::ceil(x.length / width_for(x)));
    for (std::size_t i = 0; i <= n; ++i)
      edges.push_back(x(std::min(x.length, static_cast<double>(i) * width_for(x))));
    for (auto& list : counts) list.assign(n, 0);
    totals.assign(n, 0);
    for (std::size_t b = 0; b < c.servings.size(); ++b) {
      for (const auto& s : c.servings[b]) {
        const auto i =
            std::min(n - 1, static_cast<std::size_t>(std::max(0.0, seconds(s.at)) / width_for(x)));
        ++counts[b][i];
        ++totals[i];
      }
    }
  }
  double width_for(const time_axis& x) const {
    return std::max(0.25, x.length / (counts.size() > 12 ? 30 : 60));
  }
  std::vector<double> edges;
  std::vector<std::vector<double>> counts;
  std::vector<double> totals;
};

// Its letter where a backend's share is greatest, if it fits there.
void label(svg::drawing& d,
           const std::string& name,
           const std::vector<double>& shares,
           const std::vector<double>& tops,
           const slices& s,
           double floor) {
  const auto widest = std::max_element(shares.begin(), shares.end());
  if (widest == shares.end() || *widest * share_height < 13) return;
  // The middle of the stretch in which it is about as great.
  const auto first = static_cast<std::size_t>(widest - shares.begin());
  auto last = first;
  while (last + 1 < shares.size() && shares[last + 1] > *widest * 0.7) ++last;
  const auto at = (first + last) / 2;
  if (s.edges[last + 1] - s.edges[first] < 12) return;
  const auto middle = floor - tops[at] + shares[at] * share_height / 2;
  d.text((s.edges[at] + s.edges[at + 1]) / 2, middle + 4, name, "on small strong", "middle");
}

void draw_share(svg::drawing& d,
                const run_record& run,
                const contestant_record& c,
                const time_axis& x,
                double floor) {
  const slices s(c, x);
  std::vector<double> reached(s.totals.size(), 0);
  std::vector<std::vector<double>> tops;
  for (const auto& counts : s.counts) {
    auto& t = tops.emplace_back(reached.size(), 0);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (s.totals[i] == 0) continue;
      reached[i] += counts[i] / s.totals[i] * share_height;
      if (counts[i] > 0) t[i] = reached[i];
    }
  }
  // From the topmost down: each covers the lower part of those above it.
  for (std::size_t b = tops.size(); b-- > 0;)
    d.path(svg::columns(s.edges, tops[b], floor), fmt::format("p{}", b % svg::palette_size));
  for (std::size_t b = 0; b < tops.size(); ++b) {
    std::vector<double> shares;
    for (std::size_t i = 0; i < s.totals.size(); ++i)
      shares.push_back(s.totals[i] == 0 ? 0 : s.counts[b][i] / s.totals[i]);
    label(d, run.backends[b].name, shares, tops[b], s, floor);
  }
}

}  // namespace

double draw_shares(svg::drawing& d, const run_record& run, const time_axis& x, double y) {
  double used = 0;
  for (const auto& c : run.contestants) {
    if (!c.absent.empty()) continue;
    const auto floor = y + used + share_head + share_height;
    d.text(x.left - 40, y + used + 18, c.title, "ink small strong");
    d.text(x.left - 6, floor - share_height + 10, "100 %", "soft small", "end");
    draw_share(d, run, c, x, floor);
    draw_event_lines(d, run, x, floor - share_height - 3, floor);
    d.line(x.left, floor, x.right, floor, "base");
    used += share_head + share_height;
  }
  return used + 6;
}

}  // namespace redial::churn
