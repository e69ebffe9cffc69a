// SPDX-License-Identifier: Apache-2.0
#pragma once

// Both sides of a comparison in turn, so that what disturbs one disturbs the other.

#include "micro/subject.hpp"
#include "support/figures.hpp"

#include <cstddef>

namespace redial::micro {

/// The median over `rounds` of the ratio of one round, which is the median of the ratios of a few
/// pairs of short slices.
[[nodiscard]] bench::figure compare(const comparison& c, std::size_t rounds);

}  // namespace redial::micro
