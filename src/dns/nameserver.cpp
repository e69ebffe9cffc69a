// SPDX-License-Identifier: Apache-2.0
#include "dns/nameserver.hpp"

#include <redial/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <stdexcept>

namespace redial::detail {
namespace {

constexpr std::size_t largest_resolv_conf = 65536;
constexpr std::string_view blanks = " \t\r\f\v";

boost::system::result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) {
    return make_error_code(errc::bad_port);
  }
  return static_cast<std::uint16_t>(port);
}

// The next word of `line`, taken off its front.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

void add(std::vector<nameserver>& list, const nameserver& server) {
  if (std::find(list.begin(), list.end(), server) == list.end()) list.push_back(server);
}

}  // namespace

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
    add(out, *server);
  }
  return out;
}

std::vector<nameserver> nameservers_in(std::string_view text) {
  std::vector<nameserver> out;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find_first_of("#;"));
    if (take_word(line) != "nameserver") continue;
    if (const auto server = parse_nameserver(take_word(line))) add(out, *server);
  }
  return out;
}

std::vector<nameserver> read_resolv_conf(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text(largest_resolv_conf, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return nameservers_in(text);
}

}  // namespace redial::detail
