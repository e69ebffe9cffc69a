// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks an endpoint whether it is well, instead of learning it from calls.

#include <redial/core/abi.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/ports/connector.hpp>

#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI {

/// A check on a connection that the pool has opened and proven for it. One object serves all
/// endpoints of a pool, or of many.
///
/// \code
///   class ping final : public redial::health_probe {
///    public:
///     void check(std::shared_ptr<redial::pooled_connection> c, redial::time_point,
///                handler done) override {
///       auto& mine = static_cast<my_connection&>(*c);
///       mine.async_ping([c, done](redial::error_code ec) { done(ec); });
///     }
///   };
/// \endcode
class REDIAL_API health_probe {
 public:
  using handler = std::function<void(error_code)>;

  virtual ~health_probe() = default;

  /// Checks; a clear code says that the endpoint is well. Has the connection to itself until it
  /// calls `done`, once, which it may do from inside. A connection that passed may be lent next:
  /// one that cannot be used again must be closed before. When `deadline` passes first, the pool
  /// closes the connection, so that operations on it end, and ignores what `done` says then.
  ///
  /// \par Threads Called on the connection's executor, where `done` must be called, too; for
  ///      different connections at once.
  /// \par Lifetime `done` may outlive the pool.
  virtual void check(std::shared_ptr<pooled_connection> connection,
                     time_point deadline,
                     handler done) = 0;
};

/// Well is who can be connected to, with all that the connector proves (TLS, identity).
[[nodiscard]] REDIAL_API std::shared_ptr<health_probe> tcp_probe();

}  // namespace redial::inline REDIAL_ABI
