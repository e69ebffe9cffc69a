// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>

#include "core/system_conditions.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {
namespace {

// What a code means for a caller: a set of conditions.
using conditions = std::uint8_t;
constexpr conditions none = 0;
constexpr conditions again = 1;   // condition::retryable
constexpr conditions poison = 2;  // condition::connection_poisoned
constexpr conditions unsent = 4;  // condition::not_sent
constexpr conditions local = 8;   // condition::local_fault

struct facts {
  errc what;
  conditions holds;
  const char* message;
};

// Nothing was sent by then: up to the first lease, and where the code says so.
constexpr facts table[] = {
    {errc::bad_scheme,
     unsent,
     "unknown scheme: write http://, https://, tcp://, tls://, srv://, srv+https:// or static://"},
    {errc::bad_name,
     unsent,
     "not a DNS name: labels of 1 to 63 and at most 253 letters, digits, '-' and '_'"},
    {errc::name_not_ascii, unsent, "name is not ASCII: write its A-label form (xn--...)"},
    {errc::bad_address,
     unsent,
     "not an IP address: write 10.0.0.1, ::1, or fe80::1%eth0 with an existing zone; IPv6 before a "
     "port goes in brackets"},
    {errc::bad_port, unsent, "bad port: write one from 1 to 65535"},
    {errc::bad_target,
     unsent,
     "not a target: write a scheme, a host and a port, without user, path or query"},
    {errc::dns_timeout,
     again | unsent,
     "no name server answered in time: check that they can be reached"},
    {errc::dns_server_failure, again | unsent, "the name server failed to answer: look at its log"},
    {errc::dns_refused,
     again | unsent,
     "the name server refused the query: check that it serves this machine"},
    {errc::dns_bad_answer,
     again | unsent,
     "the name server's answer does not make sense: look at what sits in between"},
    {errc::name_not_found, unsent, "the name does not exist: check its spelling"},
    {errc::no_data, unsent, "the name exists but has no address: check its records"},
    {errc::no_dns_servers,
     again | unsent | local,
     "no name server is configured: see /etc/resolv.conf or discovery_options::nameservers"},
    {errc::name_gone, unsent, "the name is gone from DNS: its addresses were drained"},
    {errc::unresolved,
     again | unsent,
     "the name had no answer yet at the deadline: check the name servers"},
    {errc::no_service,
     unsent,
     "the name's SRV record says that this service is not offered (target \".\")"},
    {errc::connect_timeout, again | poison | unsent, "connecting took longer than connect_timeout"},
    {errc::checkout_timeout,
     again | unsent,
     "no connection was free in time: raise max_connections, or see why connecting is slow"},
    // Not retryable: the limit sheds load, and a retry would bring it back at once.
    {errc::queue_full,
     unsent,
     "queue_limit callers wait already: slow down or raise max_connections"},
    {errc::no_usable_endpoint,
     again | unsent,
     "no endpoint of the name is usable: see the last connect error"},
    {errc::identity_mismatch,
     again | poison | unsent,
     "another service answered on this address: its records may be out of date"},
    {errc::connection_drained,
     again | poison,
     "the endpoint left DNS and drain_deadline passed during the lease"},
    {errc::peer_closed,
     again | poison,
     "the peer closed the connection before any byte of its response"},
    {errc::no_idle_connection,
     again | unsent,
     "no idle connection right now: async_checkout opens one or waits"},
    {errc::bad_tls_options,
     unsent | local,
     "a CA file, certificate or key is missing, unreadable or does not match"},
    {errc::tls_name_mismatch,
     again | poison | unsent,
     "the certificate does not speak for the asked name"},
    {errc::not_tls,
     again | poison | unsent,
     "the peer does not speak TLS on this port: check scheme and port"},
    {errc::alpn_mismatch,
     again | poison | unsent,
     "the peer speaks none of the protocols offered by ALPN: check tls_options::alpn"},
    {errc::identity_spent,
     again | poison | unsent,
     "the identity was proven but the peer ends the connection with it: have it keep connections "
     "open"},
    {errc::closed, poison, "closed while the operation was in flight"},
    {errc::deadline_exceeded, poison, "the call's deadline passed"},
    {errc::attempt_timeout, again | poison, "an attempt took longer than attempt_timeout"},
    {errc::abandoned,
     poison,
     "the operation destroyed its handler without calling it: correct the operation"},
    {errc::not_sent, again | poison | unsent, "failed before anything was sent"},
    {errc::invalid_request,
     unsent,
     "method, target, header or value holds what must not be sent; nothing was"},
    {errc::bad_response, poison, "the response is not legal HTTP/1.1"},
    {errc::partial_response, again | poison, "the connection ended inside the response"},
    {errc::header_too_large, poison, "the response's header is over the limit"},
    {errc::body_too_large, poison, "the response's body is over the limit"},
    {errc::unavailable_status, again, "the service answered 502, 503 or 504"},
    {errc::misdirected_status, again | poison, "the peer is not responsible for this name (421)"},
};

// The table is short and errors are rare: a search does.
constexpr facts facts_of(int value) noexcept {
  for (const facts& f : table) {
    if (static_cast<int>(f.what) == value) return f;
  }
  return {static_cast<errc>(value), none, "unknown redial error"};
}

constexpr conditions bit_of(condition c) noexcept {
  switch (c) {
    case condition::retryable:
      return again;
    case condition::connection_poisoned:
      return poison;
    case condition::not_sent:
      return unsent;
    case condition::local_fault:
      return local;
  }
  return none;
}

class redial_category_type final : public boost::system::error_category {
 public:
  // An id makes the category equal to itself across shared libraries.
  constexpr redial_category_type() noexcept : error_category(0x7265'6469'616c'2e01ULL) {}

  const char* name() const noexcept override { return "redial"; }
  std::string message(int value) const override { return facts_of(value).message; }
  char const* message(int value, char*, std::size_t) const noexcept override {
    return facts_of(value).message;
  }

  // So that `ec == boost::system::errc::timed_out` finds every way to be late.
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::dns_timeout:
      case errc::unresolved:
      case errc::connect_timeout:
      case errc::checkout_timeout:
      case errc::deadline_exceeded:
      case errc::attempt_timeout:
        return boost::system::errc::make_error_condition(boost::system::errc::timed_out);
      default:
        return {value, *this};
    }
  }
};

class condition_category_type final : public boost::system::error_category {
 public:
  constexpr condition_category_type() noexcept : error_category(0x7265'6469'616c'2e02ULL) {}

  const char* name() const noexcept override { return "redial.condition"; }
  std::string message(int value) const override {
    switch (static_cast<condition>(value)) {
      case condition::retryable:
        return "another attempt may succeed";
      case condition::connection_poisoned:
        return "the connection must not be used again";
      case condition::not_sent:
        return "nothing was sent";
      case condition::local_fault:
        return "the fault is on this machine";
    }
    return "unknown redial condition";
  }

  bool equivalent(const error_code& code, int value) const noexcept override {
    const auto asked = static_cast<condition>(value);
    if (code.category() == redial_category()) {
      return (facts_of(code.value()).holds & bit_of(asked)) != 0;
    }
    return detail::system_code_is(code, asked);
  }
};

constexpr redial_category_type the_redial_category;
constexpr condition_category_type the_condition_category;

}  // namespace

const boost::system::error_category& redial_category() noexcept { return the_redial_category; }

const boost::system::error_category& condition_category() noexcept {
  return the_condition_category;
}

}  // namespace redial::inline REDIAL_ABI
