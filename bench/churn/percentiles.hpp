// SPDX-License-Identifier: Apache-2.0
#pragma once

// A distribution as HdrHistogram prints it, which its plotters read.

#include "churn/histogram.hpp"

#include <string>
#include <vector>

namespace redial::churn {

struct percentile_point {
  double share = 0;  ///< 0 to 1.
  duration value{};
  std::uint64_t count = 0;  ///< Values up to `value`.
};

/// Percentiles that lie closer the nearer they are to 100: `ticks` for each halving of the
/// distance, until the maximum. Empty for an empty histogram.
[[nodiscard]] std::vector<percentile_point> percentile_points(const histogram& h, int ticks = 5);

/// The percentile table in milliseconds: columns Value, Percentile, TotalCount, 1/(1-Percentile),
/// then mean, deviation and maximum behind `#`.
[[nodiscard]] std::string percentiles(const histogram& h);

}  // namespace redial::churn
