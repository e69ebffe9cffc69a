// SPDX-License-Identifier: Apache-2.0
#pragma once

// Name servers that are asked for some names only.

#include <redial/core/abi.hpp>

#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// The names equal to `suffix` or below it, and who knows them: Consul on port 8600, the inner view
/// of a split horizon.
///
/// \code
///   options.zones = {{"consul", {"127.0.0.1:8600"}}, {"corp.example", {"10.0.0.2", "10.0.0.3"}}};
/// \endcode
struct nameserver_zone {
  nameserver_zone() = default;
  /// With both members.
  nameserver_zone(std::string below, std::vector<std::string> servers)
      : suffix(std::move(below)), nameservers(std::move(servers)) {}

  /// A DNS name without a leading dot; whole labels are compared, without case.
  std::string suffix;
  /// As `address:port` or `[address]:port`, asked in this order. Not empty.
  std::vector<std::string> nameservers;
};

}  // namespace redial::inline REDIAL_ABI
