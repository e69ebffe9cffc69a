// SPDX-License-Identifier: Apache-2.0
#pragma once

// In the place of boost::asio::ip::tcp::resolver, with what a discovery knows.

#include <redial/core/abi.hpp>
#include <redial/core/error.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/ports/completion.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace detail {
class resolver_state;
}

/// Resolves as `tcp::resolver` does (`async_resolve(host, service, token)` giving
/// `tcp::resolver::results_type`, ready for `boost::asio::async_connect`), but from a discovery's
/// belief: TTLs count, the last good addresses survive a DNS outage, the hosts file is followed,
/// no thread blocks in getaddrinfo.
///
/// A name that was resolved once is watched for `keep_watching` after it was last asked for, so
/// that further calls are answered at once: in good times from answers within their TTL, in a DNS
/// outage with the last known addresses. IPv6 and IPv4 addresses take turns, IPv6 first (RFC 8305
/// §4); within a family the order is random, so that clients that take the first one spread.
/// `doubted` addresses come last.
///
/// \par Threads Safe from any thread.
/// \par Lifetime Destroying it completes what is in flight with
///      `boost::asio::error::operation_aborted`. Keeps the discovery alive. As long as a name is
///      watched `io_context::run()` does not return: `close()`, or `keep_watching` of zero.
class REDIAL_API resolver {
 public:
  /// As `tcp::resolver` has it.
  using protocol_type = boost::asio::ip::tcp;
  /// As `tcp::resolver` has it.
  using endpoint_type = protocol_type::endpoint;
  /// As `tcp::resolver` has it: for `boost::asio::async_connect`.
  using results_type = protocol_type::resolver::results_type;
  /// Any executor.
  using executor_type = boost::asio::any_io_executor;

  /// \throws std::invalid_argument for an empty executor, a null discovery, `keep_watching` outside
  ///         0 to 24 h.
  resolver(executor_type executor,
           std::shared_ptr<discovery> names,
           duration keep_watching = std::chrono::minutes{5});
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// The one it was made with.
  [[nodiscard]] executor_type get_executor() const;

  /// `host` is a name or an address; `service` a port number, `http`, `https`, or empty for port 0.
  /// \par Completes with `void(error_code, results_type)`; never inline, on the handler's executor.
  /// \par Errors Those of `target::parse` for what is no name or service; the DNS error of a name
  ///      that has never been resolved (`errc::name_not_found`, `errc::dns_timeout`, ...): at once
  ///      when it is definite, at the first failed refresh otherwise; `errc::name_gone`;
  ///      `errc::closed`, also when it starts (`boost::asio::deferred`) after the resolver has
  ///      gone; `operation_aborted` after `cancel()`.
  /// \par Cancel Not by slot; `cancel()` ends all.
  template <class Token>
  auto async_resolve(std::string_view host, std::string_view service, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, results_type)>(
        [](auto handler,
           const std::shared_ptr<detail::resolver_state>& state,
           std::string name,
           std::string port) {
          start(state,
                std::move(name),
                std::move(port),
                detail::completion<void(error_code, results_type)>(std::move(handler),
                                                                   executor_of(state)));
        },
        token,
        state_,
        std::string(host),
        std::string(service));
  }

  /// Completes what is in flight with `operation_aborted`; names stay watched.
  void cancel();
  /// As `cancel()`, and no name is watched any more. Names asked for afterwards are watched again.
  void close();

 private:
  static void start(const std::shared_ptr<detail::resolver_state>& state,
                    std::string host,
                    std::string service,
                    detail::completion<void(error_code, results_type)> done);
  [[nodiscard]] static executor_type executor_of(
      const std::shared_ptr<detail::resolver_state>& state);
  std::shared_ptr<detail::resolver_state> state_;
};

}  // namespace redial::inline REDIAL_ABI
