// SPDX-License-Identifier: Apache-2.0
#pragma once

// IP addresses: Asio's type, parsed and judged by our rules.

#include <redial/core/abi.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/system/result.hpp>

#include <string_view>

namespace redial::inline REDIAL_ABI {

using address = boost::asio::ip::address;  ///< IPv4 or IPv6.

/// Parses a numeric address: IPv4 in dotted quad, IPv6 with or without brackets, with an optional
/// zone (`fe80::1%eth0`, `fe80::1%2`).
///
/// \par Errors `errc::bad_address` for anything else, also for `127.1`, `0x7f.1`, leading zeros and
///      a zone that names no interface (Asio would take that one as scope 0).
[[nodiscard]] REDIAL_API boost::system::result<address> parse_address(std::string_view text);

/// `::ffff:a.b.c.d` as `a.b.c.d`; every other address unchanged. Comparing, policy and dialling all
/// work on unmapped addresses.
[[nodiscard]] REDIAL_API address unmapped(const address& a);

/// False for addresses that can be nobody's unicast address: unspecified, multicast, broadcast.
/// Such records are dropped from answers and counted.
[[nodiscard]] REDIAL_API bool is_dialable(const address& a);

}  // namespace redial::inline REDIAL_ABI
