// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compiled twice: against this version's headers and the next one's.

#include <redial/redial.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

namespace {

bool get_once(std::uint16_t port) {
  boost::asio::io_context io;
  redial::http_client api(io.get_executor(), "http://127.0.0.1:" + std::to_string(port));
  bool good = false;
  api.async_get("/hello",
                std::chrono::seconds{20},
                [&](redial::error_code ec, redial::http_response response) {
                  good = !ec;
                  std::cout << redial::version() << ": " << (ec ? ec.message() : response.body)
                            << '\n';
                  api.close();
                });
  io.run();
  return good;
}

}  // namespace
