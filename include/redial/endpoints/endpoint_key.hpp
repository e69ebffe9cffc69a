// SPDX-License-Identifier: Apache-2.0
#pragma once

// What calls have in common that should meet at one endpoint.

#include <redial/core/abi.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace redial::inline REDIAL_ABI {

/// A customer, a document, a shard: calls with equal keys go to the same endpoint as long as it can
/// serve (see `balancing::consistent_hash`). Made from a number or from a text, of which only a
/// 64-bit hash is kept.
///
/// The hash of a text, and which endpoint a key belongs to, depend on nothing but the key and the
/// endpoints (SRV target, address, port, and their weights where these differ): no seed, no order
/// of arrival, no platform. Processes of every version of this library agree; should that ever have
/// to change, it is a breaking change.
class REDIAL_API endpoint_key {
 public:
  /// No key.
  endpoint_key() = default;
  template <std::integral Number>
  endpoint_key(Number n) noexcept  // NOLINT: a number is a key
      : value_(static_cast<std::uint64_t>(n)), is_set_(true) {}
  /// `text` is not kept. An empty one is a key, too.
  template <class Text>
  requires std::is_convertible_v<const Text&, std::string_view> endpoint_key(const Text& text)
  noexcept  // NOLINT: so is a text
      : value_(hash(std::string_view(text))), is_set_(true) {}

  [[nodiscard]] explicit operator bool() const noexcept { return is_set_; }
  /// The number, or the hash of the text. 0 without a key.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  [[nodiscard]] static std::uint64_t hash(std::string_view text) noexcept;

  std::uint64_t value_ = 0;
  bool is_set_ = false;
};

}  // namespace redial::inline REDIAL_ABI
