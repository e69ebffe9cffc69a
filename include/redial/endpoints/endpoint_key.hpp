// SPDX-License-Identifier: Apache-2.0
#pragma once

// What calls have in common that should meet at one endpoint.

#include <redial/core/abi.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {

namespace detail {

/// Numbers that may be keys: a comparison or a single character given as one is a mistake.
template <class T>
concept key_number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                     !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                     !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

}  // namespace detail

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
  /// Any integer; a negative one as two's complement. No bool and no character: `"7"` and 7 are
  /// keys, '7' is not.
  template <detail::key_number Number>
  endpoint_key(Number n) noexcept  // NOLINT: a number is a key
      : value_(static_cast<std::uint64_t>(n)), is_set_(true) {}
  /// `text` is not kept. An empty one is a key, too.
  endpoint_key(std::string_view text) noexcept  // NOLINT: so is a text
      : value_(hash(text)), is_set_(true) {}
  /// The same.
  endpoint_key(const std::string& text) noexcept  // NOLINT
      : endpoint_key(std::string_view(text)) {}
  /// Null: no key.
  endpoint_key(const char* text) noexcept {  // NOLINT
    if (text != nullptr) *this = std::string_view(text);
  }
  endpoint_key(std::nullptr_t) = delete;

  /// True when there is a key.
  [[nodiscard]] explicit operator bool() const noexcept { return is_set_; }
  /// The number, or the hash of the text. 0 without a key.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

  /// No key equals no other but no key.
  friend bool operator==(const endpoint_key&, const endpoint_key&) noexcept = default;

 private:
  [[nodiscard]] static std::uint64_t hash(std::string_view text) noexcept;

  std::uint64_t value_ = 0;
  bool is_set_ = false;
};

}  // namespace redial::inline REDIAL_ABI
