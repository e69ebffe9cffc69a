// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a request may be put on the wire, and what its method promises.

#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include <optional>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// Clear, or `errc::invalid_request`. Beast writes whatever it is given, so that a line break in a
/// value would start a header, or a request, of somebody else's making.
[[nodiscard]] error_code check_request(const http_request& r) noexcept;

/// What the request says, or else its caller (`call_options`), or else RFC 9110 §9.2.2.
[[nodiscard]] bool is_idempotent(const http_request& r,
                                 std::optional<bool> caller = std::nullopt) noexcept;

/// Does an empty body need `Content-Length: 0` (RFC 9110 §8.6)?
[[nodiscard]] bool expects_body(std::string_view method) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
