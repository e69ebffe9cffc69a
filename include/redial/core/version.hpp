// SPDX-License-Identifier: Apache-2.0
#pragma once
// The version of these headers, and of the library that is linked.

#include <redial/core/abi.hpp>

#include <string_view>

/// The version of these headers. Below 1.0 a new MINOR may break what compiled, from 1.0 on only a
/// new MAJOR; each has an inline namespace of its own, so that it does not link with another.
#define REDIAL_VERSION_MAJOR 0
#define REDIAL_VERSION_MINOR 1
#define REDIAL_VERSION_PATCH 0

namespace redial::inline REDIAL_ABI {

/// The version of the library linked into this program, as `major.minor.patch`.
[[nodiscard]] REDIAL_API std::string_view version() noexcept;

}  // namespace redial::inline REDIAL_ABI
