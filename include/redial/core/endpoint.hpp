// SPDX-License-Identifier: Apache-2.0
#pragma once

// One place a connection can be opened to.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>

#include <compare>
#include <cstdint>
#include <string>

namespace redial::inline REDIAL_ABI {

/// An address and port behind a name. Two endpoints are the same when SRV target, address and port
/// are; priority and weight (RFC 2782) are attributes that may change during its life.
struct endpoint {
  endpoint() = default;
  /// Not from an SRV record.
  endpoint(address where, std::uint16_t at_port) : addr(where), port(at_port) {}

  address addr;                ///< Where it listens.
  std::uint16_t port = 0;      ///< 0 stands for none.
  std::string srv_target;      ///< Empty unless the endpoint comes from an SRV record.
  std::uint16_t priority = 0;  ///< Lower is used first.
  std::uint16_t weight = 0;    ///< Share among endpoints of one priority.

  /// Priority and weight make no difference.
  [[nodiscard]] friend bool operator==(const endpoint& a, const endpoint& b) noexcept {
    return a.port == b.port && a.addr == b.addr && a.srv_target == b.srv_target;
  }
  /// By address, port, SRV target.
  [[nodiscard]] friend std::strong_ordering operator<=>(const endpoint& a,
                                                        const endpoint& b) noexcept {
    if (a.addr != b.addr)
      return a.addr < b.addr ? std::strong_ordering::less : std::strong_ordering::greater;
    if (a.port != b.port) return a.port <=> b.port;
    return a.srv_target.compare(b.srv_target) <=> 0;
  }
};

/// `10.0.0.1:80`, `[::1]:80`, and with an SRV target `10.0.0.1:80 (node1.example)`.
[[nodiscard]] REDIAL_API std::string to_string(const endpoint& e);

}  // namespace redial::inline REDIAL_ABI
