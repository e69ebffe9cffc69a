// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_rewrite.hpp"

#include "dns/hosts_line.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {
namespace {

// As `host_name` makes names canonical, but for any word: what is no legal name is never managed.
std::string canonical(std::string_view word) {
  if (word.ends_with('.')) word.remove_suffix(1);
  std::string name(word);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

// The line without the managed names: as it was, shorter, or empty. Whether its address is one does
// not matter, since other readers may be more liberal than we are.
std::string without_managed(std::string_view line, const hosts_map& hosts) {
  std::string_view rest = line;
  const std::string_view first = take_word(rest);
  if (first.empty()) return std::string(line);
  std::string kept(line.substr(0, line.size() - rest.size()));
  bool removed = false;
  bool names = false;
  for (;;) {
    const std::string_view before = rest;
    const std::string_view word = take_word(rest);
    if (word.empty()) {
      kept += before;
      break;
    }
    if (hosts.contains(canonical(word))) {
      removed = true;  // with the blanks before it
      continue;
    }
    names = true;
    kept += before.substr(0, before.size() - rest.size());
  }
  if (!removed) return std::string(line);
  return names ? kept : std::string();
}

std::string lines_of(const hosts_map& hosts) {
  std::string lines;
  for (const auto& [name, addresses] : hosts) {
    for (const address& a : addresses) lines += a.to_string() + '\t' + name + '\n';
  }
  return lines;
}

}  // namespace

std::string rewritten_hosts(std::string_view text, const hosts_map& hosts) {
  std::string out;
  std::optional<std::size_t> place;
  if (text.starts_with(byte_order_mark)) {
    out = byte_order_mark;
    text.remove_prefix(byte_order_mark.size());
  }
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::string kept = without_managed(line, hosts);
    if (kept != line && !place) place = out.size();
    out += kept;
  }
  const std::string lines = lines_of(hosts);
  if (place) return out.insert(*place, lines);
  const bool bare = out.empty() || out == byte_order_mark;
  if (!bare && !lines.empty() && !out.ends_with('\n')) out += '\n';
  return out + lines;
}

}  // namespace redial::inline REDIAL_ABI::detail
