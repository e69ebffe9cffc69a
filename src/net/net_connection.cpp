// SPDX-License-Identifier: Apache-2.0
#include <redial/net/net_connection.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>

#include "net/asio_scheduler.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <mutex>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;
using asio::ip::tcp;
using detail::access;

namespace {

bool is_would_block(const error_code& ec) noexcept {
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

/// Not through Asio: without its non-blocking mode it would wait for a byte, and that mode would
/// change what the user's own calls do.
bool has_nothing_to_read(tcp::socket& socket, bool& had_bytes) noexcept {
  // Mostly it has, and poll, which needs not lock the socket, says so in less time than a read.
  ::pollfd p{socket.native_handle(), POLLIN, 0};
  if (::poll(&p, 1, 0) == 0) return true;
  char byte = 0;
  for (;;) {
    const auto n = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    had_bytes = n > 0;
    if (n >= 0) return false;
    if (errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK;
  }
}

/// Session tickets and key updates make a healthy socket readable, and only a read tells them from
/// data. A byte that it takes is lost, but a connection that sends unasked is closed anyway. Nobody
/// asked for that byte, so it is not counted.
bool has_nothing_to_read(asio::ssl::stream<tcp::socket>& stream, bool& had_bytes) {
  // Mostly nothing came at all, and then neither a read nor a change of the socket's mode is due.
  ::SSL* const ssl = stream.native_handle();
  const bool holds_some =
      ::SSL_has_pending(ssl) == 1 || ::BIO_ctrl_pending(::SSL_get_rbio(ssl)) > 0;
  if (!holds_some && has_nothing_to_read(stream.next_layer(), had_bytes)) return true;
  error_code ec;
  stream.next_layer().non_blocking(true, ec);
  if (ec) return false;
  char byte = 0;
  error_code result;
  had_bytes = stream.read_some(asio::buffer(&byte, 1), result) > 0;
  stream.next_layer().non_blocking(false, ec);
  return !ec && is_would_block(result);
}

}  // namespace

/// What may be reached without owning the connection: by the idle wait, and by the context's end.
class net_connection::attachment final : public detail::context_bound {
 public:
  attachment(net_connection& owner, const asio::any_io_executor& executor)
      : owner_(owner), scheduler_(detail::asio_scheduler_of(executor)) {
    (void)scheduler_->attach(*this);  // we run on the context, so it is there
  }
  ~attachment() = default;
  void detach() noexcept { scheduler_->detach(*this); }

  /// True when a wait has to be started.
  bool arm(std::weak_ptr<idle_observer> observer) {
    const std::lock_guard lock(mutex_);
    observer_.swap(observer);
    return !std::exchange(armed_, true);
  }
  void waited(const error_code& ec) {
    std::weak_ptr<idle_observer> observer;
    {
      const std::lock_guard lock(mutex_);
      armed_ = false;
      observer.swap(observer_);
    }
    if (ec == asio::error::operation_aborted) return;  // closed by us
    if (const auto o = observer.lock()) o->stirred();
  }

 private:
  void context_gone() noexcept override { owner_.forget(); }

  net_connection& owner_;
  const std::shared_ptr<detail::asio_scheduler> scheduler_;
  // The pool arms from any thread while the previous wait completes on the strand.
  std::mutex mutex_;
  std::weak_ptr<idle_observer> observer_;
  bool armed_ = false;
};

net_connection::net_connection(std::shared_ptr<tcp_stream> stream)
    : tcp_(std::move(stream)),
      executor_(tcp_->get_executor()),
      attachment_(std::make_shared<attachment>(*this, executor_)) {}

net_connection::net_connection(std::shared_ptr<tls_stream> stream)
    : tls_(std::move(stream)),
      executor_(tls_->get_executor()),
      attachment_(std::make_shared<attachment>(*this, executor_)) {}

net_connection::~net_connection() {
  attachment_->detach();
  net_connection::close();
}

void net_connection::forget() noexcept {
  close();
  tcp_.reset();
  tls_.reset();
  executor_ = {};
}

std::uint64_t net_connection::bytes_read() const noexcept {
  if (tls_) return tls_->bytes_read();
  return tcp_ ? tcp_->bytes_read() : 0;
}

std::uint64_t net_connection::bytes_written() const noexcept {
  if (tls_) return tls_->bytes_written();
  return tcp_ ? tcp_->bytes_written() : 0;
}

void net_connection::reset_counts() noexcept {
  if (tls_) access::reset_counts(*tls_);
  if (tcp_) access::reset_counts(*tcp_);
}

void net_connection::close() noexcept {
  error_code ignored;
  if (tcp_) tcp_->close(ignored);
  if (!tls_) return;
  // OpenSSL would take the missing farewell for an attack and forbid resuming the session.
  ::SSL_set_shutdown(tls_->native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_->lowest_layer().close(ignored);
}

bool net_connection::quiet() noexcept {
  had_bytes_ = false;
  try {
    if (tcp_) return tcp_->is_open() && has_nothing_to_read(access::base(*tcp_), had_bytes_);
    return tls_ && tls_->lowest_layer().is_open() &&
           has_nothing_to_read(access::base(*tls_), had_bytes_);
  } catch (...) {
    return false;
  }
}

bool net_connection::watch_idle(std::weak_ptr<idle_observer> observer) {
  if (!tcp_ && !tls_) return true;
  auto& socket = tcp_ ? tcp_->lowest_layer() : tls_->lowest_layer();
  if (!attachment_->arm(std::move(observer))) return true;
  socket.async_wait(tcp::socket::wait_read,
                    [a = attachment_](const error_code& ec) { a->waited(ec); });
  return true;
}

asio::any_io_executor net_connection::get_executor() const { return executor_; }

bool tls_stream::was_resumed() { return ::SSL_session_reused(native_handle()) == 1; }

std::string tls_stream::alpn() {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  ::SSL_get0_alpn_selected(native_handle(), &name, &length);
  return std::string(reinterpret_cast<const char*>(name), length);
}

}  // namespace redial::inline REDIAL_ABI
