// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the text of a hosts file says: which name has which addresses.

#include <redial/core/address.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// A name in canonical form, and its addresses: sorted, each once, never none.
struct hosts_entry {
  std::string name;
  std::vector<address> addresses;

  friend bool operator==(const hosts_entry&, const hosts_entry&) = default;
};

/// Sorted by name, each name once.
using hosts_entries = std::vector<hosts_entry>;

/// Null when there is none. O(log n).
[[nodiscard]] const hosts_entry* find_entry(const hosts_entries& in,
                                            std::string_view name) noexcept;
[[nodiscard]] hosts_entry* find_entry(hosts_entries& in, std::string_view name) noexcept;

/// The names whose addresses differ, sorted. O(n).
[[nodiscard]] std::vector<std::string> changed_names(const hosts_entries& before,
                                                     const hosts_entries& after);

/// What the lines of a text were.
struct hosts_counts {
  std::size_t good_lines = 0;
  std::size_t bad_lines = 0;         ///< No address, or none that is one, or no legal name.
  std::size_t bad_names = 0;         ///< On lines that are good otherwise.
  std::size_t undialable_lines = 0;  ///< 0.0.0.0, ::, multicast, broadcast.
  bool binary = false;               ///< Holds a NUL byte.
};

/// A parsed hosts file, see hosts(5): `address name [alias...]`, `#` begins a comment.
///
/// Several lines for one name add up. Mapped IPv4 addresses are unmapped. A bad line or name is
/// counted and costs nobody else anything. `localhost` and `*.localhost` are not kept: their
/// addresses are fixed (RFC 6761 §6.3).
///
/// An address that nobody can be dialled at is no hit: where glibc returns the 0.0.0.0 of a
/// blocklist, we ask DNS. So a blocklist blocks nothing here, and costs no memory. (One that says
/// 127.0.0.1 does both, at some 150 bytes per name.)
class hosts_table {
 public:
  hosts_table() = default;
  /// Never fails. O(n log n): 100 000 lines take 0.3 s, those of a blocklist 0.06 s.
  [[nodiscard]] static hosts_table parse(std::string_view text);

  /// `name` in canonical form. Null: no hit. Valid until the table changes.
  [[nodiscard]] const std::vector<address>* find(std::string_view name) const noexcept;

  [[nodiscard]] const hosts_entries& entries() const noexcept { return entries_; }
  [[nodiscard]] hosts_entries take_entries() && noexcept { return std::move(entries_); }
  [[nodiscard]] const hosts_counts& counts() const noexcept { return counts_; }

  /// False when what is missing from the text proves nothing: no well-formed line at all (one for
  /// `localhost` or to 0.0.0.0 is one), or NUL bytes, as a crash leaves them in place of data.
  [[nodiscard]] bool is_credible() const noexcept {
    return counts_.good_lines + counts_.undialable_lines > 0 && !counts_.binary;
  }

 private:
  hosts_entries entries_;
  hosts_counts counts_;
};

}  // namespace redial::inline REDIAL_ABI::detail
