// SPDX-License-Identifier: Apache-2.0
#pragma once

// What went wrong (`errc`), and what a caller may do about it (`condition`).

#include <redial/core/abi.hpp>

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/error_condition.hpp>

#include <type_traits>

namespace redial::inline REDIAL_ABI {

using boost::system::error_code;

/// What happened. Codes of c-ares, OpenSSL and the system are passed on as they are, in their own
/// categories; these are the ones that only redial can know.
enum class errc {
  // Names and targets. Nothing was started.
  bad_scheme = 1,  ///< The target does not start with a scheme that redial knows.
  bad_name,        ///< Not a DNS name: empty, a label over 63 or a name over 253 characters, a bad
                   ///< character.
  name_not_ascii,  ///< Give the A-label form (`xn--...`) of an internationalised name.
  bad_address,  ///< Looks like an address and is none (`127.1`, `256.1.1.1`, an unknown IPv6 zone).
  bad_port,     ///< Missing where one is needed, zero, or over 65535.
  bad_target,   ///< Something else about the target: user info, a path where none belongs, no host.

  // DNS. The name's last good addresses stay in use unless an option says otherwise.
  dns_timeout = 20,    ///< No server answered before our own deadline.
  dns_server_failure,  ///< SERVFAIL, NOTIMP, FORMERR or an unknown rcode.
  dns_refused,         ///< The server refused, or nothing listens there.
  dns_bad_answer,      ///< The answer could not be parsed or did not fit the question.
  name_not_found,      ///< NXDOMAIN: the name does not exist.
  no_data,             ///< The name exists and has no address.
  no_dns_servers,      ///< No name server is configured.
  name_gone,           ///< The name was believed to be gone; its addresses were drained.
  unresolved,          ///< The deadline came before the name's first answer.
  no_service,          ///< The SRV record says that there is no such service here (target ".").

  // Connections.
  connect_timeout = 40,  ///< TCP, TLS and the identity check took longer than `connect_timeout`.
  checkout_timeout,      ///< No connection became free before the caller's deadline.
  queue_full,            ///< `queue_limit` callers wait already.
  no_usable_endpoint,    ///< No endpoint is active, and none can become so now.
  identity_mismatch,     ///< Somebody else answered on this address.
  connection_drained,    ///< The endpoint left DNS and the drain deadline passed during the lease.
  peer_closed,           ///< The peer closed the connection before any byte of its response.
  no_idle_connection,    ///< `try_checkout` found none idle; `async_checkout` opens one or waits.
  bad_tls_options,       ///< CA file, certificate or key is missing, unreadable or does not match.
  tls_name_mismatch,     ///< The certificate does not speak for the asked name.
  not_tls,               ///< The peer does not speak TLS on this port.
  alpn_mismatch,         ///< The peer speaks none of the protocols that ALPN offered.
  identity_spent,        ///< The identity was proven, but the connection ends with the proof.

  // Calls.
  closed = 60,        ///< The object was closed or destroyed while the operation was in flight.
  deadline_exceeded,  ///< The call's deadline passed.
  attempt_timeout,    ///< One attempt took longer than `attempt_timeout`.
  abandoned,          ///< The operation destroyed its completion handler without calling it.
  not_sent,           ///< An operation's own word that nothing had been sent when it failed.

  // HTTP.
  bad_request =
      80,        ///< Method, target, header or value holds what must not be sent. Nothing was sent.
  bad_response,  ///< The peer's bytes are not a legal HTTP/1.1 response.
  partial_response,    ///< The connection ended inside the response.
  header_too_large,    ///< The response's header is over the limit.
  body_too_large,      ///< The response's body is over the limit.
  unavailable_status,  ///< 502, 503 or 504; retried elsewhere while attempts are left.
  misdirected_status,  ///< 421: the peer says it is not responsible for this name.
};

/// What to do about an error. Compare with `ec == condition::retryable`. Codes of redial, of the
/// system, Asio and its TLS streams are known; for others nothing holds, unless their category
/// says so in its `equivalent`.
enum class condition {
  /// Another attempt, elsewhere or later, may succeed. Says nothing about whether bytes were sent.
  retryable = 1,
  /// The connection must not be used again.
  connection_poisoned,
  /// The failed operation sent nothing: even a call that is not idempotent may be tried again. Only
  /// codes of redial say so, never one of the system: on Linux an open connection that had sent can
  /// end in ECONNREFUSED (a firewall's REJECT), and ENETUNREACH and EHOSTUNREACH anyway.
  not_sent,
  /// The fault is on this machine (EMFILE, EADDRNOTAVAIL, ENOBUFS, ...); no endpoint is to blame.
  local_fault,
};

[[nodiscard]] REDIAL_API const boost::system::error_category& redial_category() noexcept;
[[nodiscard]] REDIAL_API const boost::system::error_category& condition_category() noexcept;

[[nodiscard]] inline error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), redial_category()};
}
[[nodiscard]] inline boost::system::error_condition make_error_condition(condition c) noexcept {
  return {static_cast<int>(c), condition_category()};
}

}  // namespace redial::inline REDIAL_ABI

namespace boost::system {
template <>
struct is_error_code_enum<redial::errc> : std::true_type {};
template <>
struct is_error_condition_enum<redial::condition> : std::true_type {};
}  // namespace boost::system
