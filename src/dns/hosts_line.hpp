// SPDX-License-Identifier: Apache-2.0
#pragma once

// The lines of a hosts file and the words on them.

#include <redial/core/abi.hpp>

#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// Some editors put it at the front of a text; not part of the first line.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Takes the first line off `text`, with its newline if it has one. Empty only at the end.
[[nodiscard]] inline std::string_view take_line(std::string_view& text) noexcept {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end == std::string_view::npos ? end : end + 1);
  text.remove_prefix(line.size());
  return line;
}

/// Takes the next word off `line`; empty at its end or at a comment.
[[nodiscard]] inline std::string_view take_word(std::string_view& line) noexcept {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  constexpr std::string_view ends = "# \t\r\n\v\f";
  const auto begin = line.find_first_not_of(blanks);
  line.remove_prefix(begin == std::string_view::npos ? line.size() : begin);
  const auto end = line.find_first_of(ends);
  const auto word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

}  // namespace redial::inline REDIAL_ABI::detail
