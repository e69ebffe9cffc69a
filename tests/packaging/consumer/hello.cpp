// SPDX-License-Identifier: Apache-2.0
// What a user's program is: one real GET, from a backend of its own on loopback. However redial was
// found and linked, it prints the same.
#include <redial/redial.hpp>

#include "backend.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <iostream>
#include <string>

int main() {
  backend server(1);
  boost::asio::io_context io;
  redial::http_client api(io.get_executor(), "http://127.0.0.1:" + std::to_string(server.port()));
  int status = 1;
  api.async_get("/hello",
                std::chrono::seconds{20},
                [&](redial::error_code ec, redial::http_response response) {
                  std::cout << "GET /hello: ";
                  if (ec) {
                    std::cout << ec.message() << '\n';
                  } else {
                    std::cout << response.status << ' ' << response.body << '\n';
                    status = 0;
                  }
                  api.close();
                });
  io.run();
  return status;
}
