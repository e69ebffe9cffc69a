// SPDX-License-Identifier: Apache-2.0
#include "support/http_farm.hpp"

#include "support/child_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

class http_farm::session : public std::enable_shared_from_this<session> {
 public:
  session(std::shared_ptr<site> at, tcp::socket socket)
      : site_(std::move(at)), socket_(std::move(socket)) {}

  void read();
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void answer();
  void ended();

  std::shared_ptr<site> site_;
  tcp::socket socket_;
  std::string in_;
};

/// One address.
class http_farm::site : public std::enable_shared_from_this<site> {
 public:
  site(asio::io_context& io, const tcp::endpoint& where) : io_(io), acceptor_(io, where) {}

  void accept() {
    acceptor_.async_accept(io_, [self = shared_from_this()](auto ec, tcp::socket socket) {
      if (ec) return;  // closed
      ++self->seen.accepted;
      socket.set_option(tcp::no_delay(true));
      const auto s = std::make_shared<session>(self, std::move(socket));
      self->sessions_.push_back(s);
      s->read();
      self->accept();
    });
  }
  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& weak : sessions_) {
      if (const auto s = weak.lock()) s->close();
    }
  }

  figures seen;

 private:
  asio::io_context& io_;
  tcp::acceptor acceptor_;
  std::vector<std::weak_ptr<session>> sessions_;
};

void http_farm::session::read() {
  asio::async_read_until(socket_,
                         asio::dynamic_buffer(in_),
                         "\r\n\r\n",
                         [self = shared_from_this()](auto ec, std::size_t n) {
                           if (ec) return self->ended();
                           self->in_.erase(0, n);
                           self->answer();
                         });
}

void http_farm::session::answer() {
  static constexpr std::string_view reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ++site_->seen.requests;
  asio::async_write(
      socket_, asio::buffer(reply), [self = shared_from_this()](auto ec, std::size_t) {
        if (ec) return self->ended();
        self->read();
      });
}

void http_farm::session::ended() {
  ++site_->seen.closed;
  close();
}

http_farm::http_farm(asio::io_context& io, const std::vector<std::string>& addresses)
    : port_(free_port(addresses)) {
  for (const auto& a : addresses) {
    const auto s = std::make_shared<site>(io, tcp::endpoint(asio::ip::make_address(a), port_));
    s->accept();
    sites_[a] = s;
  }
}

http_farm::~http_farm() { close(); }

const http_farm::figures& http_farm::at(const std::string& address) const {
  return sites_.at(address)->seen;
}

void http_farm::close() {
  for (const auto& [address, s] : sites_) s->close();
}

}  // namespace redial::inline REDIAL_ABI::testing
