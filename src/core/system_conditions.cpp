// SPDX-License-Identifier: Apache-2.0
#include "core/system_conditions.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>

#include <cerrno>
#include <string_view>

// `not_sent` is never read off a foreign code. Even ECONNREFUSED can come from a connection that
// was open and had sent: Linux remembers an ICMP "port unreachable" (what a firewall's REJECT
// sends) and reports it in place of ETIMEDOUT when it gives up. Only who knows where it failed may
// say so.

namespace redial::inline REDIAL_ABI::detail {
namespace {

namespace errc = boost::system::errc;

// Also false for a system code that has no POSIX name, which Windows has.
bool is_posix(const error_code& code) noexcept {
  return code.default_error_condition().category() == boost::system::generic_category();
}

// Codes that <cerrno> has on some platforms only, and that boost::system has no name for.
bool is_host_down(int value) noexcept {
#ifdef EHOSTDOWN
  if (value == EHOSTDOWN) return true;
#endif
#ifdef ESHUTDOWN
  if (value == ESHUTDOWN) return true;
#endif
  (void)value;
  return false;
}

// This machine ran out of something: descriptors, ports, memory.
bool is_local_shortage(const error_code& code) noexcept {
  switch (code.default_error_condition().value()) {
    case errc::too_many_files_open:
    case errc::too_many_files_open_in_system:
    case errc::address_not_available:  // of connect: no free local port
    case errc::no_buffer_space:
    case errc::not_enough_memory:
      return true;
    default:
      return false;
  }
}

// The connection broke, or never came to be.
bool is_broken_connection(const error_code& code) noexcept {
  if (is_host_down(code.value())) return true;
  switch (code.default_error_condition().value()) {
    case errc::connection_refused:
    case errc::connection_reset:
    case errc::connection_aborted:
    case errc::broken_pipe:
    case errc::not_connected:
    case errc::timed_out:
    case errc::network_down:
    case errc::network_reset:
    case errc::network_unreachable:
    case errc::host_unreachable:
    case errc::protocol_error:
      return true;
    default:
      return false;
  }
}

// Connecting is forbidden or impossible here, to this address: another one may do.
bool is_barred_address(const error_code& code) noexcept {
  switch (code.default_error_condition().value()) {
    case errc::permission_denied:  // a firewall's or SELinux' word
    case errc::operation_not_permitted:
    case errc::address_family_not_supported:
      return true;
    default:
      return false;
  }
}

// Somebody stopped the operation half way, so nobody knows what is in the stream.
bool is_cut_short(const error_code& code) noexcept {
  const int value = code.default_error_condition().value();
  return value == errc::operation_canceled || value == errc::bad_file_descriptor;
}

bool posix_code_is(const error_code& code, condition asked) noexcept {
  switch (asked) {
    case condition::retryable:
      return is_broken_connection(code) || is_local_shortage(code) || is_barred_address(code);
    case condition::connection_poisoned:
      return is_broken_connection(code) || is_cut_short(code);
    case condition::local_fault:
      return is_local_shortage(code);
    case condition::not_sent:
      return false;
  }
  return false;
}

bool is_end_of_stream(const error_code& code) noexcept { return code == boost::asio::error::eof; }

// TLS: a handshake or a record that failed, an end without close_notify. By name, because only the
// net layer knows OpenSSL.
bool is_tls(const error_code& code) noexcept {
  const std::string_view name = code.category().name();
  return name == "asio.ssl" || name == "asio.ssl.stream";
}

}  // namespace

bool system_code_is(const error_code& code, condition asked) noexcept {
  if (!code.failed()) return false;
  if (is_posix(code)) return posix_code_is(code, asked);
  if (is_end_of_stream(code) || is_tls(code)) {
    return asked == condition::retryable || asked == condition::connection_poisoned;
  }
  // The rest of getaddrinfo's codes are definite.
  if (code == boost::asio::error::host_not_found_try_again) return asked == condition::retryable;
  return false;
}

}  // namespace redial::inline REDIAL_ABI::detail
