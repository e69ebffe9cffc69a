// SPDX-License-Identifier: Apache-2.0
// For a program that has Asio's resolver and wants nothing else changed: replace
// `tcp::resolver resolver(io)` by `redial::resolver resolver(io.get_executor(), names)`.
// TTLs count from then on, and a DNS outage after the first answer is not noticed.

#include <redial/discovery/resolver.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <iostream>

int main() {
  using namespace std::chrono_literals;
  using boost::asio::ip::tcp;
  example::tiny_server server("127.0.0.2");
  redial::testing::dns_server dns;
  dns.set("api.test", redial::record_type::a, {"127.0.0.2"}, 1s);

  boost::asio::io_context io;
  redial::discovery_options options;
  options.nameservers = {dns.address()};
  auto names = redial::discovery::create(io.get_executor(), options);
  redial::resolver resolver(io.get_executor(), names);
  tcp::socket socket(io);

  int connected = 0;
  const auto end = [&] {  // lets io.run() return
    resolver.close();
    names->close();
  };
  const std::string port = std::to_string(server.port());
  std::function<void()> connect = [&] {
    resolver.async_resolve(
        "api.test", port, [&](redial::error_code ec, const tcp::resolver::results_type& results) {
          if (ec) {
            std::cerr << ec.message() << '\n';
            return end();
          }
          boost::asio::async_connect(
              socket, results, [&](redial::error_code why, const tcp::endpoint& where) {
                if (!why) {
                  ++connected;
                  std::cout << "connected to " << where << '\n';
                }
                socket.close();
                dns.stop();  // from now on there is no DNS
                connected == 1 ? connect() : end();
              });
        });
  };
  connect();
  io.run();
  return connected == 2 ? 0 : 1;
}
