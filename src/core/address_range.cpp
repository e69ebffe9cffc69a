// SPDX-License-Identifier: Apache-2.0
#include <redial/core/address_range.hpp>
#include <redial/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace redial::inline REDIAL_ABI {
namespace {

constexpr int v4_bits = 32;
constexpr int v6_bits = 128;
constexpr int mapped_bits = v6_bits - v4_bits;  // of ::ffff:0:0/96

std::optional<int> parse_length(std::string_view text, int longest) {
  int length = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, length);
  if (failure != std::errc{} || stopped != end || length < 0 || length > longest) {
    return std::nullopt;
  }
  return length;
}

std::array<std::uint8_t, 16> bits_of(const address& a) {
  if (a.is_v6()) return a.to_v6().to_bytes();
  std::array<std::uint8_t, 16> all{};
  std::ranges::copy(a.to_v4().to_bytes(), all.begin());
  return all;
}

}  // namespace

boost::system::result<address_range> address_range::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = parse_address(text.substr(0, slash));
  if (!base) return base.error();
  if (text.find('%') != std::string_view::npos) return make_error_code(errc::bad_address);
  const int longest = base->is_v6() ? v6_bits : v4_bits;
  std::optional<int> length = longest;
  if (slash != std::string_view::npos) length = parse_length(text.substr(slash + 1), longest);
  if (!length) return make_error_code(errc::bad_address);
  const address plain = unmapped(*base);
  const bool was_mapped = plain.is_v4() && base->is_v6();
  // A prefix that is shorter than the mapping itself is one of IPv6.
  const bool as_v4 = plain.is_v4() && (!was_mapped || *length >= mapped_bits);
  address_range made;
  made.is_v6_ = !as_v4;
  made.first_ = bits_of(as_v4 ? plain : *base);
  made.length_ = as_v4 && was_mapped ? *length - mapped_bits : *length;
  return made;
}

bool address_range::contains(const address& a) const {
  const address plain = unmapped(a);
  if (plain.is_v6() != is_v6_) return false;
  const bits other = bits_of(plain);
  const auto whole = static_cast<std::size_t>(length_ / 8);
  if (!std::equal(first_.begin(), first_.begin() + length_ / 8, other.begin())) return false;
  const int rest = length_ % 8;
  return rest == 0 || (first_[whole] ^ other[whole]) >> (8 - rest) == 0;
}

std::vector<std::string> internal_address_ranges() {
  return {"0.0.0.0/8",
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.168.0.0/16",
          "::1",
          "fc00::/7",
          "fe80::/10"};
}

}  // namespace redial::inline REDIAL_ABI
