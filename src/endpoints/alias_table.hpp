// SPDX-License-Identifier: Apache-2.0
#pragma once

// Draws by weight at the cost of one random number, however many there are.

#include <redial/core/abi.hpp>

#include "endpoints/fast_random.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The alias method (Walker 1977; built as Vose 1991 does). Every place holds a threshold and one
/// other place to go to beyond it.
class alias_table {
 public:
  /// So that `build` for up to `n` weights does not allocate.
  void reserve(std::size_t n);
  /// Draws place i with probability shares[i] / sum. Every share > 0; sum x n must fit in 64 bits.
  void build(const std::vector<std::uint64_t>& shares);

  /// Only after `build`.
  [[nodiscard]] std::uint32_t draw(fast_random& random) const noexcept {
    const std::uint64_t n = random.next();
    const auto i = static_cast<std::uint32_t>(((n >> 32U) * cells_.size()) >> 32U);
    return static_cast<std::uint32_t>(n) <= cells_[i].threshold ? i : cells_[i].other;
  }

 private:
  struct cell {
    std::uint32_t threshold = 0;  // of 2^32
    std::uint32_t other = 0;
  };
  std::vector<cell> cells_;
  std::vector<std::uint64_t> left_;     // scratch: what a place has yet to give away
  std::vector<std::uint32_t> pending_;  // scratch: the small ones from the front, the large behind
};

}  // namespace redial::inline REDIAL_ABI::detail
