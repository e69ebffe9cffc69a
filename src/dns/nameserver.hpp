// SPDX-License-Identifier: Apache-2.0
#pragma once

// The address of a DNS server, as text and as a value.

#include <redial/core/address.hpp>

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

struct nameserver {
  address where;
  std::uint16_t port = 53;

  friend bool operator==(const nameserver&, const nameserver&) = default;
};

/// `10.0.0.1`, `10.0.0.1:5353`, `::1`, `[::1]:5353`. Without a port it is 53.
/// \par Errors `errc::bad_address`, `errc::bad_port`.
[[nodiscard]] boost::system::result<nameserver> parse_nameserver(std::string_view text);

/// `10.0.0.1:53`, `[::1]:53`.
[[nodiscard]] std::string to_string(const nameserver& server);

/// Adds `server` unless it is there.
void add_once(std::vector<nameserver>& list, const nameserver& server);

/// Every text parsed, in order, without repetitions.
/// \throws std::invalid_argument naming the option `nameservers` and the offending text.
[[nodiscard]] std::vector<nameserver> parse_nameservers(const std::vector<std::string>& texts);

}  // namespace redial::inline REDIAL_ABI::detail
