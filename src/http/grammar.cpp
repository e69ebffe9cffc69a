// SPDX-License-Identifier: Apache-2.0

#include "http/grammar.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

namespace {

constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

constexpr bool is_one_of(char c, std::string_view set) noexcept {
  return set.find(c) != std::string_view::npos;
}

template <class Allowed>
bool all(std::string_view text, Allowed allowed) noexcept {
  return std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() &&
         all(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });
}

bool is_field_value(std::string_view text) noexcept {
  return all(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_origin_form(std::string_view text) noexcept {
  return !text.empty() && text.front() == '/' &&
         all(text, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_host_value(std::string_view text) noexcept {
  return !text.empty() &&
         all(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, "-._~!$&'()*+;=:[]%"); });
}

}  // namespace redial::inline REDIAL_ABI::detail
