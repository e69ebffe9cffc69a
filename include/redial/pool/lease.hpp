// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection checked out of a pool.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/ports/connector.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI {

/// How a lease ends, as its holder saw it.
enum class lease_end {
  returned,   ///< All well: the connection may be lent again.
  reset,      ///< Reset, or closed before any byte of a response: evidence against the address.
  timed_out,  ///< No response in time: asks for a refresh, proves nothing.
  failed,     ///< The operation failed otherwise; this connection is not reused.
  poisoned,   ///< The holder says that it must not be used again, and asks for a refresh.
  moved,      ///< The peer is no longer responsible: close it and refresh.
  spent,      ///< Finished as agreed and not reusable (`Connection: close`); nobody is to blame.

  /// The peer answered, and said that it is not well (HTTP 503): a failure of its endpoint; the
  /// connection may be lent again.
  unwell,
};

/// Told when a connection is taken away during its lease.
class REDIAL_API lease_observer {
 public:
  virtual ~lease_observer() = default;
  /// `errc::connection_drained` or `errc::closed`. Called at most once per lease, posted to the
  /// connection's executor; the connection is closed right after it returns.
  virtual void lease_cancelled(error_code why) = 0;
};

namespace detail {

struct pool_slot;

/// A lease that does not know its connection's type. Returns the connection when destroyed. A pool
/// stays in memory until its last lease is over, so a plain pointer is enough.
class REDIAL_API lease_base {
 public:
  lease_base() noexcept = default;
  /// Null: none.
  explicit lease_base(pool_slot* leased) noexcept : slot_(leased) {}
  lease_base(lease_base&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  lease_base& operator=(lease_base&& other) noexcept {
    if (this != &other) {
      if (slot_ != nullptr) give_back();
      slot_ = std::exchange(other.slot_, nullptr);
    }
    return *this;
  }
  ~lease_base() {
    if (slot_ != nullptr) give_back();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return slot_ != nullptr; }
  [[nodiscard]] pooled_connection* connection() const noexcept;
  [[nodiscard]] const endpoint& where() const noexcept;
  [[nodiscard]] std::uint64_t endpoint_id() const noexcept;
  [[nodiscard]] std::uint64_t connection_id() const noexcept;
  [[nodiscard]] bool is_reused() const noexcept;

  void end(lease_end how, error_code why = {}) noexcept {
    if (slot_ != nullptr) finish(how, why);
  }
  /// Ends the lease (never with `returned` or `unwell`) but hands the connection, not yet closed,
  /// to the caller, because operations that are still being cancelled refer to it. The pool forgets
  /// it at once.
  [[nodiscard]] std::shared_ptr<pooled_connection> take(lease_end how, error_code why) noexcept;
  void keep_until(time_point t) noexcept;
  void observe(std::weak_ptr<lease_observer> observer) noexcept;

 private:
  void give_back() noexcept;
  void finish(lease_end how, error_code why) noexcept;

  pool_slot* slot_ = nullptr;
};

/// Carries a connection that is no `pooled_connection` itself.
template <class Connection>
class holder final : public pooled_connection {
 public:
  holder(Connection c, boost::asio::any_io_executor executor)
      : held(std::move(c)), executor_(std::move(executor)) {}
  void close() noexcept override { held.close(); }
  [[nodiscard]] bool quiet() noexcept override { return held.is_healthy(); }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return executor_; }

  Connection held;

 private:
  boost::asio::any_io_executor executor_;
};

}  // namespace detail

/// Wraps a connection of any type for a pool. `Connection` has `void close() noexcept` and
/// `bool is_healthy() noexcept`, and can be moved. `executor` is where it is used.
template <class Connection>
[[nodiscard]] std::unique_ptr<pooled_connection> pooled(Connection c,
                                                        boost::asio::any_io_executor executor) {
  return std::make_unique<detail::holder<Connection>>(std::move(c), std::move(executor));
}

/// The connection that a pool of `Connection`s keeps as `c`: itself, or what `pooled` has wrapped.
/// Of another type it is undefined, as a `static_cast` is.
template <class Connection>
[[nodiscard]] Connection& connection_cast(pooled_connection& c) noexcept {
  if constexpr (std::is_base_of_v<pooled_connection, Connection>) {
    return static_cast<Connection&>(c);
  } else {
    return static_cast<detail::holder<Connection>&>(c).held;
  }
}

/// A connection, until this is destroyed, which returns it to its pool.
///
/// \par Threads Not shared; used on the connection's executor. May be destroyed on any thread.
/// \par Lifetime May outlive its pool: the connection is then closed instead of returned.
template <class Connection>
class lease {
 public:
  lease() noexcept = default;

  /// True while there is a connection.
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(base_); }
  /// The connection. Not of an empty lease.
  [[nodiscard]] Connection& operator*() const noexcept {
    return connection_cast<Connection>(*base_.connection());
  }
  /// The connection. Not of an empty lease.
  [[nodiscard]] Connection* operator->() const noexcept { return &**this; }

  /// Whom the connection leads to. Not of an empty lease.
  [[nodiscard]] const endpoint& where() const noexcept { return base_.where(); }
  /// Number of the endpoint's life within its pool; for `checkout_options::tried`.
  [[nodiscard]] std::uint64_t endpoint_id() const noexcept { return base_.endpoint_id(); }
  /// True when an earlier lease used this connection: it may have died in between.
  [[nodiscard]] bool is_reused() const noexcept { return base_.is_reused(); }

  /// Returns or closes the connection now and tells the pool why. The lease is empty afterwards.
  void end(lease_end how, error_code why = {}) noexcept { base_.end(how, why); }
  /// Verdicts: the connection is closed and the name is asked for anew.
  void poison(error_code why = {}) noexcept { end(lease_end::poisoned, why); }
  /// See `poison`.
  void moved(error_code why = {}) noexcept { end(lease_end::moved, why); }

  /// While draining, the connection is not cancelled before `t` (this use's own deadline).
  void keep_until(time_point t) noexcept { base_.keep_until(t); }
  /// Whom to tell when the connection is taken away.
  void observe(std::weak_ptr<lease_observer> observer) noexcept {
    base_.observe(std::move(observer));
  }

 private:
  friend struct detail::access;
  explicit lease(detail::lease_base base) noexcept : base_(std::move(base)) {}
  [[nodiscard]] detail::lease_base& base() noexcept { return base_; }

  detail::lease_base base_;
};

}  // namespace redial::inline REDIAL_ABI
