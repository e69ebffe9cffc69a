// SPDX-License-Identifier: Apache-2.0
// A protocol of one's own over a pooled TCP connection: send a line, read a line.
//
// The operation gets a connection that is proven, and Asio's own stream. When the connection turns
// out to be dead the operation runs again on another one.

#include <redial/client/stream_clients.hpp>

#include "support/tiny_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace {

/// One exchange. It owns its buffers: after a deadline the call completes at once, while the socket
/// operations that were cancelled still refer to them.
struct exchange {
  std::string out = "hello\n";
  std::string in;

  void operator()(redial::attempt&, redial::tcp_connection& c, redial::operation_handler done) {
    in.clear();
    boost::asio::async_write(
        c.stream(),
        boost::asio::buffer(out),
        [this, &c, done = std::move(done)](redial::error_code ec, std::size_t) mutable {
          if (ec) return done(ec);
          boost::asio::async_read_until(
              c.stream(), boost::asio::dynamic_buffer(in), '\n', std::move(done));
        });
  }
};

}  // namespace

int main() {
  using namespace std::chrono_literals;
  example::tiny_server server("127.0.0.1");

  boost::asio::io_context io;
  auto names = redial::discovery::create(io.get_executor());
  auto client = redial::make_tcp_client(
      io.get_executor(), names, redial::target("tcp://localhost:" + std::to_string(server.port())));

  auto line = std::make_shared<exchange>();
  bool failed = false;
  client.async_call(
      [line](redial::attempt& a, redial::tcp_connection& c, redial::operation_handler done) {
        (*line)(a, c, std::move(done));
      },
      redial::call_options(2s).idempotent(),
      [&](redial::error_code ec, const redial::call_history& history) {
        failed = static_cast<bool>(ec);
        std::cout << (ec ? ec.message() + "\n" + history.text() : line->in);
        client.close();
        names->close();
      });
  io.run();
  return failed ? 1 : 0;
}
