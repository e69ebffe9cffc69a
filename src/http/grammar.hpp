// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may stand where in an HTTP/1.1 request (RFC 9110 §5, RFC 9112 §3).

#include <redial/core/abi.hpp>

#include <algorithm>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Field names and codings compare without regard to case, in ASCII.
[[nodiscard]] constexpr bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// RFC 9110 §5.6.2: one or more of letters, digits and !#$%&'*+-.^_`|~
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// RFC 9110 §5.5: visible characters, space, tab, and bytes above 127. Nothing that could end the
/// line or the string.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// RFC 9112 §3.2.1: starts with `/`; visible ASCII without `#`, which never leaves a browser.
[[nodiscard]] bool is_origin_form(std::string_view text) noexcept;

/// RFC 9110 §7.2: a host, or address in brackets, with or without a port. Not empty.
[[nodiscard]] bool is_host_value(std::string_view text) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
