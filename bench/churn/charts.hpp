// SPDX-License-Identifier: Apache-2.0
#pragma once

// Latency over time.

#include "churn/lanes.hpp"
#include "churn/record.hpp"
#include "churn/svg.hpp"

namespace redial::churn {

/// A dot per request: when it was planned, how long it took (logarithmic). Returns the height used.
double draw_latency(svg::drawing& d,
                    const run_record& run,
                    const contestant_record& c,
                    const time_axis& x,
                    double y);

/// Failed requests per half second of all contestants, one row each. Returns the height used.
double draw_failures_over_time(svg::drawing& d,
                               const run_record& run,
                               const time_axis& x,
                               double y);

}  // namespace redial::churn
