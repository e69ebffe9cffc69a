// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a connection may carry another request (RFC 9112 §9.3), and whether a response may be
// believed at all.

#include <redial/core/error.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// How one exchange ended, without an error.
struct exchange_end {
  bool request_complete = false;  ///< All of it was written.
  bool keep_alive = false;        ///< By version and Connection header, of the whole message.
  bool ended_by_close = false;    ///< Only the end of the connection marked the end of the body.
  std::size_t leftover = 0;       ///< Bytes that came after the response.
};

[[nodiscard]] bool may_reuse(const exchange_end& e) noexcept;

/// What of a response's head decides about its framing.
struct response_head {
  unsigned status = 0;
  unsigned version = 11;                             ///< 10 or 11.
  std::vector<std::string_view> transfer_encodings;  ///< The values of its fields.
};

/// Clear, or `errc::bad_response`: a status outside 100 to 599, 101 that nobody asked for, or any
/// transfer coding but `chunked` alone.
[[nodiscard]] error_code check_head(const response_head& h) noexcept;

/// 100 to 199 but not 101: another head follows.
[[nodiscard]] constexpr bool is_interim(unsigned status) noexcept {
  return status >= 100 && status < 200 && status != 101;
}

/// 502, 503, 504: the server, or what is behind it, cannot serve.
[[nodiscard]] constexpr bool is_unwell(unsigned status) noexcept {
  return status >= 502 && status <= 504;
}

/// What a whole response means for its attempt.
enum class response_meaning {
  final,        ///< Deliver it.
  unavailable,  ///< 502, 503, 504 on an idempotent request: another endpoint may do better.
  misdirected,  ///< 421: the peer is not responsible, and has done nothing (RFC 9110 §15.5.20).
};

[[nodiscard]] response_meaning meaning_of(unsigned status, bool idempotent) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
