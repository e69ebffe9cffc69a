// SPDX-License-Identifier: Apache-2.0
#include "dns/nameserver.hpp"

#include <redial/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::detail {
namespace {

boost::system::result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) {
    return make_error_code(errc::bad_port);
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

void add_once(std::vector<nameserver>& list, const nameserver& server) {
  if (std::find(list.begin(), list.end(), server) == list.end()) list.push_back(server);
}

boost::system::result<nameserver> parse_nameserver(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return make_error_code(errc::bad_address);
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    // Brackets are for what has colons of its own.
    if (host.find(':') == std::string_view::npos) return make_error_code(errc::bad_address);
    if (!port.empty() && port.front() != ':') return make_error_code(errc::bad_address);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  nameserver out;
  if (!port.empty()) {
    const auto number = parse_port(port.substr(1));
    if (!number) return number.error();
    out.port = *number;
  }
  if (host.starts_with('[')) return make_error_code(errc::bad_address);
  const auto where = parse_address(host);
  if (!where) return where.error();
  out.where = *where;
  return out;
}

std::string to_string(const nameserver& server) {
  const auto host = server.where.to_string();
  return (server.where.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(server.port);
}

std::vector<nameserver> parse_nameservers(const std::vector<std::string>& texts) {
  std::vector<nameserver> out;
  for (const auto& text : texts) {
    const auto server = parse_nameserver(text);
    if (!server) {
      throw std::invalid_argument("nameservers: '" + text + "': " + server.error().message() +
                                  "; want address:port or [address]:port");
    }
    add_once(out, *server);
  }
  return out;
}

}  // namespace redial::inline REDIAL_ABI::detail
