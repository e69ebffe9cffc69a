// SPDX-License-Identifier: Apache-2.0
#pragma once

// The life cycle of a connection as the pool sees it: open, quiet, close. Bytes do not pass here.
// docs/connection_types.md shows how to pool a type of your own.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI {

/// Told by an idle connection that its peer did something.
class REDIAL_API idle_observer {
 public:
  virtual ~idle_observer() = default;
  /// The connection became readable or broke. Called once per `watch_idle`, on the connection's
  /// executor, never from inside `watch_idle`. The connection may have been leased meanwhile; then
  /// it means nothing.
  virtual void stirred() = 0;
};

/// What the pool keeps: one open transport to one endpoint.
///
/// \par Threads Used by one thread at a time: whoever holds the lease, or the pool while it is
/// idle.
class REDIAL_API pooled_connection {
 public:
  virtual ~pooled_connection() = default;

  /// Closes at once, without ceremony and without waiting. Idempotent.
  virtual void close() noexcept = 0;

  /// May it be lent again? False when the peer closed it or sent something nobody asked for. Called
  /// while idle: after `stirred()`, or at checkout when it cannot watch itself and has rested
  /// longer than `idle_check_after`. Must not block.
  [[nodiscard]] virtual bool quiet() noexcept = 0;
  /// What `quiet()`, asked just before, has found when it returned false.
  [[nodiscard]] virtual close_reason unquiet_reason() const noexcept {
    return close_reason::peer_closed;
  }

  /// Arms one notice for `observer` while the connection idles. A connection lent with its notice
  /// armed stays armed: nothing is cancelled on the hot path. Returns false when this type cannot
  /// watch itself.
  virtual bool watch_idle(std::weak_ptr<idle_observer> observer) {
    (void)observer;
    return false;
  }

  /// Where its operations and handlers run. The pool closes a leased connection only from there.
  [[nodiscard]] virtual boost::asio::any_io_executor get_executor() const = 0;
};

/// What a connector is asked to open.
struct connect_request {
  connect_request() = default;
  endpoint where;  ///< Whom to connect to: the address, never the name.
  /// Instant after which nobody is interested. The pool also calls `cancel()` then.
  time_point deadline{};
  /// The pool's executor.
  boost::asio::any_io_executor executor;
};

/// A connection being opened.
class REDIAL_API connect_operation {
 public:
  virtual ~connect_operation() = default;
  /// Gives up. The handler is still called, once, and anything opened is closed. Any thread. The
  /// pool does not wait for it: who cannot give up may go on, and what it opens too late is closed.
  virtual void cancel() noexcept = 0;
};

/// Opens connections: TCP, TLS, or whatever a user's library needs (hiredis, libpq, ...).
class REDIAL_API connector {
 public:
  /// Takes the connection, or the error and null.
  using handler = std::function<void(error_code, std::unique_ptr<pooled_connection>)>;

  virtual ~connector() = default;

  /// Opens one connection to `request.where` and proves it: everything that must hold before the
  /// first lease (TLS, identity, a health check) happens here. `done` is called exactly once, never
  /// from inside `open`, on any thread. May return null when there is nothing to cancel.
  ///
  /// \par Errors The system's own codes are best: `condition::local_fault` ones blame no endpoint.
  ///      `errc::identity_mismatch` says that somebody else answered.
  /// \par Threads Called from any thread, possibly several at once.
  virtual std::shared_ptr<connect_operation> open(const connect_request& request, handler done) = 0;
};

}  // namespace redial::inline REDIAL_ABI
