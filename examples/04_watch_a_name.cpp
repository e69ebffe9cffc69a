// SPDX-License-Identifier: Apache-2.0
// The addresses behind a name, for a program that has connections of its own: what is added, what
// is removed, and why the rest is believed.
//
//   04_watch_a_name tcp://api.internal:443      (until Ctrl-C)
//
// Without arguments it watches a name of its own that moves, so that it runs anywhere.

#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/testing/dns_server.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>
#include <memory>

namespace {

void print(const redial::endpoint_delta& delta, const redial::snapshot_ptr& now) {
  for (const auto& e : delta.added) std::cout << "+ " << to_string(e.where) << '\n';
  for (const auto& e : delta.removed) std::cout << "- " << to_string(e.where) << '\n';
  if (now->error) std::cout << "! " << now->error.message() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  boost::asio::io_context io;
  redial::discovery_options options;

  std::unique_ptr<redial::testing::dns_server> dns;
  if (argc < 2) {
    dns = std::make_unique<redial::testing::dns_server>();
    dns->set("api.test", redial::record_type::a, {"10.0.0.1", "10.0.0.2"}, 1s);
    options.nameservers = {dns->address()};
  }
  auto names = redial::discovery::create(io.get_executor(), options);
  const redial::target target(argc < 2 ? "tcp://api.test:443" : argv[1]);

  redial::endpoint_watcher watcher(
      io.get_executor(),
      names,
      target,
      [&](const redial::endpoint_delta& delta, const redial::snapshot_ptr& now) {
        print(delta, now);
        if (!dns) return;
        if (delta.removed.empty()) {  // the first time: the name moves
          dns->set("api.test", redial::record_type::a, {"10.0.0.2", "10.0.0.3"}, 1s);
          return;
        }
        names->async_explain(target, [&](const redial::explanation& e) {
          std::cout << '\n' << to_string(e);
          watcher.close();
          names->close();  // lets io.run() return
        });
      });
  io.run();
}
