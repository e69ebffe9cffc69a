// SPDX-License-Identifier: Apache-2.0
#pragma once

// Just enough of a server for the examples to talk to, so that they run anywhere.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace example {

/// Listens on one loopback address, on a thread of its own. Answers anything that looks like an
/// HTTP request with its name; echoes everything else.
class tiny_server {
 public:
  explicit tiny_server(const std::string& address, std::uint16_t port = 0)
      : name_(address), acceptor_(io_, {boost::asio::ip::make_address(address), port}) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~tiny_server() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Ends it as a crash would: all connections break.
  void stop() {
    if (!thread_.joinable()) return;
    io_.stop();
    thread_.join();
    acceptor_.close();
  }

 private:
  struct session : std::enable_shared_from_this<session> {
    session(boost::asio::ip::tcp::socket s, const std::string& name)
        : socket(std::move(s)), name_(name) {}
    void read() {
      socket.async_read_some(boost::asio::buffer(in),
                             [self = shared_from_this()](auto ec, std::size_t n) {
                               if (!ec) self->reply({self->in.data(), n});
                             });
    }
    void reply(std::string_view text) {
      out = text;
      if (text.substr(0, 4) == "GET ") {
        out = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name_.size()) + "\r\n\r\n" +
              name_;
      }
      boost::asio::async_write(
          socket, boost::asio::buffer(out), [self = shared_from_this()](auto ec, std::size_t) {
            if (!ec) self->read();
          });
    }
    boost::asio::ip::tcp::socket socket;
    const std::string& name_;
    std::array<char, 4096> in{};
    std::string out;
  };

  void accept() {
    acceptor_.async_accept([this](auto ec, boost::asio::ip::tcp::socket s) {
      if (ec) return;
      std::make_shared<session>(std::move(s), name_)->read();
      accept();
    });
  }

  std::string name_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace example
