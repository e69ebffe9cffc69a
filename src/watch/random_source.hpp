// SPDX-License-Identifier: Apache-2.0
#pragma once

// The randomness of jitter: seeded, small, and the same numbers on every standard library, so that
// a simulation repeats itself.

#include <redial/core/time.hpp>

#include <cstdint>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// SplitMix64 (Steele, Lea, Flood 2014). Good enough for jitter, useless for secrets.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// Uniform in [low, high]; `low` when the range is empty.
  duration between(duration low, duration high) noexcept {
    if (high <= low) return low;
    const auto width = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + duration{static_cast<duration::rep>(next() % width)};
  }

 private:
  std::uint64_t state_;
};

/// One seed per name from the seed of all, so that the order of subscribing changes nothing.
/// (FNV-1a)
[[nodiscard]] inline std::uint64_t seed_for(std::uint64_t seed, std::string_view name) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

}  // namespace redial::inline REDIAL_ABI::detail
