// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who the peer must be, and whether it is.

#include <redial/core/error.hpp>
#include <redial/core/host_name.hpp>

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Makes the handshake of `ssl` verify the peer as `identity`, and sends SNI for names.
/// \returns What OpenSSL refused; clear when all is set.
[[nodiscard]] error_code expect_peer(SSL* ssl, const host_name& identity);

/// Judges the peer after a handshake that succeeded. Resumption skips OpenSSL's own checks, so this
/// looks at the certificate that the session remembers.
[[nodiscard]] error_code check_peer(SSL* ssl, const host_name& identity);

/// `errc::alpn_mismatch` when the peer picked a protocol that is not among `offered`: older
/// OpenSSL does not look.
[[nodiscard]] error_code check_alpn(const SSL* ssl, const std::vector<std::string>& offered);

/// The most telling code for a handshake that failed with `ec`. `alpn`: we offered protocols.
[[nodiscard]] error_code handshake_error(const SSL* ssl, const error_code& ec, bool alpn);

}  // namespace redial::inline REDIAL_ABI::detail
