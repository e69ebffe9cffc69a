// SPDX-License-Identifier: Apache-2.0
#include "support/raw_http_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

raw_reply plain_reply(int status, const std::string& body) {
  return raw_reply("HTTP/1.1 " + std::to_string(status) +
                   " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

class raw_http_server::session : public std::enable_shared_from_this<session> {
 public:
  session(raw_http_server& server, tcp::socket socket)
      : server_(&server), socket_(std::move(socket)), pause_(socket_.get_executor()) {}

  void read_head() {
    asio::async_read_until(socket_,
                           asio::dynamic_buffer(in_),
                           "\r\n\r\n",
                           [self = shared_from_this()](auto ec, std::size_t n) {
                             if (ec) return self->close();
                             self->on_head(n);
                           });
  }
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
  }
  void forget() {
    server_ = nullptr;
    close();
  }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

 private:
  void on_head(std::size_t head) {
    if (server_ == nullptr) return;
    reply_ = server_->take_reply();
    const std::size_t whole = head + body_length(head);
    if (reply_.before_body || in_.size() >= whole) return on_request(whole);
    asio::async_read(socket_,
                     asio::dynamic_buffer(in_),
                     asio::transfer_exactly(whole - in_.size()),
                     [self = shared_from_this(), whole](auto ec, std::size_t) {
                       if (ec) return self->close();
                       self->on_request(whole);
                     });
  }

  std::size_t body_length(std::size_t head) const {
    const std::string name = "\r\nContent-Length: ";
    const auto at = in_.find(name);
    if (at == std::string::npos || at >= head) return 0;
    return static_cast<std::size_t>(std::atol(in_.c_str() + at + name.size()));
  }

  void on_request(std::size_t whole) {
    if (server_ == nullptr) return;
    server_->requests_.push_back(in_.substr(0, std::min(whole, in_.size())));
    in_.erase(0, std::min(whole, in_.size()));
    piece_ = 0;
    write_next();
  }

  void write_next() {
    if (piece_ == reply_.pieces.size()) return finish();
    const auto& piece = reply_.pieces[piece_++];
    asio::async_write(socket_, asio::buffer(piece), [self = shared_from_this()](auto ec, auto) {
      if (ec) return self->close();
      if (self->reply_.between.count() == 0) return self->write_next();
      self->pause_.expires_after(self->reply_.between);
      self->pause_.async_wait([self](auto late) {
        if (!late) self->write_next();
      });
    });
  }

  void finish() {
    switch (reply_.after) {
      case raw_reply::then::keep:
        return read_head();
      case raw_reply::then::hold:
        return wait_for_end();
      case raw_reply::then::close:
        return shut_down();
      case raw_reply::then::reset: {
        boost::system::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        return close();
      }
    }
  }

  // A FIN, not the RST that closing with unread bytes would send.
  void shut_down() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    wait_for_end();
  }
  void wait_for_end() {
    socket_.async_read_some(asio::buffer(rest_), [self = shared_from_this()](auto ec, auto) {
      if (ec) return self->close();
      self->wait_for_end();
    });
  }

  raw_http_server* server_;
  tcp::socket socket_;
  asio::steady_timer pause_;
  std::string in_;
  raw_reply reply_;
  std::size_t piece_ = 0;
  char rest_[4096];
};

raw_http_server::raw_http_server(asio::io_context& io)
    : io_(io),
      acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      usual_(plain_reply(200, "ok")) {
  accept();
}

raw_http_server::~raw_http_server() { close(); }

std::uint16_t raw_http_server::port() const { return acceptor_.local_endpoint().port(); }

std::string raw_http_server::authority() const { return "127.0.0.1:" + std::to_string(port()); }

void raw_http_server::always(raw_reply r) { usual_ = std::move(r); }

void raw_http_server::next(raw_reply r) { next_.push_back(std::move(r)); }

std::size_t raw_http_server::open() const {
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& weak) {
        const auto s = weak.lock();
        return s && s->is_open();
      }));
}

void raw_http_server::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& weak : sessions_) {
    if (const auto s = weak.lock()) s->forget();
  }
}

void raw_http_server::accept() {
  acceptor_.async_accept(io_, [this](auto ec, tcp::socket socket) {
    if (ec) return;  // closed; this object may be gone
    ++accepted_;
    socket.set_option(tcp::no_delay(true));
    const auto s = std::make_shared<session>(*this, std::move(socket));
    sessions_.push_back(s);
    s->read_head();
    accept();
  });
}

raw_reply raw_http_server::take_reply() {
  if (next_.empty()) return usual_;
  raw_reply r = std::move(next_.front());
  next_.pop_front();
  return r;
}

}  // namespace redial::inline REDIAL_ABI::testing
