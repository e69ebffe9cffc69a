// SPDX-License-Identifier: Apache-2.0
#include "churn/name_server.hpp"

#include <redial/testing/dns_server.hpp>

#include "churn/record.hpp"
#include "support/dns_servers.hpp"

#include <fmt/core.h>

#include <stdexcept>

namespace redial::churn {

namespace {

using namespace std::chrono_literals;

class embedded_server final : public name_server {
 public:
  explicit embedded_server(std::uint16_t port) : dns_(options_with(port)) {
    dns_.set_soa("test", 60s, 60s);
    // A cache that minimises its questions (RFC 9156) asks for these, too.
    for (const char* parent : {"test", "churn.test"}) dns_.set(parent, record_type::a, {});
  }

  std::uint16_t port() const override { return dns_.port(); }

  void set_addresses(const std::string& host,
                     const std::vector<std::string>& addresses,
                     std::chrono::seconds ttl) override {
    dns_.set(host, record_type::a, addresses, ttl);
  }

  void set_services(const std::string& owner,
                    const std::vector<testing::srv_data>& services,
                    std::chrono::seconds ttl) override {
    dns_.set_srv(owner, services, ttl);
  }

  void sample(const std::string& host, std::size_t count) override {
    dns_.sample(host, record_type::a, count);
  }

  void fail(const std::vector<std::string>& hosts, dns_fault fault) override {
    dns_.silence(fault == dns_fault::silent);
    for (const auto& host : hosts) {
      if (fault == dns_fault::servfail) dns_.fail(host, testing::rcode::servfail);
      if (fault == dns_fault::nxdomain) dns_.remove(host);
      if (fault == dns_fault::empty) dns_.set(host, record_type::a, {});
    }
  }

  std::uint64_t queries(const std::string& name) const override { return dns_.queries(name); }

 private:
  static testing::dns_server_options options_with(std::uint16_t port) {
    testing::dns_server_options o;
    o.port = port;
    return o;
  }

  testing::dns_server dns_;
};

class knot final : public name_server {
 public:
  explicit knot(std::uint16_t port) : knot_({}, port) {}

  std::uint16_t port() const override { return knot_.port(); }

  void set_addresses(const std::string& host,
                     const std::vector<std::string>& addresses,
                     std::chrono::seconds ttl) override {
    knot_.set_addresses(relative(host), static_cast<int>(ttl.count()), addresses);
  }

  void set_services(const std::string& owner,
                    const std::vector<testing::srv_data>& services,
                    std::chrono::seconds ttl) override {
    std::vector<std::string> texts;
    for (const auto& s : services) {
      texts.push_back(fmt::format("{} {} {} {}.", s.priority, s.weight, s.port, s.target));
    }
    knot_.set_records(relative(owner), static_cast<int>(ttl.count()), "SRV", texts);
  }

  void sample(const std::string&, std::size_t) override {
    throw std::logic_error("Knot says all it knows");
  }

  void fail(const std::vector<std::string>&, dns_fault fault) override {
    if (fault == dns_fault::none) return knot_.go_on();
    if (fault == dns_fault::silent) return knot_.pause();
    throw std::logic_error("Knot does not fail like that");
  }

  std::uint64_t queries(const std::string&) const override { return not_counted; }

 private:
  // As `knot_server` wants them.
  static std::string relative(const std::string& name) {
    return name.substr(0, name.rfind(".test"));
  }

  testing::knot_server knot_;
};

}  // namespace

std::unique_ptr<name_server> make_name_server(authority kind, std::uint16_t port) {
  if (kind == authority::knot) return std::make_unique<knot>(port);
  return std::make_unique<embedded_server>(port);
}

std::string why_no_name_server(authority kind) {
  if (kind == authority::embedded || testing::knot_server::is_installed()) return {};
  return "Knot DNS is not installed";
}

class name_cache::state {
 public:
  state(std::uint16_t authority_port, std::uint16_t port) : unbound(authority_port, port) {}

  testing::unbound_server unbound;
};

name_cache::name_cache(std::uint16_t authority_port, std::uint16_t port)
    : state_(std::make_unique<state>(authority_port, port)) {}

name_cache::~name_cache() = default;

bool name_cache::is_installed() { return testing::unbound_server::is_installed(); }

std::string name_cache::address() const { return state_->unbound.address(); }

}  // namespace redial::churn
