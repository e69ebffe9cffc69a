// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plain TCP connections and their streams.

#include <redial/core/abi.hpp>
#include <redial/net/counted_stream.hpp>
#include <redial/net/net_connection.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI {

/// A TCP socket that counts its bytes; use it as one, with `asio::async_read`, `asio::async_write`
/// or Beast. Whatever takes a `tcp::socket&` and nothing else gets `uncounted()`. Bytes that go
/// through `native_handle()` are not counted either: call `uncounted()` before you write there.
class REDIAL_API tcp_stream : public detail::counted_stream<boost::asio::ip::tcp::socket, true> {
 public:
  /// Takes over an open socket.
  [[nodiscard]] static std::shared_ptr<tcp_stream> make(boost::asio::ip::tcp::socket socket) {
    return std::make_shared<tcp_stream>(token{}, std::move(socket));
  }

 private:
  struct token {
    explicit token() = default;
  };
  using socket = boost::asio::ip::tcp::socket;

 public:
  using socket::endpoint_type;
  using socket::native_handle_type;
  using socket::protocol_type;
  using socket::shutdown_both;
  using socket::shutdown_receive;
  using socket::shutdown_send;
  using socket::shutdown_type;
  using socket::wait_error;
  using socket::wait_read;
  using socket::wait_type;
  using socket::wait_write;

  using socket::async_wait;
  using socket::at_mark;
  using socket::available;
  using socket::cancel;
  using socket::close;
  using socket::get_option;
  using socket::io_control;
  using socket::is_open;
  using socket::local_endpoint;
  using socket::native_handle;
  using socket::native_non_blocking;
  using socket::non_blocking;
  using socket::remote_endpoint;
  using socket::set_option;
  using socket::shutdown;
  using socket::wait;

  /// For `make` alone: only it has a token.
  tcp_stream(token, boost::asio::ip::tcp::socket open) : counted_stream(std::move(open)) {}
};

/// An open TCP connection.
class REDIAL_API tcp_connection final : public net_connection {
 public:
  /// Over an open stream.
  explicit tcp_connection(std::shared_ptr<tcp_stream> stream) : net_connection(std::move(stream)) {}

  /// What bytes go through.
  [[nodiscard]] tcp_stream& stream() noexcept { return *tcp_; }
};

}  // namespace redial::inline REDIAL_ABI
