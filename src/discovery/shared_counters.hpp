// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counters that one strand writes and any thread reads.

#include <redial/core/counters.hpp>
#include <redial/core/histogram.hpp>

#include <cstdint>
#include <mutex>

namespace redial::inline REDIAL_ABI::detail {

/// \par Threads Safe from any thread. Far from any hot path: a lock is cheap enough here.
class shared_counters {
 public:
  using field = std::uint64_t dns_counters::*;

  void add(field f, std::uint64_t n = 1) noexcept {
    const std::lock_guard lock(mutex_);
    values_.*f += n;
  }
  /// Several at once, under one lock: `how(dns_counters&, dns_histograms&)`.
  template <class Change>
  void change(const Change& how) noexcept {
    const std::lock_guard lock(mutex_);
    how(values_, histograms_);
  }
  [[nodiscard]] dns_counters copy() const noexcept {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  [[nodiscard]] dns_histograms histograms() const noexcept {
    const std::lock_guard lock(mutex_);
    return histograms_;
  }

 private:
  mutable std::mutex mutex_;
  dns_counters values_;
  dns_histograms histograms_;
};

}  // namespace redial::inline REDIAL_ABI::detail
