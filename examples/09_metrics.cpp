// SPDX-License-Identifier: Apache-2.0
// What redial tells: events in your log, figures for Prometheus, and why calls go where they go.
//
// A name moves from one backend to another while requests run. A real service would serve the text
// of `redial::metrics` under /metrics; this one prints it.

#include <redial/core/log.hpp>
#include <redial/metrics/metrics.hpp>
#include <redial/redial.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

int main() {
  using namespace std::chrono_literals;
  example::tiny_server old_one("127.0.0.2");
  example::tiny_server new_one("127.0.0.3", old_one.port());
  redial::testing::dns_server dns;
  dns.set("api.test", redial::record_type::a, {"127.0.0.2"}, 1s);

  // The log hook. Ten lines like these lead to spdlog, syslog or whatever you have.
  const auto log = std::make_shared<redial::log_listener>([](const redial::log_record& r) {
    std::cout << redial::to_string(r.level) << ' ' << r.component << ": " << r.message << '\n';
  });

  boost::asio::io_context io;
  redial::discovery_options discovery;
  discovery.nameservers = {dns.address()};
  discovery.listener = log;
  auto names = redial::discovery::create(io.get_executor(), discovery);
  redial::http_options options;
  options.client.listener = log;
  redial::http_client api(
      io.get_executor(), names, "http://api.test:" + std::to_string(old_one.port()), options);

  redial::metrics figures;
  figures.add(*names);
  figures.add(api, "api");  // without a name of its own: the target

  int served = 0;
  bool failed = false;
  std::string page;
  const auto end = [&] {
    api.async_explain([&](const redial::client_explanation& why) {
      page = figures.text();
      std::cout << '\n' << to_string(why) << '\n' << page;
      api.close();
      names->close();
    });
  };
  std::function<void()> next = [&] {
    api.async_get("/", 5s, [&](redial::error_code ec, const redial::http_response& r) {
      failed = static_cast<bool>(ec);
      if (++served == 50) dns.set("api.test", redial::record_type::a, {"127.0.0.3"}, 1s);
      failed || r.body == "127.0.0.3" ? end() : next();
    });
  };
  next();
  io.run();

  const auto calls = "redial_calls_total{pool=\"api\"} " + std::to_string(served) + '\n';
  return !failed && page.find(calls) != std::string::npos ? 0 : 1;
}
