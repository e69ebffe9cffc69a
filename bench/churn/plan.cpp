// SPDX-License-Identifier: Apache-2.0
#include "churn/plan.hpp"

#include <algorithm>
#include <iterator>
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

// Of requests that are `1 / rate` apart, the first one at zero.
std::size_t planned_before(duration end, std::int64_t rate) {
  return static_cast<std::size_t>(first_after(nanoseconds(end) - 1, rate));
}

}  // namespace

send_plan::send_plan(std::uint32_t rate, duration length)
    : send_plan(std::vector<load_phase>{{duration::zero(), rate}}, length) {}

send_plan::send_plan(const std::vector<load_phase>& phases, duration length) {
  if (length <= duration::zero()) throw std::invalid_argument("length: must be positive");
  if (phases.empty() || phases.front().from != duration::zero()) {
    throw std::invalid_argument("load: begins at zero");
  }
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const auto& p = phases[i];
    if (p.rate == 0 || p.rate > 1'000'000) {
      throw std::invalid_argument("rate: 1 to 1000000 requests per second");
    }
    // The end of a phase is not part of it.
    const auto end = i + 1 < phases.size() ? phases[i + 1].from : length;
    if (end <= p.from) throw std::invalid_argument("load: phases begin one after the other");
    const auto size = planned_before(end - p.from, p.rate);
    parts_.push_back({p.from, p.rate, size_, size});
    size_ += size;
  }
}

duration send_plan::at(std::size_t index) const noexcept {
  // The last part that begins at or before it; one without requests begins where its successor
  // does.
  auto next =
      std::upper_bound(parts_.begin(), parts_.end(), index, [](std::size_t i, const part& p) {
        return i < p.first;
      });
  const auto& p = *std::prev(next);
  const auto i = static_cast<std::int64_t>(index - p.first);
  // Rounded up, so that a request is never due before its time.
  const auto rest = (i % p.rate * second + p.rate - 1) / p.rate;
  return p.from + std::chrono::nanoseconds{i / p.rate * second + rest};
}

std::size_t send_plan::due(duration offset) const noexcept {
  std::size_t due = 0;
  for (const auto& p : parts_) {
    if (offset < p.from) break;
    const auto passed = first_after(nanoseconds(offset - p.from), p.rate);
    due = p.first + std::min(p.size, static_cast<std::size_t>(passed));
  }
  return due;
}

}  // namespace redial::churn
