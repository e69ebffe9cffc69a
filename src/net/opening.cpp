// SPDX-License-Identifier: Apache-2.0
#include "net/opening.hpp"

#include <redial/net/asio_scheduler.hpp>

#include "net/executors.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

void set_integer(tcp::socket& socket, int level, int name, long long value) noexcept {
  const int v = static_cast<int>(value);
  // A connection without the option is better than none.
  (void)::setsockopt(socket.native_handle(), level, name, &v, sizeof v);
}

void require_within(const char* option, long long value, long long low, long long high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument("tcp_options::" + std::string(option) + ": " + std::to_string(value) +
                              " is not within " + std::to_string(low) + ".." +
                              std::to_string(high));
}

class operation_handle final : public connect_operation {
 public:
  explicit operation_handle(std::weak_ptr<opening> what) noexcept : what_(std::move(what)) {}
  void cancel() noexcept override {
    if (const auto what = what_.lock()) what->give_up(asio::error::operation_aborted);
  }

 private:
  const std::weak_ptr<opening> what_;
};

/// Connecting to a local port that nobody listens on can, by chance, pick that very port as its own
/// and so connect the socket to itself.
bool is_connected_to_itself(const tcp::socket& socket) noexcept {
  error_code ignored;
  const auto local = socket.local_endpoint(ignored);
  if (ignored) return false;
  const auto remote = socket.remote_endpoint(ignored);
  return !ignored && local == remote;
}

/// Asio has asked to be told when the socket can be written to, for the sake of connecting, and
/// goes on being told so with each acknowledgement: a wake-up for every request. A socket that
/// takes the descriptor over asks for what can be read only.
tcp::socket without_write_interest(tcp::socket connected, error_code& ec) {
  const auto protocol = connected.local_endpoint(ec).protocol();
  if (ec) return connected;
  tcp::socket plain(connected.get_executor());
  const int descriptor = connected.release(ec);
  if (ec) return connected;
  plain.assign(protocol, descriptor, ec);
  if (ec) ::close(descriptor);
  return plain;
}

}  // namespace

void validate(const tcp_options& options) {
  // What Linux accepts (tcp(7)); other systems take more.
  require_within("keep_alive_idle", options.keep_alive_idle.count(), 1, 32767);
  require_within("keep_alive_interval", options.keep_alive_interval.count(), 1, 32767);
  require_within("keep_alive_probes", options.keep_alive_probes, 1, 127);
  require_within("user_timeout", options.user_timeout.count(), 0, 24 * 3600 * 1000);
}

opening::opening(const connect_request& request,
                 const tcp_options& options,
                 connector::handler done)
    : request_(request),
      options_(options),
      done_(std::move(done)),
      scheduler_(scheduler_of(request.executor)),
      executor_(options.strand_per_connection ? serialised(request.executor) : request.executor),
      socket_(executor_) {}

opening::~opening() { scheduler_->disarm(timer_); }

void opening::start() {
  timer_.owned_by(weak_from_this());
  asio::post(executor_, [self = shared_from_this()] { self->connect(); });
}

void opening::give_up(const error_code& ec) noexcept {
  if (scheduler_->is_stopped()) return;
  try {
    asio::post(executor_, [self = shared_from_this(), ec] {
      if (self->is_done()) return;
      error_code ignored;
      self->socket_.close(ignored);
      self->drop();
      self->finish(ec, nullptr);
    });
  } catch (...) {
    // No memory to post: the deadline, or the system's own, ends the attempt.
  }
}

void opening::on_deadline() { give_up(errc::connect_timeout); }

void opening::connect() {
  if (is_done()) return;
  if (request_.deadline <= scheduler_->now()) return finish(errc::connect_timeout, nullptr);
  const tcp::endpoint peer(request_.where.addr, request_.where.port);
  error_code ec;
  socket_.open(peer.protocol(), ec);
  if (ec) return finish(ec, nullptr);
  set_options();
  if (options_.local_address) {
    socket_.bind(tcp::endpoint(*options_.local_address, 0), ec);
    if (ec) return finish(ec, nullptr);
  }
  scheduler_->arm(timer_, request_.deadline);
  socket_.async_connect(
      peer, [self = shared_from_this()](const error_code& result) { self->on_connected(result); });
}

void opening::set_options() noexcept {
  if (options_.no_delay) set_integer(socket_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options_.keep_alive) {
    set_integer(socket_, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
    set_integer(socket_, IPPROTO_TCP, TCP_KEEPIDLE, options_.keep_alive_idle.count());
#elif defined(TCP_KEEPALIVE)
    set_integer(socket_, IPPROTO_TCP, TCP_KEEPALIVE, options_.keep_alive_idle.count());
#endif
#ifdef TCP_KEEPINTVL
    set_integer(socket_, IPPROTO_TCP, TCP_KEEPINTVL, options_.keep_alive_interval.count());
    set_integer(socket_, IPPROTO_TCP, TCP_KEEPCNT, options_.keep_alive_probes);
#endif
  }
#ifdef TCP_USER_TIMEOUT
  if (options_.user_timeout.count() != 0) {
    set_integer(socket_, IPPROTO_TCP, TCP_USER_TIMEOUT, options_.user_timeout.count());
  }
#endif
#ifdef IP_BIND_ADDRESS_NO_PORT
  // Else a bound address takes a port of its own, and they run out at 28000 connections in all
  // instead of per peer.
  if (options_.local_address) set_integer(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
}

void opening::on_connected(error_code ec) {
  if (is_done()) return;
  if (!ec && is_connected_to_itself(socket_)) ec = asio::error::connection_refused;
  if (ec) {
    error_code ignored;
    socket_.close(ignored);
    return finish(ec, nullptr);
  }
  tcp::socket plain = without_write_interest(std::move(socket_), ec);
  if (ec) return finish(ec, nullptr);
  connected(std::move(plain));
}

void opening::finish(const error_code& ec, std::unique_ptr<pooled_connection> connection) {
  scheduler_->disarm(timer_);
  const auto done = std::exchange(done_, nullptr);
  done(ec, std::move(connection));
}

std::shared_ptr<connect_operation> started(const std::shared_ptr<opening>& what) {
  what->start();
  return std::make_shared<operation_handle>(what);
}

}  // namespace redial::inline REDIAL_ABI::detail
