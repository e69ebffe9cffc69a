// SPDX-License-Identifier: Apache-2.0
#pragma once

// Addresses that share their first bits.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// A prefix: `10.0.0.0/8`, `fc00::/7`, or one address.
class REDIAL_API address_range {
 public:
  /// Bits behind the prefix are ignored. `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
  ///
  /// \par Errors `errc::bad_address` when the address is none, has a zone, or the length is not
  /// from
  ///      0 to 32 (IPv4) or 128 (IPv6).
  [[nodiscard]] static boost::system::result<address_range> parse(std::string_view text);

  /// Compares unmapped addresses, so `::ffff:10.0.0.1` is in `10.0.0.0/8`. A zone makes no
  /// difference.
  [[nodiscard]] bool contains(const address& a) const;

 private:
  using bits = std::array<std::uint8_t, 16>;  // IPv4: the first four

  bits first_{};
  int length_ = 0;
  bool is_v6_ = false;
};

/// The ranges that no name of the public DNS should lead into: this machine (RFC 1122, RFC 4291),
/// its link (RFC 3927, RFC 4291; cloud metadata services are there), private networks (RFC 1918,
/// RFC 4193), shared address space (RFC 6598). For `discovery_options::denied_addresses`.
[[nodiscard]] REDIAL_API std::vector<std::string> internal_address_ranges();

}  // namespace redial::inline REDIAL_ABI
