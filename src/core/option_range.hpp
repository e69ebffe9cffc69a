// SPDX-License-Identifier: Apache-2.0
#pragma once

// Refuses an option that is out of its range, with its name, its value and the range.

#include <redial/core/time.hpp>

#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// One end of a legal range; `option` names the other option whose value it is, if it is one.
template <class Value>
struct range_end {
  Value value;
  const char* option = nullptr;
};

/// Each throws `std::invalid_argument` when `value` is not in [low, high].
/// `owner` and `name` as in `pool_options`, `min_idle`.
REDIAL_API void check_count(const char* owner,
                            const char* name,
                            std::uint64_t value,
                            range_end<std::uint64_t> low,
                            range_end<std::uint64_t> high);
REDIAL_API void check_time(const char* owner,
                           const char* name,
                           duration value,
                           range_end<duration> low,
                           range_end<duration> high);
/// A NaN is out of every range.
REDIAL_API void check_number(const char* owner,
                             const char* name,
                             double value,
                             range_end<double> low,
                             range_end<double> high);

}  // namespace redial::inline REDIAL_ABI::detail
