// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts of durations in buckets that grow with the value: percentiles in a few kilobytes.

#include <redial/core/time.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace redial::churn {

/// Log-linear histogram of durations: 64 buckets per power of two above 64 us, so a percentile is
/// at most 1.6 % too high and never too low. Values below 64 us are exact to the microsecond;
/// values over 71 minutes count as that.
class histogram {
 public:
  void add(duration value) noexcept;
  void add(const histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] duration max() const noexcept { return std::chrono::microseconds{max_}; }
  /// The smallest recorded value that `percent` of all values do not exceed. `percent` 0 to 100;
  /// zero when nothing was recorded.
  [[nodiscard]] duration percentile(double percent) const noexcept;
  /// How many values lie in the buckets up to the one that `value` falls into.
  [[nodiscard]] std::uint64_t count_up_to(duration value) const noexcept;

  /// Calls `f(value, count)` for each value that occurred, as exactly as it is known, in order.
  template <class F>
  void each(F f) const {
    for (std::size_t i = 0; i < bucket_count; ++i) {
      if (buckets_[i] != 0)
        f(duration{std::chrono::microseconds{std::min(upper_end(i), max_)}}, buckets_[i]);
    }
  }

 private:
  static constexpr std::uint32_t sub_bits = 6;
  static constexpr std::uint32_t sub_count = 1U << sub_bits;
  static constexpr std::size_t bucket_count = sub_count * (32 - sub_bits + 1);

  static std::uint32_t cut(duration value) noexcept;
  static std::size_t bucket_of(std::uint32_t value) noexcept;
  static std::uint32_t upper_end(std::size_t bucket) noexcept;

  std::array<std::uint64_t, bucket_count> buckets_{};
  std::uint64_t count_ = 0;
  std::uint32_t max_ = 0;
};

}  // namespace redial::churn
