// SPDX-License-Identifier: Apache-2.0
//
// Sources and constants
//   RFC 1035 §2.3.4, §4.1.4   255 bytes, 63 per label; pointers
//   127 pointers              a name has at most 127 labels in 255 bytes, and a pointer without a
//                             label before it is only ever a trap
#include "dns/wire_name.hpp"

#include <algorithm>
#include <cstring>

namespace redial::detail {
namespace {

using bytes = std::span<const std::uint8_t>;

constexpr int most_pointers = 127;
constexpr std::size_t longest_label = 63;
constexpr unsigned pointer_bits = 0xc0;

std::uint8_t lower(std::uint8_t c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
}

bool is_pointer(bytes m, std::size_t at) noexcept { return (m[at] & pointer_bits) == pointer_bits; }

std::size_t target_of(bytes m, std::size_t at) noexcept {
  return (std::size_t{m[at] & ~pointer_bits} << 8) | m[at + 1];
}

// Of a checked name: past the pointers, at the length of its next label.
std::size_t label_at(bytes m, std::size_t at) noexcept {
  while (is_pointer(m, at)) at = target_of(m, at);
  return at;
}

// What a byte of text stands for in a name: its lower case, 0 if it has to be escaped.
constexpr auto plain = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = '!'; c <= '~'; ++c) {
    const bool is_special =
        std::string_view{".\\\"();@$"}.find(static_cast<char>(c)) != std::string_view::npos;
    const int lowered = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    if (!is_special) table[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(lowered);
  }
  return table;
}();

}  // namespace

std::size_t skip_name(bytes m, std::size_t at) noexcept {
  std::size_t end = 0;   // known from the first pointer on
  std::size_t size = 1;  // the root
  int pointers = 0;
  while (at >= dns_header_size && at < m.size()) {
    const std::size_t length = m[at];
    if (length == 0) return end != 0 ? end : at + 1;
    if (length <= longest_label) {
      size += length + 1;
      if (size > 255) return 0;
      at += length + 1;
    } else if (is_pointer(m, at) && at + 1 < m.size() && ++pointers <= most_pointers) {
      if (end == 0) end = at + 2;
      at = target_of(m, at);
    } else {
      return 0;
    }
  }
  return 0;
}

std::optional<wire_name> wire_name::of(std::string_view text) noexcept {
  if (text == ".") return wire_name{};
  if (text.empty() || text.size() + 2 > longest) return std::nullopt;
  std::optional<wire_name> n{wire_name{}};
  // A dot becomes the length of the label after it.
  std::size_t length_at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = text[i];
    const std::uint8_t byte = plain[static_cast<unsigned char>(c)];
    if (byte != 0) {
      n->labels_[i + 1] = byte;
    } else if (c != '.' || !n->end_label(length_at, i + 1)) {
      return std::nullopt;
    } else {
      length_at = i + 1;
    }
  }
  if (!n->end_label(length_at, text.size() + 1)) return std::nullopt;
  n->labels_[text.size() + 1] = 0;
  n->size_ = text.size() + 2;
  return n;
}

bool wire_name::end_label(std::size_t length_at, std::size_t end) noexcept {
  const std::size_t length = end - length_at - 1;
  labels_[length_at] = static_cast<std::uint8_t>(length);
  return length > 0 && length <= longest_label;
}

wire_name wire_name::at(bytes m, std::size_t at) noexcept {
  wire_name n;
  n.size_ = 0;
  for (at = label_at(m, at); m[at] != 0; at = label_at(m, at + m[at] + 1)) {
    const std::uint8_t* const label = m.data() + at;
    n.labels_[n.size_++] = *label;
    std::transform(label + 1, label + 1 + *label, n.labels_.data() + n.size_, lower);
    n.size_ += *label;
  }
  n.labels_[n.size_++] = 0;
  return n;
}

bool wire_name::is_at(bytes m, std::size_t at) const noexcept { return rest_is_at(0, m, at); }

// From one of its labels on.
bool wire_name::rest_is_at(std::size_t from, bytes m, std::size_t at) const noexcept {
  const std::uint8_t* mine = labels_.data() + from;
  while (true) {
    at = label_at(m, at);
    const std::size_t length = m[at];
    if (*mine++ != length) return false;
    if (length == 0) return true;
    const std::uint8_t* const theirs = m.data() + at + 1;
    // Servers repeat the question's letters as they are, so most of the time they are equal as
    // such.
    if (std::memcmp(mine, theirs, length) != 0 &&
        !std::equal(mine, mine + length, theirs, [](auto a, auto b) { return a == lower(b); })) {
      return false;
    }
    mine += length;
    at += length + 1;
  }
}

bool wire_name::is_inside(bytes m, std::size_t zone) const noexcept {
  for (std::size_t at = 0; at < size_; at += std::size_t{labels_[at]} + 1) {
    if (rest_is_at(at, m, zone)) return true;
  }
  return false;
}

}  // namespace redial::detail
