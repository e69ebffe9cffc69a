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

/// What happened. The numbers stay: they go into logs and to other programs. Codes of c-ares,
/// OpenSSL and the system are passed on as they are, in their own categories; these are the ones
/// that only redial can know.
enum class errc {
  // Names and targets. Nothing was started.
  bad_scheme = 1,  ///< The target does not start with a scheme that redial knows.
  bad_name = 2,    ///< Not a DNS name: empty, a label over 63 or a name over 253 characters, a bad
                   ///< character.
  name_not_ascii = 3,  ///< Give the A-label form (`xn--...`) of an internationalised name.
  /// Looks like an address and is none (`127.1`, `256.1.1.1`, an unknown IPv6 zone).
  bad_address = 4,
  bad_port = 5,  ///< Missing where one is needed, zero, or over 65535.
  /// Something else about the target: user info, a path where none belongs, no host.
  bad_target = 6,

  // DNS. The name's last good addresses stay in use unless an option says otherwise.
  dns_timeout = 20,         ///< No server answered before our own deadline.
  dns_server_failure = 21,  ///< SERVFAIL, NOTIMP, FORMERR or an unknown rcode.
  dns_refused = 22,         ///< The server refused, or nothing listens there.
  dns_bad_answer = 23,      ///< The answer could not be parsed or did not fit the question.
  name_not_found = 24,      ///< NXDOMAIN: the name does not exist.
  no_data = 25,             ///< The name exists and has no address.
  no_dns_servers = 26,      ///< No name server is configured.
  name_gone = 27,           ///< The name was believed to be gone; its addresses were drained.
  unresolved = 28,          ///< The deadline came before the name's first answer.
  no_service = 29,  ///< The SRV record says that there is no such service here (target ".").

  // Connections.
  connect_timeout = 40,     ///< TCP, TLS and the identity check took longer than `connect_timeout`.
  checkout_timeout = 41,    ///< No connection became free before the caller's deadline.
  queue_full = 42,          ///< `queue_limit` callers wait already.
  no_usable_endpoint = 43,  ///< No endpoint is active, and none can become so now.
  identity_mismatch = 44,   ///< Somebody else answered on this address.
  /// The endpoint left DNS and the drain deadline passed during the lease.
  connection_drained = 45,
  peer_closed = 46,  ///< The peer closed the connection before any byte of its response.
  /// `try_checkout` found none idle; `async_checkout` opens one or waits.
  no_idle_connection = 47,
  bad_tls_options = 48,  ///< CA file, certificate or key is missing, unreadable or does not match.
  tls_name_mismatch = 49,  ///< The certificate does not speak for the asked name.
  not_tls = 50,            ///< The peer does not speak TLS on this port.
  alpn_mismatch = 51,      ///< The peer speaks none of the protocols that ALPN offered.
  identity_spent = 52,     ///< The identity was proven, but the connection ends with the proof.

  // Calls.
  closed = 60,  ///< The object was closed or destroyed while the operation was in flight.
  deadline_exceeded = 61,  ///< A deadline passed: a call's, in an attempt, or a drain's.
  attempt_timeout = 62,    ///< One attempt took longer than `attempt_timeout`.
  abandoned = 63,          ///< The operation destroyed its completion handler without calling it.
  not_sent = 64,           ///< An operation's own word that nothing had been sent when it failed.

  // HTTP.
  /// Method, target, header or value holds what must not be sent: it was not.
  invalid_request = 80,
  bad_response = 81,        ///< The peer's bytes are not a legal HTTP/1.1 response.
  partial_response = 82,    ///< The connection ended inside the response.
  header_too_large = 83,    ///< The response's header is over the limit.
  body_too_large = 84,      ///< The response's body is over the limit.
  unavailable_status = 85,  ///< 502, 503 or 504; retried elsewhere while attempts are left.
  misdirected_status = 86,  ///< 421: the peer says it is not responsible for this name.
};

/// What to do about an error. Compare with `ec == condition::retryable`. Codes of redial, of the
/// system, Asio and its TLS streams are known; for others nothing holds, unless their category
/// says so in its `equivalent`.
enum class condition {
  /// Another attempt, elsewhere or later, may succeed. Says nothing about whether bytes were sent.
  retryable = 1,
  /// The connection must not be used again.
  connection_poisoned = 2,
  /// The failed operation sent nothing: even a call that is not idempotent may be tried again. Only
  /// codes of redial say so, never one of the system: on Linux an open connection that had sent can
  /// end in ECONNREFUSED (a firewall's REJECT), and ENETUNREACH and EHOSTUNREACH anyway.
  not_sent = 3,
  /// The fault is on this machine (EMFILE, EADDRNOTAVAIL, ENOBUFS, ...); no endpoint is to blame.
  local_fault = 4,
};

/// Of `errc`. Its name is `redial`.
[[nodiscard]] REDIAL_API const boost::system::error_category& redial_category() noexcept;
/// Of `condition`. Its name is `redial.condition`.
[[nodiscard]] REDIAL_API const boost::system::error_category& condition_category() noexcept;

/// For Boost.System.
[[nodiscard]] inline error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), redial_category()};
}
/// For Boost.System.
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
