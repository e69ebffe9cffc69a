// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TLS server on the test's own executor.

#include <redial/testing/certificates.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Accepts everybody on a loopback port, shakes hands, and holds the connections open.
class tls_server {
 public:
  using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
  struct peer {
    explicit peer(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context)
        : tls(std::move(socket), context) {}
    stream tls;
    bool is_shaken = false;
    bool was_resumed = false;
    std::string server_name;  ///< SNI; empty when there was none.
    boost::system::error_code error;
  };

  tls_server(boost::asio::io_context& io, const certificate_files& files)
      : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
    context_.use_certificate_chain_file(files.certificate);
    context_.use_private_key_file(files.private_key, boost::asio::ssl::context::pem);
    const unsigned char id[] = "redial";
    ::SSL_CTX_set_session_id_context(context_.native_handle(), id, sizeof id - 1);
    accept();
  }

  [[nodiscard]] SSL_CTX* context() { return context_.native_handle(); }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] const std::vector<std::shared_ptr<peer>>& peers() const noexcept { return peers_; }
  [[nodiscard]] peer& last() const { return *peers_.back(); }
  void close() {
    acceptor_.close();
    for (const auto& p : peers_) p->tls.next_layer().close();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](auto ec, auto socket) {
      if (ec) return;
      peers_.push_back(std::make_shared<peer>(std::move(socket), context_));
      shake(peers_.back());
      accept();
    });
  }
  static void shake(const std::shared_ptr<peer>& p) {
    p->tls.async_handshake(boost::asio::ssl::stream_base::server, [p](auto ec) {
      p->error = ec;
      p->is_shaken = !ec;
      SSL* const ssl = p->tls.native_handle();
      p->was_resumed = ::SSL_session_reused(ssl) == 1;
      const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
      if (name != nullptr) p->server_name = name;
    });
  }

  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<peer>> peers_;
};

}  // namespace redial::inline REDIAL_ABI::testing
