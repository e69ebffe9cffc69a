// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server that says what a test wants: first, and once for every line that it hears.

#include <redial/core/abi.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// On the test's own executor, on loopback. What it says may be changed between connections.
class line_peer {
 public:
  enum class then { keep, close, reset };

  explicit line_peer(boost::asio::io_context& io)
      : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }

  std::string greeting;
  std::vector<std::string> reply;  ///< Each piece in a write of its own.
  then after = then::keep;         ///< After a reply.

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// All lines of all connections.
  [[nodiscard]] const std::string& heard() const noexcept { return log_->heard; }
  /// Connections that the other side has not closed.
  [[nodiscard]] std::size_t open() const noexcept { return log_->open; }
  [[nodiscard]] std::size_t accepted() const noexcept { return log_->accepted; }

 private:
  using tcp = boost::asio::ip::tcp;

  struct log {
    std::string heard;
    std::size_t open = 0;
    std::size_t accepted = 0;
  };
  struct session : std::enable_shared_from_this<session> {
    session(tcp::socket s, line_peer& peer)
        : socket(std::move(s)), shared(peer.log_), pieces(peer.reply), after(peer.after) {
      socket.set_option(tcp::no_delay(true));
      ++shared->open;
      ++shared->accepted;
    }
    ~session() { --shared->open; }

    void listen() {
      boost::asio::async_read_until(socket,
                                    boost::asio::dynamic_buffer(in),
                                    '\n',
                                    [self = shared_from_this()](auto ec, auto n) {
                                      if (!ec) self->answer(n);
                                    });
    }
    void answer(std::size_t n) {
      shared->heard += in.substr(0, n);
      in.erase(0, n);
      say(0);
    }
    void say(std::size_t which) {
      if (which == pieces.size()) return end();
      boost::asio::async_write(socket,
                               boost::asio::buffer(pieces[which]),
                               [self = shared_from_this(), which](auto ec, auto) {
                                 if (!ec) self->say(which + 1);
                               });
    }
    void end() {
      if (after == then::keep) return listen();
      if (after == then::reset) socket.set_option(boost::asio::socket_base::linger(true, 0));
      socket.close();
    }

    tcp::socket socket;
    std::shared_ptr<log> shared;
    std::vector<std::string> pieces;
    then after;
    std::string in;
  };

  void accept() {
    acceptor_.async_accept([this](auto ec, tcp::socket socket) {
      if (ec) return;
      const auto s = std::make_shared<session>(std::move(socket), *this);
      boost::system::error_code ignored;
      boost::asio::write(s->socket, boost::asio::buffer(greeting), ignored);
      s->listen();
      accept();
    });
  }

  tcp::acceptor acceptor_;
  std::shared_ptr<log> log_ = std::make_shared<log>();
};

}  // namespace redial::inline REDIAL_ABI::testing
