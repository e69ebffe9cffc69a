// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>

namespace redial::inline REDIAL_ABI {

std::string escaped(std::string_view text, std::size_t at_most) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, at_most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0x0fU];
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  if (text.size() > at_most) out += "...";
  return out;
}

}  // namespace redial::inline REDIAL_ABI
