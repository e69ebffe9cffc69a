// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of faults of connections: one row for each number of the catalogue, 88 to 168.

#include <redial/core/abi.hpp>

#include "../fault_row.hpp"

#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// 88 to 96: options.
[[nodiscard]] std::vector<fault_row> option_rows();
/// 97 to 103: connections that cannot be opened.
[[nodiscard]] std::vector<fault_row> opening_rows();
/// 104 to 112: connections that end, or do not.
[[nodiscard]] std::vector<fault_row> ending_rows();
/// 113 to 118: addresses that leave, return, or belong to somebody else.
[[nodiscard]] std::vector<fault_row> moving_rows();
/// 119 to 123: time.
[[nodiscard]] std::vector<fault_row> time_rows();
/// 124 to 137: life and death of objects.
[[nodiscard]] std::vector<fault_row> life_rows();
/// 138 to 147: TLS.
[[nodiscard]] std::vector<fault_row> tls_rows();
/// 148 to 155: load.
[[nodiscard]] std::vector<fault_row> load_rows();
/// 156 to 168: HTTP, and people who mean harm.
[[nodiscard]] std::vector<fault_row> http_rows();

}  // namespace redial::inline REDIAL_ABI::testing
