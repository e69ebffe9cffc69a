// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures of one run besides its lanes. Contestants that were absent are left out. Each returns
// the height it used below `y`.

#include "churn/lanes.hpp"
#include "churn/record.hpp"
#include "churn/svg.hpp"

namespace redial::churn {

/// When requests of `c` were planned, how long they took (logarithmic), failures in red; p99 over
/// time, and that of redial beside it.
double draw_latency(svg::drawing& d,
                    const run_record& run,
                    const contestant_record& c,
                    const time_axis& x,
                    double y);

/// Latency (logarithmic) by percentile, 0 to 99.99 by nines; a curve per contestant.
double draw_percentiles(svg::drawing& d, const run_record& run, double width, double y);

/// What it cost: seconds on old addresses, failures, connections, DNS queries; a row per
/// contestant.
double draw_costs(svg::drawing& d, const run_record& run, double width, double y);

/// Which share of the requests each backend received over time; a row per contestant.
double draw_shares(svg::drawing& d, const run_record& run, const time_axis& x, double y);

}  // namespace redial::churn
