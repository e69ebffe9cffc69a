// SPDX-License-Identifier: Apache-2.0
#include "churn/plan.hpp"

#include <algorithm>
#include <stdexcept>

namespace redial::churn {

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t nanoseconds(duration d) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
}

// The first index whose time is after `offset`. Seconds and their rest apart, so that nothing
// overflows within a day at the highest rate.
std::int64_t first_after(std::int64_t offset, std::int64_t rate) {
  const auto whole = offset / second * rate;
  return whole + offset % second * rate / second + 1;
}

}  // namespace

send_plan::send_plan(std::uint32_t rate, duration length) : rate_(rate), size_(0) {
  if (rate == 0 || rate > 1'000'000) {
    throw std::invalid_argument("rate: 1 to 1000000 requests per second");
  }
  if (length <= duration::zero()) throw std::invalid_argument("length: must be positive");
  // The end of the run is not part of it.
  size_ = static_cast<std::size_t>(first_after(nanoseconds(length) - 1, rate_));
}

duration send_plan::at(std::size_t index) const noexcept {
  const auto i = static_cast<std::int64_t>(index);
  // Rounded up, so that a request is never due before its time.
  const auto rest = (i % rate_ * second + rate_ - 1) / rate_;
  return std::chrono::nanoseconds{i / rate_ * second + rest};
}

std::size_t send_plan::due(duration offset) const noexcept {
  if (offset < duration::zero()) return 0;
  return std::min(size_, static_cast<std::size_t>(first_after(nanoseconds(offset), rate_)));
}

}  // namespace redial::churn
