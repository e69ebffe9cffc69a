// SPDX-License-Identifier: Apache-2.0
// What the addresses of a known name cost, beside getaddrinfo, which asks a server in this process
// for A and AAAA each time. CPU time of the caller only: the server's is not counted, nor is
// waiting.

#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/discovery/resolver.hpp>
#include <redial/testing/dns_server.hpp>

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <netdb.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

constexpr const char* host = "service.test";

/// Where the C library's resolver asks: it knows no other port.
struct name_server {
  name_server() {
    using namespace std::chrono_literals;
    dns.set(host, record_type::a, {"127.0.0.2", "127.0.0.3"}, 60s);
    dns.set(host, record_type::aaaa, {"::2", "::3"}, 60s);
  }
  static testing::dns_server_options options() {
    testing::dns_server_options o;
    o.port = 53;
    return o;
  }
  testing::dns_server dns{options()};
};

std::shared_ptr<name_server> the_server() {
  static std::weak_ptr<name_server> running;
  auto one = running.lock();
  if (one == nullptr) running = one = std::make_shared<name_server>();
  return one;
}

subject by_getaddrinfo() {
  return {"lookup/getaddrinfo", [] {
            return [server = the_server()](std::size_t n) {
              return timed([&] {
                for (std::size_t i = 0; i < n; ++i) {
                  addrinfo hints{};
                  hints.ai_socktype = SOCK_STREAM;
                  addrinfo* found = nullptr;
                  const int failed = ::getaddrinfo(host, "80", &hints, &found);
                  if (failed != 0) throw std::runtime_error(::gai_strerror(failed));
                  consume(found->ai_addr);
                  ::freeaddrinfo(found);
                }
              });
            };
          }};
}

struct known_name {
  known_name() : server(the_server()) {
    discovery_options o;
    o.nameservers = {server->dns.address()};
    o.hosts_path = "";
    names = discovery::create(io.get_executor(), o);
    watcher = std::make_unique<endpoint_watcher>(io.get_executor(),
                                                 names,
                                                 target(std::string("tcp://") + host + ":80"),
                                                 [](const endpoint_delta&, const snapshot_ptr&) {});
    resolve = std::make_unique<resolver>(io.get_executor(), names);
    while (watcher->current() == nullptr || watcher->current()->endpoints.size() != 4) io.run_one();
    resolve_times(1);
  }
  ~known_name() {
    resolve->close();
    watcher->close();
    names->close();
    io.restart();
    io.poll();
  }

  void start_one() {
    resolve->async_resolve(host, "80", [this](error_code ec, const resolver::results_type& found) {
      if (ec || found.size() != 4) throw std::logic_error("lookup: " + ec.message());
      if (--left > 0) start_one();
    });
  }
  void resolve_times(std::size_t n) {
    left = n;
    start_one();
    while (left > 0) io.run_one();
  }

  std::shared_ptr<name_server> server;
  asio::io_context io{1};
  std::shared_ptr<discovery> names;
  std::unique_ptr<endpoint_watcher> watcher;
  std::unique_ptr<resolver> resolve;
  std::size_t left = 0;
};

subject by_watcher() {
  return {"lookup/endpoint_watcher",
          [] {
            return [k = std::make_shared<known_name>()](std::size_t n) {
              return timed([&] {
                for (std::size_t i = 0; i < n; ++i) {
                  const snapshot_ptr now = k->watcher->current();
                  consume(&now->endpoints.front().where);
                }
              });
            };
          },
          false};
}

subject by_resolver() {
  return {"lookup/resolver", [] {
            return [k = std::make_shared<known_name>()](std::size_t n) {
              return timed([&] { k->resolve_times(n); });
            };
          }};
}

}  // namespace

std::vector<comparison> lookup_comparisons(std::string& why_not) {
  if (!why_not.empty()) return {};
  std::vector<comparison> all;
  comparison current{"cached lookup",
                     "CPU time, getaddrinfo : endpoint_watcher::current",
                     by_getaddrinfo(),
                     by_watcher()};
  current.at_least = 100;
  all.push_back(std::move(current));
  all.push_back({"cached lookup",
                 "CPU time, getaddrinfo : resolver::async_resolve",
                 by_getaddrinfo(),
                 by_resolver()});
  comparison waiting = all.back();
  waiting.what = "time, getaddrinfo : resolver::async_resolve";
  waiting.by = &spent::wall_ns;
  all.push_back(std::move(waiting));
  return all;
}

}  // namespace redial::micro
