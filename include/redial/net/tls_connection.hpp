// SPDX-License-Identifier: Apache-2.0
#pragma once

// TLS connections and their streams.

#include <redial/core/abi.hpp>
#include <redial/net/counted_stream.hpp>
#include <redial/net/net_connection.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI {

/// A TLS stream over TCP that counts its plaintext bytes; use it as Asio's, with
/// `asio::async_read`, `asio::async_write` or Beast. The handshake is done and the peer verified
/// before a lease. Whatever takes Asio's `ssl::stream&` and nothing else gets `uncounted()`, and
/// the socket is `uncounted().next_layer()`. Bytes that go through `native_handle()` are not
/// counted either: call `uncounted()` before you write there.
class REDIAL_API tls_stream
    : public detail::counted_stream<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>, false> {
 public:
  /// Takes over an open socket; the handshake is the caller's.
  [[nodiscard]] static std::shared_ptr<tls_stream> make(boost::asio::ip::tcp::socket socket,
                                                        boost::asio::ssl::context& context) {
    return std::make_shared<tls_stream>(token{}, std::move(socket), context);
  }

  /// True when the handshake resumed an earlier session.
  [[nodiscard]] bool was_resumed();
  /// The protocol that ALPN chose; empty when the peer chose none.
  [[nodiscard]] std::string alpn();

 private:
  struct token {
    explicit token() = default;
  };
  using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

 public:
  using stream::handshake_type;
  using stream::native_handle_type;

  using stream::async_handshake;
  using stream::async_shutdown;
  using stream::handshake;
  using stream::native_handle;
  using stream::set_verify_callback;
  using stream::set_verify_depth;
  using stream::set_verify_mode;
  using stream::shutdown;

  /// For `make` alone: only it has a token.
  tls_stream(token, boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context)
      : counted_stream(std::move(socket), context) {}
};

/// An open TLS connection.
class REDIAL_API tls_connection final : public net_connection {
 public:
  /// Over a stream whose handshake is done.
  explicit tls_connection(std::shared_ptr<tls_stream> stream) : net_connection(std::move(stream)) {}

  /// What bytes go through.
  [[nodiscard]] tls_stream& stream() noexcept { return *tls_; }
};

}  // namespace redial::inline REDIAL_ABI
