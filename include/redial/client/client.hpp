// SPDX-License-Identifier: Apache-2.0
#pragma once

// Calls that survive their connections.

#include <redial/client/call.hpp>
#include <redial/client/explanation.hpp>
#include <redial/client/impl/erased_operation.hpp>
#include <redial/client/options.hpp>
#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/histogram.hpp>
#include <redial/core/measurements.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/pool/pool.hpp>
#include <redial/ports/completion.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace detail {

using called = void(error_code, call_history);

class client_state;

/// The client without its connections' type; compiled once.
class REDIAL_API client_base {
 public:
  client_base(boost::asio::any_io_executor executor,
              std::shared_ptr<discovery> names,
              const target& t,
              std::shared_ptr<connector> opener,
              const client_options& options,
              std::shared_ptr<scheduler> time);
  client_base(client_base&&) noexcept;
  client_base& operator=(client_base&& other) noexcept;
  ~client_base();

  /// What operations that have yet to start hold on to, since the client may be moved or destroyed
  /// first. Null once moved from.
  using state_ptr = std::shared_ptr<client_state>;
  [[nodiscard]] const state_ptr& state() const noexcept { return state_; }

  static void start_call(const state_ptr& state,
                         std::unique_ptr<erased_operation> op,
                         const call_options& options,
                         completion<called> done);
  static void start_drain(const state_ptr& state, time_point by, completion<drain_ended> done);
  static void start_checkout(const state_ptr& state,
                             const checkout_options& options,
                             completion<checked_out> done);
  static void start_explain(const state_ptr& state, completion<void(client_explanation)> done);
  [[nodiscard]] static const boost::asio::any_io_executor& executor_of(
      const state_ptr& state) noexcept;

  bool reset();
  void close();
  [[nodiscard]] client_counters counters() const;
  [[nodiscard]] client_histograms histograms() const;
  [[nodiscard]] redial::meter meter() const;
  [[nodiscard]] pool_base& pool() const noexcept;

 private:
  state_ptr state_;
};

}  // namespace detail

/// Runs operations on connections to one target, and runs them again elsewhere when that is safe.
///
/// \par Threads Safe from any thread. Operations run on their connection's executor.
/// \par Lifetime Destroying it closes it: calls in flight complete with `errc::closed`, and so do
///      operations that start only then, such as those of `boost::asio::deferred`. Moving it takes
///      them along; one that was moved from can be assigned and destroyed, nothing else. Not to be
///      touched in a forked child, which debug builds check (docs/lifetime.md).
template <class Connection>
class basic_client {
 public:
  /// `names` may be shared by any number of clients. `time` null: the executor's own clock.
  /// \throws std::invalid_argument for an illegal option, an empty executor, a null discovery or
  /// connector.
  basic_client(boost::asio::any_io_executor executor,
               std::shared_ptr<discovery> names,
               const target& t,
               std::shared_ptr<connector> opener,
               const client_options& options = {},
               std::shared_ptr<scheduler> time = nullptr)
      : base_(
            std::move(executor), std::move(names), t, std::move(opener), options, std::move(time)) {
  }

  /// Runs `operation(attempt&, Connection&, handler)` on a checked-out connection until it
  /// succeeds, must not be tried again, or its time is up; on two connections at once only where
  /// `client_options::hedge` says so. `operation` is kept until its last handler was called or
  /// destroyed, which may be after the call has completed.
  ///
  /// At a deadline the attempt's cancellation slot is emitted (terminal), the connection is closed,
  /// and the call goes on at once; a late completion of the operation is swallowed.
  ///
  /// \par Completes with `void(error_code, call_history)`; never inline, on the handler's executor.
  /// An error ends the connection too. What the peer refused in good order (a missing key, a broken
  /// constraint) is a result of the operation, not an error of it.
  ///
  /// \par Errors The last attempt's own error. When the time ran out before any attempt had failed:
  ///      `errc::deadline_exceeded` in the operation; while it waited for a connection
  ///      `errc::unresolved`, `errc::no_usable_endpoint` or `errc::checkout_timeout` (connects that
  ///      take longer than the deadline look like this: `async_explain` shows them).
  ///      `errc::closed`. The history has every failed attempt.
  /// \par Cancel All types: as at a deadline, completing with `operation_aborted`.
  template <class Operation, class Token>
  auto async_call(Operation operation, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, detail::called>(
        [](auto handler,
           const detail::client_base::state_ptr& client,
           Operation op,
           const call_options& o) {
          detail::client_base::start_call(
              client,
              std::make_unique<detail::typed_operation<Connection, Operation>>(std::move(op)),
              o,
              detail::completion<detail::called>(std::move(handler),
                                                 detail::client_base::executor_of(client)));
        },
        token,
        base_.state(),
        std::move(operation),
        std::move(options));
  }
  /// The same with `client_options::default_timeout`, and not idempotent.
  template <class Operation, class Token>
  auto async_call(Operation operation, Token&& token) {
    return async_call(std::move(operation), call_options{}, std::forward<Token>(token));
  }

  /// Checks a connection out without retries. See `basic_pool`.
  template <class Token>
  auto async_checkout(checkout_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, lease<Connection>)>(
        [](auto handler, const detail::client_base::state_ptr& client, const checkout_options& o) {
          detail::client_base::start_checkout(
              client,
              o,
              detail::typed_checkout<Connection>(std::move(handler),
                                                 detail::client_base::executor_of(client)));
        },
        token,
        base_.state(),
        std::move(options));
  }
  /// The same with `pool_options::checkout_timeout`.
  template <class Token>
  auto async_checkout(Token&& token) {
    return async_checkout(checkout_options{}, std::forward<Token>(token));
  }

  /// Replaces all connections by new ones, at most once per `pool_options::min_reset_interval`.
  /// \returns False when it was refused: too soon, one is under way, or the client drains or is
  ///      closed.
  bool reset() { return base_.reset(); }
  /// Completes calls with `errc::closed` and closes all connections. Idempotent.
  void close() { base_.close(); }

  /// Ends in good order. From now on calls and checkouts fail with `errc::closed` and idle
  /// connections are closed. Calls in flight may finish, with the retries they need, and checkouts
  /// that wait are still served; leased connections are closed when they come back. At `deadline`
  /// (already past: now) what is left is cancelled as by `close()`. Afterwards the client is
  /// closed.
  ///
  /// May be asked for again: all complete together, at the earliest of their deadlines.
  ///
  /// \par Completes with
  ///      `void(error_code)`; never inline, on the handler's executor, after the last call's own
  ///      completion was posted. No error: nothing was left.
  /// \par Errors `errc::deadline_exceeded`: the rest was cancelled. `errc::closed`: the client was
  ///      closed or destroyed meanwhile or before.
  /// \par Cancel All types. Ends the waiting, not the drain.
  template <class Token>
  auto async_drain(time_point deadline, Token&& token) {
    return boost::asio::async_initiate<Token, detail::drain_ended>(
        [](auto handler, const detail::client_base::state_ptr& client, time_point by) {
          detail::client_base::start_drain(
              client,
              by,
              detail::completion<detail::drain_ended>(std::move(handler),
                                                      detail::client_base::executor_of(client)));
        },
        token,
        base_.state(),
        deadline);
  }

  /// Calls and attempts since construction.
  [[nodiscard]] client_counters counters() const { return base_.counters(); }
  /// Its pool's, since construction.
  [[nodiscard]] pool_counters connection_counters() const { return base_.pool().counters(); }
  /// What its pool holds now.
  [[nodiscard]] pool_gauges connection_gauges() const { return base_.pool().gauges(); }
  /// How long calls took.
  [[nodiscard]] client_histograms histograms() const { return base_.histograms(); }
  /// How long its pool's connects and checkouts took.
  [[nodiscard]] pool_histograms connection_histograms() const { return base_.pool().histograms(); }
  /// Reads all of these; for `metrics`.
  [[nodiscard]] redial::meter meter() const { return base_.meter(); }

  /// Why calls go where they go: what the discovery believes about the target, and what became of
  /// each endpoint in the pool. `to_string` makes text of it.
  ///
  /// \par Completes with `void(client_explanation)`; never inline, on the handler's executor.
  /// \par Cancel Not possible: it takes one turn of the discovery's executor.
  template <class Token>
  auto async_explain(Token&& token) {
    return boost::asio::async_initiate<Token, void(client_explanation)>(
        [](auto handler, const detail::client_base::state_ptr& client) {
          detail::client_base::start_explain(
              client,
              detail::completion<void(client_explanation)>(
                  std::move(handler), detail::client_base::executor_of(client)));
        },
        token,
        base_.state());
  }

 private:
  friend struct detail::access;
  [[nodiscard]] detail::client_base& base() noexcept { return base_; }

  detail::client_base base_;
};

}  // namespace redial::inline REDIAL_ABI
