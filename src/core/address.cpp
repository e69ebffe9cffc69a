// SPDX-License-Identifier: Apache-2.0
#include <redial/core/address.hpp>
#include <redial/core/error.hpp>

#include <net/if.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI {
namespace {

namespace ip = boost::asio::ip;

// Longer than any address: 45 characters, a zone of 15, brackets and the '%'.
constexpr std::size_t longest_address = 64;

// The index of the interface that `zone` names, if there is one.
std::optional<ip::scope_id_type> find_zone(const std::string& zone) {
  if (const unsigned index = ::if_nametoindex(zone.c_str()); index != 0) return index;
  unsigned index = 0;
  const char* const end = zone.data() + zone.size();
  const auto [stopped, failure] = std::from_chars(zone.data(), end, index);
  char name[IF_NAMESIZE];
  if (failure != std::errc{} || stopped != end || ::if_indextoname(index, name) == nullptr) {
    return std::nullopt;
  }
  return index;
}

std::optional<address> parse_v4(const std::string& text) {
  error_code ec;
  const auto parsed = ip::make_address_v4(text, ec);
  // Some C libraries read `010` as ten and some as eight: only the canonical text is an address.
  if (ec || parsed.to_string() != text) return std::nullopt;
  return parsed;
}

std::optional<address> parse_v6(std::string_view text) {
  const auto percent = text.find('%');
  error_code ec;
  auto parsed = ip::make_address_v6(std::string(text.substr(0, percent)), ec);
  if (ec) return std::nullopt;
  if (percent == std::string_view::npos) return parsed;
  const auto zone = find_zone(std::string(text.substr(percent + 1)));
  if (!zone) return std::nullopt;
  // Elsewhere the zone has no meaning, and two spellings of one address must be equal.
  if (parsed.is_link_local() || parsed.is_multicast_link_local()) parsed.scope_id(*zone);
  return parsed;
}

std::optional<address> parse_any(std::string_view text) {
  if (text.empty() || text.size() > longest_address) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (text.front() == '[') {
    if (text.back() != ']') return std::nullopt;
    return parse_v6(text.substr(1, text.size() - 2));
  }
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  return parse_v4(std::string(text));
}

}  // namespace

boost::system::result<address> parse_address(std::string_view text) {
  if (const auto parsed = parse_any(text)) return *parsed;
  return make_error_code(errc::bad_address);
}

address unmapped(const address& a) {
  if (!a.is_v6() || !a.to_v6().is_v4_mapped()) return a;
  return ip::make_address_v4(ip::v4_mapped, a.to_v6());
}

bool is_dialable(const address& a) {
  const address plain = unmapped(a);
  if (plain.is_unspecified() || plain.is_multicast()) return false;
  return plain.is_v6() || plain.to_v4() != ip::address_v4::broadcast();
}

}  // namespace redial::inline REDIAL_ABI
