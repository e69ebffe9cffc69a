// SPDX-License-Identifier: Apache-2.0

#include "client/retry_budget.hpp"

#include "client/shared_retry_budget.hpp"

#include <algorithm>
#include <chrono>

namespace redial::inline REDIAL_ABI {

std::shared_ptr<shared_retry_budget> make_retry_budget(const retry_policy& limits) {
  validate(limits);
  return std::make_shared<shared_retry_budget>(limits);
}

}  // namespace redial::inline REDIAL_ABI

namespace redial::inline REDIAL_ABI::detail {

retry_budget::retry_budget(const retry_policy& policy) noexcept
    : share_(policy.budget_percent / 100),
      constant_(policy.budget_per_second *
                std::chrono::duration<double>(policy.budget_window).count()),
      step_(std::max<duration>(policy.budget_window / slices, duration{1})) {}

std::int64_t retry_budget::number_at(time_point now) const noexcept {
  return now.time_since_epoch() / step_;
}

retry_budget::slice& retry_budget::slice_at(time_point now) noexcept {
  const std::int64_t number = number_at(now);
  slice& s = ring_[static_cast<std::size_t>(static_cast<std::uint64_t>(number) % slices)];
  if (s.number != number) s = slice{number, 0, 0};
  return s;
}

void retry_budget::call_started(time_point now) noexcept { ++slice_at(now).calls; }

bool retry_budget::try_spend(time_point now) noexcept {
  slice& current = slice_at(now);
  const std::int64_t oldest = current.number - static_cast<std::int64_t>(slices) + 1;
  std::uint64_t calls = 0;
  std::uint64_t retries = 0;
  for (const slice& s : ring_) {
    if (s.number < oldest || s.number > current.number) continue;
    calls += s.calls;
    retries += s.retries;
  }
  const double allowed = share_ * static_cast<double>(calls) + constant_;
  if (static_cast<double>(retries) + 1 > allowed) return false;
  ++current.retries;
  return true;
}

}  // namespace redial::inline REDIAL_ABI::detail
