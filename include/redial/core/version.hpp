// SPDX-License-Identifier: Apache-2.0
#pragma once
// The version of the library that is linked.

#include <string_view>

namespace redial {

/// The version of the library linked into this program, as `major.minor.patch`.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace redial
