// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a hosts file. What is read can be written again and means the same.
#include <redial/core/host_name.hpp>

#include "check.hpp"
#include "dns/hosts_table.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace redial;
using detail::hosts_entry;
using detail::hosts_table;
using fuzz::demand;

void check_entry(const hosts_entry& e) {
  const auto host = host_name::parse(e.name);
  demand(host && host->text() == e.name, "names are canonical");
  demand(!host->is_fixed(), "names need an answer");
  demand(!e.addresses.empty(), "no name without addresses");
  demand(std::ranges::is_sorted(e.addresses), "addresses are sorted");
  demand(std::ranges::adjacent_find(e.addresses) == e.addresses.end(), "addresses are unique");
  for (const address& one : e.addresses) {
    demand(is_dialable(one) && unmapped(one) == one, "addresses can be dialled");
  }
}

// In the order opposite to that of the table.
std::string written(const hosts_table& table) {
  std::string text;
  for (auto e = table.entries().rbegin(); e != table.entries().rend(); ++e) {
    for (auto a = e->addresses.rbegin(); a != e->addresses.rend(); ++a) {
      text += a->to_string() + ' ' + e->name + '\n';
    }
  }
  return text;
}

void check_counts(const hosts_table& table, const std::string& text) {
  const auto& c = table.counts();
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  demand(c.good_lines + c.bad_lines + c.undialable_lines <= lines, "each line counts once");
  demand(c.binary == (text.find('\0') != std::string::npos), "a NUL byte is binary");
  demand(table.entries().empty() || c.good_lines > 0, "entries come from good lines");
  // The shortest that holds a name: "::1 a".
  demand(table.entries().size() <= text.size(), "no entry comes from nowhere");
}

void check_find(const hosts_table& table) {
  for (const auto& e : table.entries()) {
    const auto* const found = table.find(e.name);
    demand(found != nullptr && *found == e.addresses, "every entry is found");
  }
  demand(table.find("") == nullptr && table.find("~") == nullptr, "and nothing else is");
}

// What is torn off the end of a file takes nothing that came before, and adds at most what the last
// line, read in part, may say.
void check_torn(const std::string& text, const hosts_table& whole) {
  const auto end = text.rfind('\n');
  if (end == std::string::npos) return;
  const auto torn = hosts_table::parse(std::string_view(text).substr(0, end + 1));
  for (const auto& e : torn.entries()) {
    const auto* const found = whole.find(e.name);
    demand(found != nullptr && std::ranges::includes(*found, e.addresses), "lines add up");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto table = hosts_table::parse(text);
  demand(std::ranges::is_sorted(table.entries(), {}, &hosts_entry::name), "names are sorted");
  demand(
      std::ranges::adjacent_find(table.entries(), {}, &hosts_entry::name) == table.entries().end(),
      "names are unique");
  for (const auto& e : table.entries()) check_entry(e);
  check_counts(table, text);
  check_find(table);
  check_torn(text, table);
  const auto again = hosts_table::parse(written(table));
  demand(again.entries() == table.entries(), "a table's text means the same");
  demand(detail::changed_names(table.entries(), again.entries()).empty(), "so nothing changed");
  demand(detail::changed_names(table.entries(), {}).size() == table.entries().size(),
         "without entries every name is gone");
  return 0;
}
