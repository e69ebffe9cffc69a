// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opens TLS connections to a verified peer.

#include <redial/core/abi.hpp>
#include <redial/core/host_name.hpp>
#include <redial/net/tcp_options.hpp>
#include <redial/net/tls_options.hpp>
#include <redial/ports/connector.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

namespace detail {
class live_tls_settings;
}

/// Opens a `tls_connection`: TCP, handshake, and the peer's certificate checked for the asked name
/// (SAN only, no partial wildcards), never for the address dialled, and again when a session was
/// resumed. Names go out as SNI, addresses do not. Renegotiation is refused.
///
/// \par Completes with On the connection's strand. On success the connection is a `tls_connection`.
/// \par Errors Those of `tcp_connector`, the deadline covering the handshake; `verify_category()`
///      codes for certificates that are expired, self-signed, of an unknown authority and so on;
///      `errc::tls_name_mismatch`; `errc::not_tls`; `errc::alpn_mismatch`; otherwise Asio's and
///      OpenSSL's own.
/// \par Lifetime As `tcp_connector`. The sessions it remembers are its own.
class REDIAL_API tls_connector final : public connector {
 public:
  /// \param identity Whom the peer must be, unless `tls.server_name` says otherwise.
  /// \throws std::invalid_argument (text of `errc::bad_tls_options`) naming the option, the file
  /// and
  ///         the reason.
  explicit tls_connector(const host_name& identity,
                         tcp_options tcp = tcp_options(),
                         const tls_options& tls = tls_options());
  ~tls_connector() override;

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;

  /// As `tls_reloader::reload`, for this connector.
  /// \throws std::invalid_argument as the constructor; the old settings stay in force then.
  void reload();

 private:
  tcp_options tcp_options_;
  std::shared_ptr<detail::live_tls_settings> settings_;
};

}  // namespace redial::inline REDIAL_ABI
