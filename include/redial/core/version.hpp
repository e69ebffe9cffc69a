// SPDX-License-Identifier: Apache-2.0
#pragma once
// The version of the library that is linked.

#include <redial/core/abi.hpp>

#include <string_view>

namespace redial::inline REDIAL_ABI {

/// The version of the library linked into this program, as `major.minor.patch`.
[[nodiscard]] REDIAL_API std::string_view version() noexcept;

}  // namespace redial::inline REDIAL_ABI
