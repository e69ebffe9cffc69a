// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text that somebody else chose, made fit for logs, metrics and error messages.

#include <redial/core/abi.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {

/// `text` with every byte outside printable ASCII as `\xNN`, and `\` and `"` with a backslash
/// before them. Of a longer text only the first `at_most` bytes are kept, followed by `...`.
[[nodiscard]] REDIAL_API std::string escaped(std::string_view text, std::size_t at_most = 80);

}  // namespace redial::inline REDIAL_ABI
