// SPDX-License-Identifier: Apache-2.0

// Source: J. Dean, L. Barroso, "The Tail at Scale" (CACM 56, 2013): a second request after the 95th
// percentile cuts the tail at a cost of about 5 % more load. The cap keeps that true when
// everything becomes slow at once.

#include "client/hedge_trigger.hpp"

#include <algorithm>
#include <cmath>

namespace redial::inline REDIAL_ABI::detail {

namespace {

retry_policy cap_of(const hedge_policy& p) {
  retry_policy cap;
  cap.budget_percent = p.max_percent;
  cap.budget_per_second = 0;
  return cap;
}

}  // namespace

hedge_trigger::hedge_trigger(const hedge_policy& policy) noexcept
    : policy_(policy), cap_(cap_of(policy)) {
  if (policy_.when == hedge_policy::trigger::after_delay) delay_ = policy_.delay;
}

void hedge_trigger::succeeded(duration latency) noexcept {
  if (policy_.when != hedge_policy::trigger::after_percentile) return;
  last_[seen_ % kept] = latency;
  ++seen_;
  if (seen_ >= policy_.min_samples && (delay_ == never || seen_ % step == 0)) look();
}

void hedge_trigger::look() noexcept {
  auto sorted = last_;
  const std::size_t count = std::min(seen_, kept);
  const double rank = std::ceil(static_cast<double>(count) * policy_.percentile / 100);
  const auto at = std::clamp<std::size_t>(static_cast<std::size_t>(rank), 1, count) - 1;
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(sorted.begin(), nth, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  delay_ = std::max(policy_.delay, *nth);
}

}  // namespace redial::inline REDIAL_ABI::detail
