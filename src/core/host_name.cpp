// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/core/host_name.hpp>

#include <algorithm>
#include <optional>

// Sources: RFC 1035 §2.3.4 (lengths), RFC 2181 §11 (any byte may be in a name, hence the underscore
// and the leading hyphen), RFC 6761 §6.3 (localhost), RFC 7686 (.onion), RFC 3696 §2 (a last label
// is not all digits). Steps: an address in colons, then characters, lengths, special names; what
// ends in a number is an IPv4 address or nothing.

namespace redial::inline REDIAL_ABI {
namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

// Not <cctype>: that follows the locale.
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }
constexpr bool is_name_character(char c) noexcept {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

std::optional<errc> check_characters(std::string_view text) {
  // First, because the hint it brings is the more useful one.
  if (!std::ranges::all_of(text, is_ascii)) return errc::name_not_ascii;
  if (!std::ranges::all_of(text, is_name_character)) return errc::bad_name;
  return std::nullopt;
}

bool has_legal_lengths(std::string_view name) {
  if (name.empty() || name.size() > longest_name) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c != '.') {
      ++label;
    } else if (label == 0 || label > longest_label) {
      return false;
    } else {
      label = 0;
    }
  }
  return label != 0 && label <= longest_label;
}

bool is_or_ends_in(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::string_view last_label(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

// The address that a user wrote, as it is dialled.
boost::system::result<address> parse_literal(std::string_view text) {
  const auto parsed = parse_address(text);
  if (!parsed) return parsed.error();
  if (!is_dialable(*parsed)) return make_error_code(errc::bad_address);
  return unmapped(*parsed);
}

}  // namespace

boost::system::result<host_name> host_name::parse(std::string_view text) {
  host_name host;
  const auto literal = [&host](std::string_view written) -> boost::system::result<host_name> {
    const auto parsed = parse_literal(written);
    if (!parsed) return parsed.error();
    host.text_ = parsed->to_string();
    host.addresses_ = {*parsed};
    host.literal_ = true;
    return host;
  };

  if (text.find_first_of("[]:") != std::string_view::npos) return literal(text);
  if (const auto wrong = check_characters(text)) return make_error_code(*wrong);

  std::string_view name = text;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!has_legal_lengths(name)) return make_error_code(errc::bad_name);
  // With the dot: `10.0.0.1.` is a name by its form and an address by its look. It is neither.
  if (std::ranges::all_of(last_label(name), is_digit)) return literal(text);

  host.text_.resize(name.size());
  std::ranges::transform(name, host.text_.begin(), lower);
  if (is_or_ends_in(host.text_, "onion")) return make_error_code(errc::name_not_found);
  if (is_or_ends_in(host.text_, "localhost")) {
    host.addresses_ = {boost::asio::ip::address_v4::loopback(),
                       boost::asio::ip::address_v6::loopback()};
  }
  return host;
}

}  // namespace redial::inline REDIAL_ABI
