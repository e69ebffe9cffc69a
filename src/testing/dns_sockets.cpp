// SPDX-License-Identifier: Apache-2.0
#include "testing/dns_sockets.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace redial::inline REDIAL_ABI::testing::detail {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr duration drip_pace = std::chrono::milliseconds{2};
// The number that the system gives for TCP may be taken for UDP.
constexpr int port_tries = 50;

}  // namespace

// A TCP connection, kept alive by its handlers.
struct tcp_client {
  explicit tcp_client(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}

  tcp::socket socket;
  asio::steady_timer timer;
  std::array<std::uint8_t, 2> length{};
  dns_bytes query;
  dns_bytes reply;
  std::size_t dripped = 0;
};

dns_sockets::dns_sockets(const address& where, std::uint16_t port, answerer answer)
    : address_(where), answer_(std::move(answer)), work_(io_.get_executor()) {
  open_first(port);
  thread_ = std::thread([this] { io_.run(); });
}

dns_sockets::~dns_sockets() {
  io_.stop();
  thread_.join();
}

void dns_sockets::at(time_point when, std::function<void()> f) {
  auto timer = std::make_shared<asio::steady_timer>(io_, when);
  timer->async_wait([timer, f = std::move(f)](error_code ec) {
    if (!ec) f();
  });
}

void dns_sockets::set_tcp(tcp_manner manner) {
  tcp_manner_ = manner;
  if (manner == tcp_manner::refuse) {
    close_tcp();
  } else if (running_ && !acceptor_.is_open()) {
    listen();
  }
}

void dns_sockets::stop() {
  running_ = false;
  error_code ignored;
  udp_.close(ignored);
  close_tcp();
}

void dns_sockets::start() {
  if (running_) return;
  open_udp();
  if (tcp_manner_ != tcp_manner::refuse) listen();
  running_ = true;
}

void dns_sockets::open_first(std::uint16_t wanted) {
  for (int tries = 0;; ++tries) {
    port_ = wanted;
    listen();
    port_ = acceptor_.local_endpoint().port();
    try {
      open_udp();
      running_ = true;
      return;
    } catch (const boost::system::system_error&) {
      if (wanted != 0 || tries == port_tries) throw;
      close_tcp();
    }
  }
}

void dns_sockets::open_udp() {
  const udp::endpoint where{address_, port_};
  udp::socket fresh{io_, where.protocol()};
  fresh.bind(where);
  udp_ = std::move(fresh);
  ++opening_;
  receive();
}

void dns_sockets::listen() {
  const tcp::endpoint where{address_, port_};
  tcp::acceptor fresh{io_, where.protocol()};
  fresh.set_option(tcp::acceptor::reuse_address{true});
  fresh.bind(where);
  fresh.listen();
  acceptor_ = std::move(fresh);
  accept();
}

void dns_sockets::close_tcp() {
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& weak : clients_) {
    if (const auto client = weak.lock()) client->socket.close(ignored);
  }
  clients_.clear();
}

void dns_sockets::receive() {
  // A receive that completed just before `stop()` must not go on beside that of the next `start()`.
  auto done = [this, opening = opening_](error_code ec, std::size_t size) {
    if (opening != opening_ || !udp_.is_open()) return;
    if (!ec) {
      const auto end = datagram_.begin() + static_cast<std::ptrdiff_t>(size);
      on_datagram(dns_bytes(datagram_.begin(), end));
      if (opening != opening_ || !udp_.is_open()) return;
    }
    receive();
  };
  udp_.async_receive_from(asio::buffer(datagram_), from_, std::move(done));
}

void dns_sockets::on_datagram(const dns_bytes& bytes) {
  auto plan = answer_(bytes, false, from_.port());
  if (plan.udp.empty()) return;
  if (plan.delay == duration::zero()) return send(from_, plan.udp);
  auto timer = std::make_shared<asio::steady_timer>(io_, clamped(plan.delay));
  timer->async_wait([this, timer, to = from_, datagrams = std::move(plan.udp)](error_code ec) {
    if (!ec) send(to, datagrams);
  });
}

void dns_sockets::send(const udp::endpoint& to, const std::vector<dns_bytes>& datagrams) {
  if (!udp_.is_open()) return;
  for (const auto& d : datagrams) {
    error_code ignored;  // the client may be gone
    udp_.send_to(asio::buffer(d), to, 0, ignored);
  }
}

void dns_sockets::accept() {
  acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!ec) {
      std::erase_if(clients_, [](const auto& weak) { return weak.expired(); });
      auto client = std::make_shared<tcp_client>(std::move(socket));
      clients_.push_back(client);
      read_length(std::move(client));
    }
    accept();
  });
}

void dns_sockets::read_length(tcp_client_ptr c) {
  auto& to = *c;
  asio::async_read(to.socket, asio::buffer(to.length), [this, c](error_code ec, std::size_t) {
    if (ec) return;
    c->query.resize((std::size_t{c->length[0]} << 8) | c->length[1]);
    read_query(c);
  });
}

void dns_sockets::read_query(tcp_client_ptr c) {
  auto& to = *c;
  asio::async_read(to.socket, asio::buffer(to.query), [this, c](error_code ec, std::size_t) {
    if (!ec) answer_client(c);
  });
}

void dns_sockets::answer_client(const tcp_client_ptr& c) {
  error_code gone;
  const auto peer = c->socket.remote_endpoint(gone);
  const auto plan = answer_(c->query, true, gone ? std::uint16_t{0} : peer.port());
  if (plan.tcp.empty() || tcp_manner_ == tcp_manner::mute) return read_length(c);
  c->reply.assign({static_cast<std::uint8_t>(plan.tcp.size() >> 8),
                   static_cast<std::uint8_t>(plan.tcp.size() & 0xff)});
  c->reply.insert(c->reply.end(), plan.tcp.begin(), plan.tcp.end());
  c->timer.expires_after(clamped(plan.delay));
  c->timer.async_wait([this, c](error_code ec) {
    if (!ec) write(c);
  });
}

void dns_sockets::write(tcp_client_ptr c) {
  if (tcp_manner_ == tcp_manner::drip || tcp_manner_ == tcp_manner::spray) {
    error_code ignored;
    c->socket.set_option(tcp::no_delay{true}, ignored);
    return drip(std::move(c));
  }
  const bool cut = tcp_manner_ == tcp_manner::cut;
  if (cut) c->reply.resize(c->reply.size() / 2);
  auto& to = *c;
  asio::async_write(to.socket, asio::buffer(to.reply), [this, c, cut](error_code ec, std::size_t) {
    if (ec) return;
    if (!cut) return read_length(c);
    c->socket.shutdown(tcp::socket::shutdown_both, ec);
    c->socket.close(ec);
  });
}

void dns_sockets::drip(tcp_client_ptr c) {
  if (c->dripped == c->reply.size()) {
    c->dripped = 0;
    return read_length(std::move(c));
  }
  auto& to = *c;
  const auto next = asio::buffer(&to.reply[to.dripped++], 1);
  asio::async_write(to.socket, next, [this, c](error_code ec, std::size_t) {
    if (ec) return;
    c->timer.expires_after(tcp_manner_ == tcp_manner::drip ? drip_pace : duration::zero());
    c->timer.async_wait([this, c](error_code stopped) {
      if (!stopped) drip(c);
    });
  });
}

}  // namespace redial::inline REDIAL_ABI::testing::detail
