// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host part of a target: a DNS name that is safe to ask for, or an address.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// A checked host: either a DNS name in canonical form or a set of addresses that need no DNS.
///
/// Canonical means lower case and without the trailing dot (names are absolute anyway, and TLS
/// refuses `a.test.`). A value type; every object holds a valid host.
class REDIAL_API host_name {
 public:
  /// Checks `text` by RFC 1035 §2.3.4 lengths and redial's character rules. Underscores, a leading
  /// hyphen and labels of digits are accepted; an all-numeric last label is not a name.
  ///
  /// `localhost` and `*.localhost` are loopback without DNS (RFC 6761 §6.3); `*.onion` is
  /// `errc::name_not_found` without DNS (RFC 7686).
  ///
  /// \par Errors `errc::bad_name`, `errc::name_not_ascii`, `errc::bad_address`,
  ///      `errc::name_not_found`.
  [[nodiscard]] static boost::system::result<host_name> parse(std::string_view text);

  /// The canonical name; for an address its text without brackets.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// True when no DNS question is ever asked for it: a literal or a loopback name.
  [[nodiscard]] bool is_fixed() const noexcept { return !addresses_.empty(); }

  /// True when the user wrote an address: TLS then checks an IP SAN and sends no SNI.
  [[nodiscard]] bool is_literal() const noexcept { return literal_; }

  /// The addresses of a fixed host (127.0.0.1 and ::1 for `localhost`); empty for a DNS name.
  [[nodiscard]] const std::vector<address>& addresses() const noexcept { return addresses_; }

  /// By the canonical name.
  friend bool operator==(const host_name& a, const host_name& b) noexcept {
    return a.text_ == b.text_;
  }

 private:
  host_name() = default;

  std::string text_;
  std::vector<address> addresses_;
  bool literal_ = false;
};

}  // namespace redial::inline REDIAL_ABI
