// SPDX-License-Identifier: Apache-2.0
#include "churn/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace redial::churn {

// A value below 64 has its own bucket. Above, the position of its top bit chooses a row of 64
// buckets, the six bits below the top one the bucket.
std::size_t histogram::bucket_of(std::uint32_t value) noexcept {
  if (value < sub_count) return value;
  const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - sub_bits - 1;
  return std::size_t{shift} * sub_count + (value >> shift);
}

std::uint32_t histogram::upper_end(std::size_t bucket) noexcept {
  if (bucket < sub_count) return static_cast<std::uint32_t>(bucket);
  const auto shift = bucket / sub_count - 1;
  const auto top = static_cast<std::uint64_t>(bucket % sub_count + sub_count + 1) << shift;
  return static_cast<std::uint32_t>(top - 1);
}

std::uint32_t histogram::cut(duration value) noexcept {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(us, 0, std::numeric_limits<std::uint32_t>::max()));
}

void histogram::add(duration value) noexcept {
  const auto us = cut(value);
  ++buckets_[bucket_of(us)];
  ++count_;
  max_ = std::max(max_, us);
}

void histogram::add(const histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

duration histogram::percentile(double percent) const noexcept {
  if (count_ == 0) return duration::zero();
  const auto share = std::clamp(percent, 0.0, 100.0) / 100.0;
  // The rank by ceiling; a hair less, because 99.9 % of 1000 is a little over 999 in binary.
  const auto exact = share * static_cast<double>(count_) - 1e-6;
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(exact)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::chrono::microseconds{std::min(upper_end(i), max_)};
  }
  return max();
}

std::uint64_t histogram::count_up_to(duration value) const noexcept {
  const auto last = buckets_.begin() + static_cast<std::ptrdiff_t>(bucket_of(cut(value))) + 1;
  return std::accumulate(buckets_.begin(), last, std::uint64_t{0});
}

}  // namespace redial::churn
