// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_table.hpp"

#include <redial/core/host_name.hpp>

#include "dns/hosts_line.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

struct name_less {
  bool operator()(const hosts_entry& e, std::string_view name) const noexcept {
    return e.name < name;
  }
};

template <class Entries>
auto* find_in(Entries& in, std::string_view name) noexcept {
  const auto at = std::lower_bound(in.begin(), in.end(), name, name_less{});
  return at != in.end() && at->name == name ? &*at : nullptr;
}

// One name on one line.
struct mention {
  std::string name;
  address where;

  friend bool operator==(const mention&, const mention&) = default;
  friend bool operator<(const mention& a, const mention& b) noexcept {
    const int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.where < b.where;
  }
};

void read_line(std::string_view line, std::vector<mention>& mentions, hosts_counts& counts) {
  const std::string_view first = take_word(line);
  if (first.empty()) return;
  const auto parsed = parse_address(first);
  std::string_view word = take_word(line);
  if (!parsed || word.empty()) {
    ++counts.bad_lines;
    return;
  }
  const address where = unmapped(*parsed);
  if (!is_dialable(where)) {
    ++counts.undialable_lines;  // its names are not even looked at: there may be very many
    return;
  }
  std::size_t good = 0;
  std::size_t bad = 0;
  for (; !word.empty(); word = take_word(line)) {
    const auto host = host_name::parse(word);
    if (!host || host->is_literal()) {
      ++bad;
      continue;
    }
    ++good;
    if (!host->is_fixed()) mentions.push_back({host->text(), where});
  }
  ++(good > 0 ? counts.good_lines : counts.bad_lines);
  if (good > 0) counts.bad_names += bad;
}

hosts_entries gathered(std::vector<mention> mentions) {
  std::sort(mentions.begin(), mentions.end());
  mentions.erase(std::unique(mentions.begin(), mentions.end()), mentions.end());
  hosts_entries entries;
  for (mention& m : mentions) {
    if (entries.empty() || entries.back().name != m.name) {
      entries.push_back({std::move(m.name), {}});
    }
    entries.back().addresses.push_back(m.where);
  }
  entries.shrink_to_fit();
  return entries;
}

}  // namespace

const hosts_entry* find_entry(const hosts_entries& in, std::string_view name) noexcept {
  return find_in(in, name);
}

hosts_entry* find_entry(hosts_entries& in, std::string_view name) noexcept {
  return find_in(in, name);
}

std::vector<std::string> changed_names(const hosts_entries& before, const hosts_entries& after) {
  std::vector<std::string> changed;
  auto b = before.begin();
  auto a = after.begin();
  while (b != before.end() || a != after.end()) {
    const bool gone = a == after.end() || (b != before.end() && b->name < a->name);
    const bool added = !gone && (b == before.end() || a->name < b->name);
    if (gone || added || a->addresses != b->addresses) changed.push_back(gone ? b->name : a->name);
    if (!added) ++b;
    if (!gone) ++a;
  }
  return changed;
}

hosts_table hosts_table::parse(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  hosts_table table;
  table.counts_.binary = text.find('\0') != std::string_view::npos;
  std::vector<mention> mentions;
  while (!text.empty()) read_line(take_line(text), mentions, table.counts_);
  table.entries_ = gathered(std::move(mentions));
  return table;
}

const std::vector<address>* hosts_table::find(std::string_view name) const noexcept {
  const hosts_entry* const found = find_entry(entries_, name);
  return found == nullptr ? nullptr : &found->addresses;
}

}  // namespace redial::inline REDIAL_ABI::detail
