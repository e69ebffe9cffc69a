// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text of a hosts file with other addresses for some names.

#include <redial/core/address.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Canonical names, each with at least one address.
using hosts_map = std::map<std::string, std::vector<address>, std::less<>>;

/// Pure. The rules are `write_hosts`'s.
[[nodiscard]] std::string rewritten_hosts(std::string_view text, const hosts_map& hosts);

}  // namespace redial::inline REDIAL_ABI::detail
