// SPDX-License-Identifier: Apache-2.0
#pragma once

// The retry budget that several clients have in common.

#include <redial/client/options.hpp>

#include "client/retry_budget.hpp"

#include <mutex>

namespace redial::inline REDIAL_ABI {

/// A `retry_budget` with a lock of its own, a leaf.
class shared_retry_budget {
 public:
  explicit shared_retry_budget(const retry_policy& limits) : budget_(limits) {}

  void call_started(time_point now) {
    const std::lock_guard lock(mutex_);
    budget_.call_started(now);
  }
  [[nodiscard]] bool try_spend(time_point now) {
    const std::lock_guard lock(mutex_);
    return budget_.try_spend(now);
  }

 private:
  std::mutex mutex_;
  detail::retry_budget budget_;
};

}  // namespace redial::inline REDIAL_ABI
