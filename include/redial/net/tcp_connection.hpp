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
/// or Beast. Bytes that go through a reference to the base class are not counted.
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
  // These would not count.
  using boost::asio::ip::tcp::socket::async_receive;
  using boost::asio::ip::tcp::socket::async_send;
  using boost::asio::ip::tcp::socket::receive;
  using boost::asio::ip::tcp::socket::send;

 public:
  tcp_stream(token, boost::asio::ip::tcp::socket socket) : counted_stream(std::move(socket)) {}
};

/// An open TCP connection.
class tcp_connection final : public net_connection {
 public:
  explicit tcp_connection(std::shared_ptr<tcp_stream> stream) : net_connection(std::move(stream)) {}

  [[nodiscard]] tcp_stream& stream() noexcept { return *tcp_; }
};

}  // namespace redial::inline REDIAL_ABI
