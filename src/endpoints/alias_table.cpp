// SPDX-License-Identifier: Apache-2.0
#include "endpoints/alias_table.hpp"

#include <limits>
#include <numeric>

namespace redial::inline REDIAL_ABI::detail {

void alias_table::reserve(std::size_t n) {
  cells_.reserve(n);
  left_.reserve(n);
  pending_.reserve(n);
}

// In units of 1/n: a place is full at `sum`. Each small place takes what it lacks from a large one,
// which may thereby become small.
void alias_table::build(const std::vector<std::uint64_t>& shares) {
  constexpr std::uint32_t always = std::numeric_limits<std::uint32_t>::max();
  const std::size_t n = shares.size();
  const std::uint64_t sum = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
  cells_.resize(n);
  left_.resize(n);
  pending_.resize(n);
  std::size_t small = 0;
  std::size_t large = n;
  for (std::uint32_t i = 0; i < n; ++i) {
    left_[i] = shares[i] * n;
    cells_[i] = {always, i};
    (left_[i] < sum ? pending_[small++] : pending_[--large]) = i;
  }
  while (small > 0 && large < n) {
    const std::uint32_t taker = pending_[--small];
    const std::uint32_t giver = pending_[large];
    const double part = static_cast<double>(left_[taker]) / static_cast<double>(sum);
    cells_[taker] = {static_cast<std::uint32_t>(part * 0x1.0p32), giver};
    left_[giver] -= sum - left_[taker];
    if (left_[giver] < sum) {
      ++large;
      pending_[small++] = giver;
    }
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
