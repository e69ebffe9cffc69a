// SPDX-License-Identifier: Apache-2.0
#include <redial/core/histogram.hpp>

#include <algorithm>

namespace redial::inline REDIAL_ABI {

void latency_histogram::add(duration took, std::uint64_t times) noexcept {
  const duration d = std::max(took, duration::zero());
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), d);
  buckets_[static_cast<std::size_t>(at - bounds.begin())] += times;
  const auto us = std::chrono::round<std::chrono::microseconds>(d).count();
  sum_ += static_cast<std::uint64_t>(us) * times;
}

latency_histogram& latency_histogram::operator+=(const latency_histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  sum_ += other.sum_;
  return *this;
}

std::uint64_t latency_histogram::count() const noexcept {
  std::uint64_t all = 0;
  for (const std::uint64_t n : buckets_) all += n;
  return all;
}

}  // namespace redial::inline REDIAL_ABI
