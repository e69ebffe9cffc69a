// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/core/escaped.hpp>
#include <redial/core/target.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

// The grammar is RFC 3986 §3.2 without user info, with the path reduced to one '/'. Steps: scheme,
// then what must not be there, then host and port (or the list of `static://`), each by its own
// rules.

namespace redial::inline REDIAL_ABI {
namespace {

template <class T>
using result = boost::system::result<T>;

struct scheme_facts {
  std::string_view name;
  target_scheme scheme;
  std::uint16_t default_port;  // 0: the port must be written
};

constexpr scheme_facts schemes[] = {
    {"http", target_scheme::http, 80},
    {"https", target_scheme::https, 443},
    {"tcp", target_scheme::tcp, 0},
    {"tls", target_scheme::tls, 0},
    {"static", target_scheme::static_list, 0},
};

const scheme_facts& facts_of(target_scheme scheme) noexcept {
  return schemes[static_cast<std::size_t>(scheme)];
}

bool equal_without_case(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

const scheme_facts* find_scheme(std::string_view name) {
  const auto found = std::ranges::find_if(
      schemes, [&](const scheme_facts& s) { return equal_without_case(name, s.name); });
  return found == std::end(schemes) ? nullptr : found;
}

struct scheme_choice {
  const scheme_facts* facts = nullptr;
  bool srv = false;
};

scheme_choice choose_scheme(std::string_view name) {
  constexpr std::string_view srv = "srv";
  if (!equal_without_case(name.substr(0, srv.size()), srv)) return {find_scheme(name), false};
  if (name.size() == srv.size()) return {&facts_of(target_scheme::tcp), true};
  if (name[srv.size()] != '+') return {};
  const scheme_facts* const facts = find_scheme(name.substr(srv.size() + 1));
  if (facts == nullptr || facts->scheme == target_scheme::static_list) return {};
  return {facts, true};
}

std::string srv_prefix(target_scheme scheme) {
  if (scheme == target_scheme::tcp) return "srv://";
  return "srv+" + std::string(facts_of(scheme).name) + "://";
}

result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, port);
  if (failure != std::errc{} || stopped != end || port == 0) {
    return make_error_code(errc::bad_port);
  }
  return port;
}

struct host_and_port {
  std::string_view host;
  std::optional<std::string_view> port;
};

// `host`, `host:port`, `[address]`, `[address]:port`.
result<host_and_port> split(std::string_view text) {
  std::size_t end_of_host = text.find(':');
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return make_error_code(errc::bad_address);
    end_of_host = bracket + 1;
  } else if (end_of_host != std::string_view::npos && text.rfind(':') != end_of_host) {
    return make_error_code(
        errc::bad_address);  // IPv6 without brackets: where would the port begin?
  }
  if (end_of_host >= text.size()) return host_and_port{text, std::nullopt};
  if (text[end_of_host] != ':') return make_error_code(errc::bad_address);
  return host_and_port{text.substr(0, end_of_host), text.substr(end_of_host + 1)};
}

result<std::uint16_t> port_of(const host_and_port& parts, std::uint16_t default_port) {
  if (parts.port) return parse_port(*parts.port);
  if (default_port == 0) return make_error_code(errc::bad_port);
  return default_port;
}

// One `address:port` of a static list.
result<endpoint> parse_endpoint(std::string_view text) {
  if (text.empty()) return make_error_code(errc::bad_target);
  const auto parts = split(text);
  if (!parts) return parts.error();
  const auto parsed = parse_address(parts->host);
  if (!parsed) return parsed.error();
  if (!is_dialable(*parsed)) return make_error_code(errc::bad_address);
  const auto port = port_of(*parts, 0);
  if (!port) return port.error();
  return endpoint(unmapped(*parsed), *port);
}

// In the order written; what is written twice counts once.
result<std::vector<endpoint>> parse_endpoints(std::string_view text) {
  std::vector<endpoint> list;
  std::set<endpoint> seen;
  for (;;) {
    const auto comma = text.find(',');
    auto one = parse_endpoint(text.substr(0, comma));
    if (!one) return one.error();
    if (seen.insert(*one).second) list.push_back(*std::move(one));
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

std::string bracketed(const host_name& host, std::string_view text) {
  const bool v6 = host.is_literal() && host.addresses().front().is_v6();
  return v6 ? '[' + std::string(text) + ']' : std::string(text);
}

// `_http._tcp.api.internal` -> `api.internal`. The whole when nothing else would be left.
std::string_view without_service_labels(std::string_view name) {
  std::string_view rest = name;
  while (rest.starts_with('_')) {
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) return name;
    rest.remove_prefix(dot + 1);
  }
  return rest;
}

std::string canonical_text(const scheme_facts& scheme,
                           const host_name& host,
                           std::uint16_t port,
                           const std::vector<endpoint>& fixed) {
  std::string text = std::string(scheme.name) + "://";
  if (scheme.scheme != target_scheme::static_list) {
    return text + bracketed(host, host.text()) + ':' + std::to_string(port);
  }
  for (const endpoint& e : fixed) {
    if (&e != &fixed.front()) text += ',';
    text += to_string(e);
  }
  return text;
}

}  // namespace

target::target(target_scheme scheme,
               host_name host,
               std::uint16_t port,
               std::vector<endpoint> fixed)
    : scheme_(scheme),
      host_(std::move(host)),
      identity_(host_),
      port_(port),
      fixed_(std::move(fixed)),
      text_(canonical_text(facts_of(scheme_), host_, port_, fixed_)) {}

target::target(target_scheme scheme, host_name srv_owner, host_name identity)
    : scheme_(scheme),
      srv_(true),
      host_(std::move(srv_owner)),
      identity_(std::move(identity)),
      port_(0),
      text_(srv_prefix(scheme) + host_.text()) {}

result<target> target::parse(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return make_error_code(errc::bad_scheme);
  const scheme_choice chosen = choose_scheme(text.substr(0, colon));
  const scheme_facts* const scheme = chosen.facts;
  if (scheme == nullptr) return make_error_code(errc::bad_scheme);

  std::string_view rest = text.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@") != std::string_view::npos) {
    return make_error_code(errc::bad_target);
  }

  if (scheme->scheme == target_scheme::static_list) {
    auto list = parse_endpoints(rest);
    if (!list) return list.error();
    const endpoint& first = list->front();
    auto host = host_name::parse(first.addr.to_string());
    if (!host) return host.error();
    const std::uint16_t port = first.port;
    return target(scheme->scheme, *std::move(host), port, *std::move(list));
  }

  const auto parts = split(rest);
  if (!parts) return parts.error();
  if (parts->host.empty()) return make_error_code(errc::bad_target);
  auto host = host_name::parse(parts->host);
  if (!host) return host.error();
  if (chosen.srv) {
    if (parts->port) return make_error_code(errc::bad_port);  // the records say
    if (host->is_fixed()) return make_error_code(errc::bad_target);
    auto identity = host_name::parse(without_service_labels(host->text()));
    if (!identity) return identity.error();
    return target(scheme->scheme, *std::move(host), *std::move(identity));
  }
  const auto port = port_of(*parts, scheme->default_port);
  if (!port) return port.error();
  std::vector<endpoint> fixed;
  for (const address& a : host->addresses()) fixed.emplace_back(a, *port);
  return target(scheme->scheme, *std::move(host), *port, std::move(fixed));
}

target::target(std::string_view text)
    : target([&] {
        auto parsed = parse(text);
        if (parsed) return *std::move(parsed);
        throw std::invalid_argument("redial: \"" + escaped(text) +
                                    "\" is not a target: " + parsed.error().message() +
                                    ". Accepted: http://host[:port], https://host[:port], "
                                    "tcp://host:port, tls://host:port, srv://name, "
                                    "srv+http://name, srv+https://name, srv+tls://name, "
                                    "static://address:port[,address:port]...");
      }()) {}

std::string target::authority() const {
  // A zone means something on this machine only (RFC 6874 §1).
  const std::string_view name = identity_.text();
  const std::string text = bracketed(identity_, name.substr(0, name.find('%')));
  if (srv_ || port_ == facts_of(scheme_).default_port) return text;
  return text + ':' + std::to_string(port_);
}

}  // namespace redial::inline REDIAL_ABI
