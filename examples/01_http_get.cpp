// SPDX-License-Identifier: Apache-2.0
// The shortest useful program: one GET.
//
//   01_http_get http://api.internal:8080 /health
//
// Without arguments it asks a server of its own, so that it runs anywhere.

#include <redial/redial.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/io_context.hpp>

#include <iostream>

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  example::tiny_server server("127.0.0.1");
  const std::string target =
      argc > 1 ? argv[1] : "http://localhost:" + std::to_string(server.port());
  const std::string path = argc > 2 ? argv[2] : "/";

  boost::asio::io_context io;
  redial::http_client api(io.get_executor(), target);
  bool failed = false;
  api.async_get(path, 2s, [&](redial::error_code ec, redial::http_response response) {
    failed = static_cast<bool>(ec);
    if (failed) {
      std::cerr << ec.message() << '\n' << response.history.text();
    } else {
      std::cout << response.status << ' ' << response.body << '\n';
    }
    api.close();  // lets io.run() return
  });
  io.run();
  return failed ? 1 : 0;
}
