// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hashes that must never change: processes of different versions agree by them which endpoint a key
// belongs to. It is the one with the highest mix(hash_of(endpoint) ^ key).

#include <redial/core/endpoint.hpp>

#include <cstdint>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// Every bit of `n` changes half of the result's: the last steps of SplitMix64.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t n) noexcept {
  n = (n ^ (n >> 30U)) * 0xBF58476D1CE4E5B9U;
  n = (n ^ (n >> 27U)) * 0x94D049BB133111EBU;
  return n ^ (n >> 31U);
}

/// 64-bit FNV-1a, mixed.
[[nodiscard]] std::uint64_t hash_of(std::string_view bytes) noexcept;
/// Of what makes it the same endpoint: the 4 or 16 bytes of its address, its port in network order,
/// its SRV target.
[[nodiscard]] std::uint64_t hash_of(const endpoint& e);

}  // namespace redial::inline REDIAL_ABI::detail
