// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opens plain TCP connections.

#include <redial/core/abi.hpp>
#include <redial/net/tcp_options.hpp>
#include <redial/ports/connector.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

/// Opens a `tcp_connection`, and proves who is at its other end if `tcp_options::identity` is set.
///
/// \par Completes with On the connection's strand. On success the connection is a `tcp_connection`.
/// \par Errors `errc::connect_timeout` at the deadline; otherwise what the system said, such as
///      connection_refused, host_unreachable, or one that is `condition::local_fault`. With an
///      identity: what its check said, such as `errc::identity_mismatch`; `errc::identity_spent`
///      when the peer closed or bytes were left although the check was content.
///      `operation_aborted` after `cancel()`.
/// \par Lifetime An operation whose execution context is destroyed first is dropped: its handler is
///      destroyed, not called.
class REDIAL_API tcp_connector final : public connector {
 public:
  /// \throws std::invalid_argument naming the option that is out of range.
  explicit tcp_connector(tcp_options options = tcp_options());

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;

 private:
  tcp_options options_;
};

}  // namespace redial::inline REDIAL_ABI
