// SPDX-License-Identifier: Apache-2.0
// Containers behind an SRV record: every instance on an address and a port of its own. Priorities
// and weights count (RFC 2782); the record may have any name (ECS: `calc.local`).

#include <redial/redial.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <iostream>
#include <map>

int main() {
  using namespace std::chrono_literals;
  example::tiny_server one("127.0.0.2");
  example::tiny_server two("127.0.0.3");
  redial::testing::dns_server dns;
  dns.set_srv("calc.local", {{0, 3, one.port(), "n1.local"}, {0, 1, two.port(), "n2.local"}}, 5s);
  dns.set("n1.local", redial::record_type::a, {"127.0.0.2"}, 5s);
  dns.set("n2.local", redial::record_type::a, {"127.0.0.3"}, 5s);

  boost::asio::io_context io;
  redial::discovery_options discovery;
  discovery.nameservers = {dns.address()};
  auto names = redial::discovery::create(io.get_executor(), discovery);
  redial::http_client calc(io.get_executor(), names, "srv+http://calc.local");

  std::map<std::string, int> served;
  int failed = 0;
  int left = 400;
  std::function<void()> next = [&] {
    if (left-- == 0) {
      calc.close();
      names->close();
      return;
    }
    calc.async_get("/", 5s, [&](redial::error_code ec, const redial::http_response& r) {
      ec ? ++failed : ++served[r.body];
      next();
    });
  };
  next();
  io.run();

  for (const auto& [who, count] : served) std::cout << who << ": " << count << " requests\n";
  std::cout << failed << " failed\n";
  return failed == 0 && served.size() == 2 ? 0 : 1;
}
