// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks an endpoint whether it is well, instead of learning it from calls.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/pool/lease.hpp>
#include <redial/ports/connector.hpp>

#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI {

/// What a probe is asked to check.
struct probe_request {
  probe_request() = default;

  /// Never null. Of the pool's type: `connection_cast` gives it back.
  std::shared_ptr<pooled_connection> connection;
  /// To whom it is connected.
  endpoint where;
  /// When it is given up, by the pool's clock: see `health_options::probe_timeout`.
  time_point deadline{};
};

/// A check on a connection that the pool has opened and proven for it. One object serves all
/// endpoints of a pool, or of many.
///
/// \code
///   class ping final : public redial::health_probe {
///    public:
///     void check(const redial::probe_request& request, handler done) override {
///       auto c = request.connection;
///       auto& mine = redial::connection_cast<my_connection>(*c);
///       mine.async_ping([c, done](redial::error_code ec) { done(ec); });
///     }
///   };
/// \endcode
class REDIAL_API health_probe {
 public:
  /// Takes what a check found: clear, the endpoint is well.
  using handler = std::function<void(error_code)>;

  virtual ~health_probe() = default;

  /// Checks `request.where`; a clear code says that it is well. Has the connection to itself until
  /// it calls `done`, once, which it may do from inside. A connection that passed may be lent next:
  /// one that cannot be used again must be closed before. When the deadline passes first, the pool
  /// closes the connection, so that operations on it end, and ignores what `done` says then.
  ///
  /// \par Threads Called on the connection's executor, where `done` must be called, too; for
  ///      different connections at once.
  /// \par Lifetime `done` may outlive the pool.
  virtual void check(const probe_request& request, handler done) = 0;
};

/// Well is who can be connected to, with all that the connector proves (TLS, identity).
[[nodiscard]] REDIAL_API std::shared_ptr<health_probe> tcp_probe();

}  // namespace redial::inline REDIAL_ABI
