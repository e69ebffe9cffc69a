// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the codes of others (the system, Asio, OpenSSL) mean for a caller.

#include <redial/core/error.hpp>

namespace redial::inline REDIAL_ABI::detail {

/// False for codes of categories that redial does not know, and for success.
[[nodiscard]] bool system_code_is(const error_code& code, condition asked) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
