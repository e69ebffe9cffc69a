// SPDX-License-Identifier: Apache-2.0
#include "endpoints/endpoint_hash.hpp"

#include <redial/endpoints/endpoint_key.hpp>

#include <string>

namespace redial::inline REDIAL_ABI {

std::uint64_t endpoint_key::hash(std::string_view text) noexcept { return detail::hash_of(text); }

namespace detail {

std::uint64_t hash_of(std::string_view bytes) noexcept {
  std::uint64_t h = 0xCBF29CE484222325U;
  for (const char c : bytes) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return mix(h);
}

std::uint64_t hash_of(const endpoint& e) {
  std::string bytes;
  const auto append = [&bytes](const auto& address) {
    for (const auto byte : address.to_bytes()) bytes.push_back(static_cast<char>(byte));
  };
  e.addr.is_v4() ? append(e.addr.to_v4()) : append(e.addr.to_v6());
  bytes.push_back(static_cast<char>(e.port >> 8U));
  bytes.push_back(static_cast<char>(e.port & 0xFFU));
  bytes += e.srv_target;
  return hash_of(std::string_view(bytes));
}

}  // namespace detail
}  // namespace redial::inline REDIAL_ABI
