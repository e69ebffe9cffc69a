// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <redial/core/address_range.hpp>
#include <redial/discovery/discovery.hpp>

#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// `denied_addresses`, read. \throws std::invalid_argument for text that is no range.
[[nodiscard]] std::vector<address_range> denied_ranges(const discovery_options& o);

/// \throws std::invalid_argument naming the option, its value and the legal range.
void validate(const discovery_options& o);

}  // namespace redial::inline REDIAL_ABI::detail
