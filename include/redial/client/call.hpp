// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call: its options, its attempts, and what is left to tell when it ends.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/endpoints/endpoint_key.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// What a caller says about one call. Converts from a deadline and from a timeout.
struct call_options {
  call_options() = default;
  /// With a deadline.
  call_options(time_point by) noexcept : deadline(by) {}  // NOLINT: a deadline is enough
  /// Any unit; negative: as zero, longer than a year: a year.
  template <class Rep, class Period>
  call_options(std::chrono::duration<Rep, Period> time) noexcept  // NOLINT: so is a timeout
      : timeout(clamped(time)) {}

  /// Same call with the promise that running it twice does no harm, or with the warning that it
  /// does.
  [[nodiscard]] call_options idempotent(bool yes = true) && {
    is_idempotent = yes;
    return std::move(*this);
  }

  /// Absolute; includes queueing, DNS, connecting, TLS and waits between attempts. Unset: `timeout`
  /// from now. Already past: `errc::deadline_exceeded`. `time_point::max()`: never; attempts then
  /// have no limit either, unless `client_options::attempt_timeout` is one.
  std::optional<time_point> deadline;
  /// From the start of the call, by the client's clock, cut to [0, 1 year]. Unset:
  /// `client_options::default_timeout`. Ignored when there is a deadline.
  std::optional<duration> timeout;
  /// Running it twice does no harm, so it may be retried after bytes were sent. Unset: as the
  /// protocol says, of which `http_client` knows (GET, PUT, ...), or else false.
  std::optional<bool> is_idempotent;
  /// Calls with equal keys go to the same endpoint, and their retries to that key's next ones, if
  /// the pool's policy looks at keys: `checkout_options::key`.
  endpoint_key key;
};

/// What became of one attempt.
struct attempt_record {
  attempt_record() = default;

  endpoint where;         ///< Port 0 when the attempt got no connection.
  error_code error;       ///< Clear: it succeeded.
  duration elapsed{};     ///< From its start to its end, waiting for a connection included.
  bool sent = false;      ///< Bytes of it may have reached the peer.
  bool reused = false;    ///< It ran on a connection that had served before.
  bool received = false;  ///< A byte of its response arrived.
};

/// The failed attempts of a call, in the order in which they ended. Empty when the first attempt
/// succeeded and no second one ran beside it: of two that ran at once (`hedge_policy`), the one
/// that was called off is here too, with `operation_aborted`.
struct REDIAL_API call_history {
  call_history() = default;

  std::vector<attempt_record> attempts;  ///< In the order in which they ended.

  /// One line per attempt: number, endpoint, time, error.
  [[nodiscard]] std::string text() const;
};

namespace detail {
class call_state;
enum class attempt_verdict { none, poison, moved, spent, unwell };
}  // namespace detail

/// The attempt an operation runs in. Valid until the operation's handler is called.
class attempt {
 public:
  /// From 1.
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  /// Whom the connection leads to.
  [[nodiscard]] const endpoint& where() const noexcept { return *where_; }
  /// When it will be cancelled. Put off to the call's own deadline when no other attempt could
  /// follow then, because a response has begun to arrive or the retry budget is spent.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  /// True when the connection has served before, and so may have died in between.
  [[nodiscard]] bool is_reused() const noexcept { return reused_; }

  /// Verdicts, in force when the attempt ends. `poison`: the connection must not be used again, and
  /// the name is asked for anew. `moved`: the peer is no longer responsible (a read-only replica, a
  /// server shutting down) and has done nothing; the attempt counts as failed without blame (with
  /// `errc::misdirected_status` when its operation names no error), is tried again, elsewhere where
  /// there is another endpoint, and the name is asked for anew. `spent`: all is well, but the
  /// connection ends here (`Connection: close`).
  void poison() noexcept { verdict_ = detail::attempt_verdict::poison; }
  /// See `poison`.
  void moved() noexcept { verdict_ = detail::attempt_verdict::moved; }
  /// See `poison`.
  void spent() noexcept { verdict_ = detail::attempt_verdict::spent; }
  /// The peer answered that it is not well, and the answer is the call's result all the same (HTTP
  /// 503 on a request that must not be repeated): counts against the endpoint.
  void unwell() noexcept { verdict_ = detail::attempt_verdict::unwell; }

  /// For connections that do not count bytes: the first byte of the response has arrived.
  void response_started() noexcept { response_started_ = true; }

 private:
  friend class detail::call_state;

  std::uint32_t number_ = 0;
  const endpoint* where_ = nullptr;
  time_point deadline_{};
  bool reused_ = false;
  bool response_started_ = false;
  detail::attempt_verdict verdict_ = detail::attempt_verdict::none;
};

/// The handler an operation completes, exactly once, with an `error_code` first. Extra results are
/// ignored, so it can be given to Asio and Beast operations as it is. Its associated executor is
/// the connection's, its cancellation slot fires when the attempt's time is up.
///
/// Destroying it uncalled ends the attempt with `errc::abandoned`.
class REDIAL_API operation_handler {
 public:
  /// The other one is empty then: it may only be destroyed.
  operation_handler(operation_handler&&) noexcept = default;
  operation_handler& operator=(operation_handler&&) = delete;
  ~operation_handler() {
    if (call_) drop();
  }

  /// As Asio wants its handlers.
  using executor_type = boost::asio::any_io_executor;
  /// The connection's.
  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  /// As Asio wants its handlers.
  using cancellation_slot_type = boost::asio::cancellation_slot;
  /// Is emitted (terminal) when the attempt's time is up, or its call is cancelled.
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  /// Ends the attempt: clear, it succeeded. Called once; further results are ignored.
  template <class... Results>
  void operator()(error_code ec, Results&&...) {
    complete(ec);
  }
  /// For `co_spawn`: an exception that is no `system_error` ends the attempt with
  /// `errc::abandoned`.
  template <class... Results>
  void operator()(std::exception_ptr failure, Results&&...) {
    complete(failure);
  }

 private:
  friend struct detail::access;
  operation_handler(std::shared_ptr<detail::call_state> call,
                    std::uint32_t number,
                    boost::asio::any_io_executor executor,
                    boost::asio::cancellation_slot slot) noexcept
      : call_(std::move(call)), number_(number), executor_(std::move(executor)), slot_(slot) {}

  void complete(error_code ec);
  void complete(const std::exception_ptr& failure);
  void drop() noexcept;

  std::shared_ptr<detail::call_state> call_;
  std::uint32_t number_;
  boost::asio::any_io_executor executor_;
  boost::asio::cancellation_slot slot_;
};

}  // namespace redial::inline REDIAL_ABI
