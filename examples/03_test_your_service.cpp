// SPDX-License-Identifier: Apache-2.0
// How to test that a service moves without one failed request: a DNS server and two backends inside
// the test program, a name that changes from one to the other, the old one killed afterwards.

#include <redial/redial.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <iostream>

int main() {
  using namespace std::chrono_literals;
  example::tiny_server old_one("127.0.0.2");
  example::tiny_server new_one("127.0.0.3", old_one.port());
  redial::testing::dns_server dns;
  dns.set("api.test", redial::record_type::a, {"127.0.0.2"}, 1s);

  boost::asio::io_context io;
  redial::discovery_options discovery;
  discovery.nameservers = {dns.address()};
  auto names = redial::discovery::create(io.get_executor(), discovery);
  redial::http_client api(
      io.get_executor(), names, "http://api.test:" + std::to_string(old_one.port()));

  int served = 0;
  int failed = 0;
  int served_by_new = 0;
  std::function<void()> next = [&] {
    if (failed > 0 || served_by_new == 100) {
      api.close();
      names->close();
      return;
    }
    api.async_get("/", 5s, [&](redial::error_code ec, const redial::http_response& r) {
      if (ec) {
        ++failed;
        std::cerr << ec.message() << '\n' << r.history.text();
      }
      if (++served == 100) dns.set("api.test", redial::record_type::a, {"127.0.0.3"}, 1s);
      if (r.body == "127.0.0.3" && ++served_by_new == 1) old_one.stop();
      next();
    });
  };
  next();
  io.run();

  std::cout << served << " requests, " << failed << " failed, " << served_by_new
            << " on the new address\n";
  return failed == 0 && served_by_new == 100 ? 0 : 1;
}
