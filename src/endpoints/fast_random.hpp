// SPDX-License-Identifier: Apache-2.0
#pragma once

// A seeded source of chance, cheap enough for every checkout.

#include <redial/core/time.hpp>

#include <algorithm>
#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// SplitMix64: one addition and three multiplications a number, no state beyond 64 bits. Choice and
/// jitter need spread, not secrecy.
class fast_random {
 public:
  explicit fast_random(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, bound), without a division. `bound` > 0.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept {
    return scaled(static_cast<std::uint32_t>(next() >> 32U), bound);
  }

  struct pair {
    std::uint32_t first, second;
  };
  /// Two different indices below `bound`, from one number. `bound` > 1.
  [[nodiscard]] pair two_below(std::uint32_t bound) noexcept {
    const std::uint64_t n = next();
    const auto first = scaled(static_cast<std::uint32_t>(n >> 32U), bound);
    auto second = scaled(static_cast<std::uint32_t>(n), bound - 1);
    if (second >= first) ++second;
    return {first, second};
  }

  /// Uniform in [low, high] times `d`.
  [[nodiscard]] duration share(duration d, double low, double high) noexcept {
    const double unit = static_cast<double>(next() >> 11U) * 0x1.0p-53;
    const double factor = low + (high - low) * unit;
    return duration{static_cast<duration::rep>(static_cast<double>(d.count()) * factor)};
  }

 private:
  static std::uint32_t scaled(std::uint32_t value, std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{value} * bound) >> 32U);
  }

  std::uint64_t state_;
};

/// The wait before try `failures` + 1: `base` doubling to `max`, of which the last half is jitter,
/// so that clients that failed together do not come back together. `failures` > 0.
[[nodiscard]] inline duration backoff(duration base,
                                      duration max,
                                      std::uint32_t failures,
                                      fast_random& random) noexcept {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures - 1, 30);
  const duration full = base > max / (1 << doublings) ? max : base * (1 << doublings);
  return random.share(full, 0.5, 1.0);
}

}  // namespace redial::inline REDIAL_ABI::detail
