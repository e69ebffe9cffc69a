// SPDX-License-Identifier: Apache-2.0
#pragma once

// Warm connections to the endpoints of one target.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/histogram.hpp>
#include <redial/core/measurements.hpp>
#include <redial/endpoints/endpoint_key.hpp>
#include <redial/pool/explanation.hpp>
#include <redial/pool/impl/typed_checkout.hpp>
#include <redial/pool/lease.hpp>
#include <redial/pool/options.hpp>
#include <redial/ports/completion.hpp>
#include <redial/ports/connector.hpp>
#include <redial/ports/scheduler.hpp>
#include <redial/watch/feed.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// An endpoint that a caller has already tried.
struct tried_endpoint {
  tried_endpoint() = default;
  /// With both members.
  tried_endpoint(std::uint64_t tried, time_point at) noexcept : id(tried), failed_at(at) {}

  std::uint64_t id = 0;    ///< `lease::endpoint_id()`
  time_point failed_at{};  ///< On this endpoint, only a connection opened later is of use.
};

/// What a caller says about one checkout.
struct checkout_options {
  checkout_options() = default;
  /// With a deadline.
  checkout_options(time_point by) noexcept : deadline(by) {}  // NOLINT: a deadline is enough
  /// Any unit; negative: as zero, longer than a year: a year.
  template <class Rep, class Period>
  checkout_options(std::chrono::duration<Rep, Period> time) noexcept  // NOLINT: so is a timeout
      : timeout(clamped(time)) {}

  /// Instant to give up. Already past: idle connections only. `time_point::max()`: never. Unset:
  /// `timeout` from now.
  std::optional<time_point> deadline;
  /// From now, by the pool's clock, cut to [0, 1 year]. Unset: `pool_options::checkout_timeout`.
  /// Ignored when there is a deadline.
  std::optional<duration> timeout;
  /// Not these, but the rest of their tier or the next one; if all were tried, a new connection.
  std::vector<tried_endpoint> tried;
  /// What the endpoint is chosen by under `balancing::consistent_hash`; handed to
  /// `pool_options::chooser`. Else it means nothing.
  endpoint_key key;
};

namespace detail {

class pool_state;

using checked_out = void(error_code, lease_base);
using drain_ended = void(error_code);

/// The pool without its connections' type; compiled once.
class REDIAL_API pool_base {
 public:
  /// \throws std::invalid_argument for an illegal option.
  pool_base(boost::asio::any_io_executor executor,
            std::unique_ptr<endpoint_feed> feed,
            std::shared_ptr<connector> opener,
            const pool_options& options,
            std::shared_ptr<scheduler> time);
  pool_base(pool_base&&) noexcept;
  pool_base& operator=(pool_base&& other) noexcept;
  ~pool_base();

  /// An idle connection, leased; null when there is none (`why_nothing`). For `lease_base`.
  [[nodiscard]] pool_slot* quick_checkout() noexcept;
  /// `errc::no_idle_connection`, `errc::no_usable_endpoint` or `errc::closed`.
  [[nodiscard]] error_code why_nothing() const noexcept;
  [[nodiscard]] boost::system::result<lease_base> try_checkout() noexcept;
  [[nodiscard]] boost::system::result<lease_base> try_checkout(
      const checkout_options& options) noexcept;
  void start_checkout(const checkout_options& options, completion<checked_out> done);

  /// What operations that have yet to start hold on to, since the pool may be moved or destroyed
  /// first. Null once moved from.
  using state_ptr = std::shared_ptr<pool_state>;
  [[nodiscard]] const state_ptr& state() const noexcept { return state_; }
  static void start_checkout(const state_ptr& state,
                             const checkout_options& options,
                             completion<checked_out> done);
  static void start_drain(const state_ptr& state, time_point by, completion<drain_ended> done);
  [[nodiscard]] static const boost::asio::any_io_executor& executor_of(
      const state_ptr& state) noexcept;

  bool reset(error_code cause);
  /// `ends_drain`: what a drain under way completes with.
  void close(error_code ends_drain = errc::closed);
  /// Unless told to `refuse`, it goes on serving whoever asks. `done` may be empty.
  void start_drain(bool refuse, time_point by, completion<drain_ended> done);
  [[nodiscard]] pool_counters counters() const;
  [[nodiscard]] pool_gauges gauges() const;
  [[nodiscard]] pool_histograms histograms() const;
  [[nodiscard]] pool_explanation explain() const;
  [[nodiscard]] redial::meter meter() const;
  [[nodiscard]] error_code last_connect_error() const;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::shared_ptr<scheduler>& time() const noexcept;

 private:
  state_ptr state_;
};

}  // namespace detail

/// A pool of `Connection`s to one target. It follows the target's endpoints: proves new ones before
/// it lends them, drains those that left.
///
/// \par Threads Safe from any thread.
/// \par Lifetime Destroying it closes it. Operations in flight, and those that start only then
///      (`boost::asio::deferred`), complete with `errc::closed`; leased connections are cancelled
///      and closed. One that was moved from can be assigned and destroyed, nothing else. Not to be
///      touched in a forked child, which debug builds check (docs/lifetime.md).
template <class Connection>
class basic_pool {
 public:
  using lease_type = lease<Connection>;  ///< What is lent.

  /// `opener` must open connections that hold a `Connection` (see `redial::pooled`). `time` null:
  /// the executor's own clock.
  /// \throws std::invalid_argument for an illegal option, an empty executor, a null feed or
  /// connector.
  basic_pool(boost::asio::any_io_executor executor,
             std::unique_ptr<endpoint_feed> feed,
             std::shared_ptr<connector> opener,
             const pool_options& options = {},
             std::shared_ptr<scheduler> time = nullptr)
      : base_(std::move(executor), std::move(feed), std::move(opener), options, std::move(time)) {}

  /// An idle connection, or an error at once. Allocates nothing, posts nothing, makes no system
  /// call.
  ///
  /// \par Errors `errc::no_idle_connection`, `errc::no_usable_endpoint`, `errc::closed`.
  [[nodiscard]] boost::system::result<lease_type> try_checkout() noexcept {
    detail::pool_slot* const found = base_.quick_checkout();
    if (found == nullptr) return base_.why_nothing();
    return detail::access::make<lease_type>(detail::lease_base(found));
  }
  /// The same by `options.key`, and none of `options.tried`; how long to wait does not matter.
  [[nodiscard]] boost::system::result<lease_type> try_checkout(
      const checkout_options& options) noexcept {
    auto found = base_.try_checkout(options);
    if (!found) return found.error();
    return detail::access::make<lease_type>(std::move(*found));
  }

  /// Waits for a connection, opening one if limits allow. First come, first served.
  ///
  /// \par Completes with
  ///      `void(error_code, lease<Connection>)`; never inline, on the handler's executor.
  /// \par Errors `errc::checkout_timeout` (`last_connect_error()` tells why), `errc::queue_full`,
  ///      `errc::no_usable_endpoint`, `errc::unresolved`, a definite DNS error, the last connect
  ///      error when every endpoint refused, `errc::closed`.
  /// \par Cancel All types. A cancelled wait costs nobody their place.
  template <class Token>
  auto async_checkout(checkout_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, lease_type)>(
        [](auto handler, const detail::pool_base::state_ptr& pool, const checkout_options& o) {
          detail::pool_base::start_checkout(
              pool,
              o,
              detail::typed_checkout<Connection>(std::move(handler),
                                                 detail::pool_base::executor_of(pool)));
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

  /// Drains all connections and opens new ones; the old ones serve until one new one is open. Does
  /// nothing, and returns false, within `min_reset_interval` of the last reset or while one is
  /// under way. `cause` is for the event.
  bool reset(error_code cause = {}) { return base_.reset(cause); }
  /// Completes waiting operations with `errc::closed`, closes idle connections, cancels leased
  /// ones. Idempotent.
  void close() { base_.close(); }

  /// Ends in good order. From now on checkouts fail with `errc::closed` and idle connections are
  /// closed. Callers who wait already are still served. Leased connections are closed when they
  /// come back; at `deadline` (already past: now) what is left is cancelled as by `close()`.
  /// Afterwards the pool is closed.
  ///
  /// May be asked for again: all complete together, at the earliest of their deadlines.
  ///
  /// \par Completes with
  ///      `void(error_code)`; never inline, on the handler's executor. No error: nothing was left.
  /// \par Errors `errc::deadline_exceeded`: the rest was cancelled. `errc::closed`: the pool was
  ///      closed or destroyed meanwhile or before.
  /// \par Cancel All types. Ends the waiting, not the drain.
  template <class Token>
  auto async_drain(time_point deadline, Token&& token) {
    return boost::asio::async_initiate<Token, detail::drain_ended>(
        [](auto handler, const detail::pool_base::state_ptr& pool, time_point by) {
          detail::pool_base::start_drain(
              pool,
              by,
              detail::completion<detail::drain_ended>(std::move(handler),
                                                      detail::pool_base::executor_of(pool)));
        },
        token,
        base_.state(),
        deadline);
  }

  /// Since construction.
  [[nodiscard]] pool_counters counters() const { return base_.counters(); }
  [[nodiscard]] pool_gauges gauges() const { return base_.gauges(); }  ///< What it holds now.
  [[nodiscard]] pool_histograms histograms() const { return base_.histograms(); }  ///< Durations.
  /// What it makes of each endpoint, and why. `to_string` makes text of it. Takes time and memory
  /// in proportion to endpoints and connections, with the pool locked: for people, not for loops.
  [[nodiscard]] pool_explanation explain() const { return base_.explain(); }
  /// Reads all of the above but the explanation; for `metrics`.
  [[nodiscard]] redial::meter meter() const { return base_.meter(); }
  /// Why the last connection attempt failed; clear after a success.
  [[nodiscard]] error_code last_connect_error() const { return base_.last_connect_error(); }

 private:
  friend struct detail::access;
  [[nodiscard]] detail::pool_base& base() noexcept { return base_; }

  detail::pool_base base_;
};

}  // namespace redial::inline REDIAL_ABI
