// SPDX-License-Identifier: Apache-2.0
#pragma once

// The picture: a lane per backend, which requests arrived there, and whether DNS still said so.

#include "churn/record.hpp"
#include "churn/svg.hpp"

#include <cstddef>

namespace redial::churn {

/// Where drawings of one run share their time axis.
struct time_axis {
  double left = 56;
  double right = 940;
  double length = 1;  ///< Seconds.
  /// Into how many columns lanes are divided at most, where there are up to a dozen of them; more
  /// have half as many.
  std::size_t columns = 264;
  [[nodiscard]] double operator()(double at) const noexcept {
    return svg::scale{0, length, left, right}(at);
  }
};

/// Labels of the events, above a drawing. Returns the height used below `y`.
double draw_event_labels(svg::drawing& d, const run_record& run, const time_axis& x, double y);
/// Lines at the events, from `top` to `bottom`; drawn first.
void draw_event_lines(
    svg::drawing& d, const run_record& run, const time_axis& x, double top, double bottom);
/// The shade of DNS silence; drawn over everything.
void draw_silence(
    svg::drawing& d, const run_record& run, const time_axis& x, double top, double bottom);
/// Seconds along the bottom.
void draw_time_ticks(svg::drawing& d, const time_axis& x, double y);

/// One client: headline, lanes, failures, with the events' lines. Returns the height used below
/// `y`.
double draw_lanes(svg::drawing& d,
                  const run_record& run,
                  const contestant_record& c,
                  const time_axis& x,
                  double y);
[[nodiscard]] double lanes_height(const run_record& run) noexcept;

}  // namespace redial::churn
