// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stands for somebody else's client library: callbacks of its own, no word of redial, and no way to
// cancel anything.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace example {

class line_session : public std::enable_shared_from_this<line_session> {
 public:
  explicit line_session(boost::asio::io_context& io) : socket_(io) {}

  /// `done` gets an errno, 0 when it is connected.
  void connect(const std::string& address, std::uint16_t port, std::function<void(int)> done) {
    socket_.async_connect({boost::asio::ip::make_address(address), port},
                          [self = shared_from_this(), done = std::move(done)](auto ec) {
                            self->connected_ = !ec;
                            done(ec.value());
                          });
  }
  /// `done` gets the line that answers, or an empty one when the connection broke.
  void ask(const std::string& line, std::function<void(std::string)> done) {
    out_ = line + "\n";
    boost::asio::async_write(socket_, boost::asio::buffer(out_), [](auto, std::size_t) {});
    boost::asio::async_read_until(
        socket_,
        boost::asio::dynamic_buffer(in_),
        '\n',
        [self = shared_from_this(), done = std::move(done)](auto ec, std::size_t n) {
          if (ec) self->shutdown();
          std::string answer = ec ? "" : self->in_.substr(0, n - 1);
          self->in_.erase(0, n);
          done(std::move(answer));
        });
  }
  /// Ends what is under way, too.
  void shutdown() {
    connected_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  bool is_connected() const { return connected_; }
  /// Something has come that nobody asked for, be it the end.
  bool has_unread() {
    boost::system::error_code ec;
    char byte = 0;
    socket_.non_blocking(true, ec);
    socket_.receive(boost::asio::buffer(&byte, 1), boost::asio::socket_base::message_peek, ec);
    return ec != boost::asio::error::would_block;
  }

 private:
  boost::asio::ip::tcp::socket socket_;
  bool connected_ = false;
  std::string out_;
  std::string in_;
};

}  // namespace example
