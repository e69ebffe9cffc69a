// SPDX-License-Identifier: Apache-2.0
//
// Any text as what a user writes: a target, a host, an address. What is accepted has a canonical
// text that means the same.
#include <redial/core/error.hpp>
#include <redial/core/target.hpp>

#include "check.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

namespace {

using namespace redial;
using fuzz::demand;

void check_error(const error_code& ec) {
  static const std::set<errc> documented{errc::bad_scheme,
                                         errc::bad_name,
                                         errc::name_not_ascii,
                                         errc::bad_address,
                                         errc::bad_port,
                                         errc::bad_target,
                                         errc::name_not_found};
  demand(ec.category() == redial_category(), "errors are redial's own");
  demand(documented.contains(static_cast<errc>(ec.value())), "errors are documented ones");
}

void check_address(std::string_view text) {
  const auto parsed = parse_address(text);
  if (!parsed) {
    demand(parsed.error() == errc::bad_address, "no address is bad_address");
    return;
  }
  demand(parse_address(parsed->to_string()) == *parsed, "an address's text means the same");
  const address plain = unmapped(*parsed);
  demand(unmapped(plain) == plain, "unmapping twice is unmapping once");
  demand(is_dialable(plain) == is_dialable(*parsed), "mapped or not, dialable or not");
}

bool is_canonical(const std::string& name) {
  return !name.empty() && name.size() <= 253 && name.back() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.';
         });
}

void check_host(std::string_view text) {
  const auto host = host_name::parse(text);
  if (!host) return check_error(host.error());
  const auto again = host_name::parse(host->text());
  demand(again && *again == *host, "a host's text means the same");
  demand(again->addresses() == host->addresses(), "and the same addresses");
  demand(again->is_literal() == host->is_literal(), "and a literal stays one");
  demand(host->is_literal() ? host->addresses().size() == 1 : is_canonical(host->text()),
         "a host is one address or a canonical name");
  demand(std::ranges::all_of(host->addresses(), is_dialable), "fixed addresses can be dialled");
}

void check_exception(std::string_view text, bool expected) {
  bool refused = false;
  try {
    const target t(text);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  demand(refused == expected, "the constructor refuses what parse refuses");
}

void check_target(std::string_view text) {
  const auto parsed = target::parse(text);
  if (!parsed) {
    check_error(parsed.error());
    return check_exception(text, true);
  }
  check_host(parsed->host().text());
  check_host(parsed->identity().text());
  const target again(parsed->text());
  demand(again == *parsed && again.text() == parsed->text(), "a target's text means the same");
  demand(again.scheme() == parsed->scheme() && again.is_srv() == parsed->is_srv(), "its scheme");
  demand(again.host() == parsed->host() && again.port() == parsed->port(), "its host and port");
  demand(again.identity() == parsed->identity(), "its identity");
  demand(again.fixed_endpoints() == parsed->fixed_endpoints(), "its endpoints");
  demand(again.authority() == parsed->authority(), "its authority");
  demand((parsed->port() == 0) == parsed->is_srv(), "a port, or SRV records that say it");
  demand(!parsed->is_srv() || parsed->fixed_endpoints().empty(), "SRV has no fixed endpoints");
  const bool literal = parsed->host().is_fixed();
  demand(literal == !parsed->fixed_endpoints().empty(), "fixed hosts, fixed endpoints");
  demand(parsed->authority().find('%') == std::string::npos, "no zone leaves this machine");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_address(text);
  check_host(text);
  check_target(text);
  return 0;
}
