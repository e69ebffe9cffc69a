// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/1.1 over a pool that follows DNS.

#include <redial/client/explanation.hpp>
#include <redial/client/options.hpp>
#include <redial/core/abi.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/histogram.hpp>
#include <redial/core/measurements.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/http/impl/response_handler.hpp>
#include <redial/http/message.hpp>
#include <redial/net/tcp_options.hpp>
#include <redial/net/tls_options.hpp>
#include <redial/ports/completion.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {

/// What an `http_client` does. Validated at construction.
struct http_options {
  http_options() = default;

  client_options client;  ///< Calls, retries, connections.
  tcp_options tcp;        ///< How connections are opened.
  tls_options tls;        ///< How peers are verified; for `https://` only.
  /// Response header, chunk extensions and trailers each: 256 bytes to 16 MiB.
  std::size_t max_header_bytes = 64 * 1024;
  /// Response body: 0 to 1 TiB.
  std::size_t max_body_bytes = 8 * 1024 * 1024;
  /// Sent unless the request has its own; empty: none.
  std::string user_agent = "redial";
};

/// \throws std::invalid_argument naming the option, its value and the legal range.
REDIAL_API void validate(const http_options& o);

namespace detail {

class http_state;
using responded = void(error_code, http_response);

[[nodiscard]] REDIAL_API const boost::asio::any_io_executor& executor_of(
    const std::shared_ptr<http_state>& state);
REDIAL_API void start_request(const std::shared_ptr<http_state>& state,
                              std::shared_ptr<http_call> call,
                              const call_options& options,
                              completion<void(error_code, call_history)> done);
REDIAL_API void start_drain(const std::shared_ptr<http_state>& state,
                            time_point by,
                            completion<void(error_code)> done);
REDIAL_API void start_explain(const std::shared_ptr<http_state>& state,
                              completion<void(client_explanation)> done);

}  // namespace detail

/// Sends requests to one target (`http://`, `https://`, `srv+http://`, `srv+https://`,
/// `static://`), each to a proven address that the name has now; retries elsewhere what may be
/// retried.
///
/// Redirects are not followed, cookies and credentials not kept.
///
/// \par Threads Safe from any thread.
/// \par Lifetime Destroying it closes it: requests in flight, and those that start only then,
///      complete with `errc::closed`. One that was moved from can be assigned and destroyed,
///      nothing else.
class REDIAL_API http_client {
 public:
  /// With a discovery of its own.
  /// \throws std::invalid_argument for an illegal target or option, or an empty executor.
  http_client(boost::asio::any_io_executor executor,
              std::string_view target,
              const http_options& options = {});
  /// With a shared one. `time` null: the executor's own clock.
  /// \throws std::invalid_argument for an illegal target or option, an empty executor, a null
  /// discovery.
  http_client(boost::asio::any_io_executor executor,
              std::shared_ptr<discovery> names,
              std::string_view target,
              const http_options& options = {},
              std::shared_ptr<scheduler> time = nullptr);
  /// The other one may only be assigned to or destroyed then.
  http_client(http_client&&) noexcept;
  /// Closes what it has had; the other one may only be assigned to or destroyed then.
  http_client& operator=(http_client&& other) noexcept;
  ~http_client();

  /// Sends `request` and reads the whole response.
  ///
  /// 502, 503 and 504 on an idempotent request count as a failure and are retried elsewhere; 421 is
  /// retried elsewhere and asks for a refresh. When the attempts end, the last response is
  /// delivered without an error.
  ///
  /// \par Completes with
  ///      `void(error_code, http_response)`; never inline, on the handler's executor.
  /// \par Errors
  ///      `errc::invalid_request` (nothing was sent), `errc::bad_response`,
  ///      `errc::partial_response`, `errc::header_too_large`, `errc::body_too_large`, and those of
  ///      `basic_client::async_call`. The response's `history` is filled in on errors too.
  /// \par Cancel All types. The connection is closed.
  template <class Token>
  auto async_request(http_request request, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, detail::responded>(
        [](auto handler,
           const std::shared_ptr<detail::http_state>& state,
           http_request r,
           const call_options& o) {
          // Here, since a stored operation may be started more than once.
          auto call = detail::make_http_call(std::move(r));
          using wrapped = detail::response_handler<decltype(handler)>;
          detail::completion<void(error_code, call_history)> done(wrapped{call, std::move(handler)},
                                                                  detail::executor_of(state));
          detail::start_request(state, std::move(call), o, std::move(done));
        },
        token,
        state_,
        std::move(request),
        std::move(options));
  }
  /// The same with `client_options::default_timeout`.
  template <class Token>
  auto async_request(http_request request, Token&& token) {
    return async_request(std::move(request), call_options{}, std::forward<Token>(token));
  }

  /// `GET path`.
  template <class Token>
  auto async_get(std::string path, call_options options, Token&& token) {
    return async_request(
        http_request("GET", std::move(path)), std::move(options), std::forward<Token>(token));
  }
  /// The same with `client_options::default_timeout`.
  template <class Token>
  auto async_get(std::string path, Token&& token) {
    return async_get(std::move(path), call_options{}, std::forward<Token>(token));
  }

  /// See `basic_client::reset`.
  bool reset();
  /// Completes requests with `errc::closed` and closes all connections. Idempotent.
  void close();
  /// Ends in good order; a discovery of its own ends with it. See `basic_client::async_drain`.
  template <class Token>
  auto async_drain(time_point deadline, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, const std::shared_ptr<detail::http_state>& state, time_point by) {
          detail::completion<void(error_code)> done(std::move(handler), detail::executor_of(state));
          detail::start_drain(state, by, std::move(done));
        },
        token,
        state_,
        deadline);
  }
  /// Requests and attempts since construction.
  [[nodiscard]] client_counters counters() const;
  /// Its pool's, since construction.
  [[nodiscard]] pool_counters connection_counters() const;
  /// What its pool holds now.
  [[nodiscard]] pool_gauges connection_gauges() const;
  /// How long requests took.
  [[nodiscard]] client_histograms histograms() const;
  /// How long its pool's connects and checkouts took.
  [[nodiscard]] pool_histograms connection_histograms() const;
  /// Reads all of these; for `metrics`.
  [[nodiscard]] redial::meter meter() const;

  /// See `basic_client::async_explain`.
  template <class Token>
  auto async_explain(Token&& token) {
    return boost::asio::async_initiate<Token, void(client_explanation)>(
        [](auto handler, const std::shared_ptr<detail::http_state>& state) {
          detail::start_explain(state,
                                detail::completion<void(client_explanation)>(
                                    std::move(handler), detail::executor_of(state)));
        },
        token,
        state_);
  }

 private:
  std::shared_ptr<detail::http_state> state_;
};

}  // namespace redial::inline REDIAL_ABI
