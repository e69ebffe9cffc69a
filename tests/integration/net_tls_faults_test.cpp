// SPDX-License-Identifier: Apache-2.0
// Peers that use TLS as they should not. Certificates and sessions are in net_tls_test.cpp, new
// settings in net_tls_reload_test.cpp, the ends of bodies in http_tls_test.cpp.
#include <redial/http/http_client.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/verify_category.hpp>
#include <redial/testing/certificates.hpp>

#include "support/event_wait.hpp"
#include "support/opened.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace redial {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::certificate_authority;
using testing::certificate_options;
using testing::open_descriptors;
using testing::opened;
using testing::run_until;
using testing::tls_server;

certificate_authority& authority() {
  static certificate_authority ca;
  return ca;
}

class TlsFaults : public ::testing::Test {
 protected:
  TlsFaults() { options.ca_file = authority().ca_file(); }

  std::shared_ptr<opened> open() {
    tls_connector c(host_name::parse("localhost").value(), {}, options);
    const auto before = server->peers().size();
    auto o = testing::open(c, io, server->port());
    EXPECT_TRUE(run_until(io, [&] {
      return o->is_done() && server->peers().size() > before &&
             (server->last().is_shaken || server->last().error);
    }));
    return o;
  }
  error_code http_error(const std::string& scheme) {
    http_options o;
    o.tls = options;
    o.client.retry.max_attempts = 1;
    http_client client(
        io.get_executor(), scheme + "://localhost:" + std::to_string(server->port()), o);
    std::optional<error_code> result;
    client.async_get("/", 1s, [&](error_code ec, const http_response&) { result = ec; });
    EXPECT_TRUE(run_until(io, [&] {
      // As servers do. OpenSSL says nothing to a peer that speaks HTTP.
      for (const auto& p : server->peers()) {
        if (p->error) p->tls.next_layer().close();
      }
      return result.has_value();
    }));
    return *result;
  }

  asio::io_context io;
  std::unique_ptr<tls_server> server =
      std::make_unique<tls_server>(io, authority().issue_for({"localhost"}));
  tls_options options;
};

/// Reads one byte.
struct reading {
  reading(opened& o, asio::io_context& io) : io_(io) {
    o.net().visit([&](auto& s) {
      asio::async_read(s, asio::buffer(&byte, 1), [this](auto ec, auto) { result_ = ec; });
    });
  }
  error_code result() {
    EXPECT_TRUE(run_until(io_, [&] { return result_.has_value(); }));
    return *result_;
  }

  char byte = 0;

 private:
  asio::io_context& io_;
  std::optional<error_code> result_;
};

TEST_F(TlsFaults, Fault138_TheReasonReachesTheCallerAndLeavesItFree) {
  certificate_options expired;
  expired.dns_names = {"localhost"};
  expired.valid_until = -60s;
  server = std::make_unique<tls_server>(io, authority().issue(expired));
  const error_code ec = http_error("https");
  EXPECT_EQ(ec, error_code(X509_V_ERR_CERT_HAS_EXPIRED, verify_category())) << ec.message();
  EXPECT_EQ(ec.message(), "certificate has expired");
  EXPECT_TRUE(ec == condition::retryable) << "another endpoint may have a better one";
  EXPECT_TRUE(ec == condition::not_sent);
  EXPECT_TRUE(ec == condition::connection_poisoned);
  EXPECT_FALSE(ec == condition::local_fault);
}

TEST_F(TlsFaults, Fault143_ClosingWaitsForNoFarewell) {
  const auto o = open();
  ASSERT_EQ(o->error, error_code());
  const long before = open_descriptors();
  // The peer reads nothing and says nothing from here on.
  o->connection->close();
  EXPECT_EQ(open_descriptors(), before - 1) << "at once";
  EXPECT_FALSE(o->connection->quiet());
  o->connection->close();
}

TEST_F(TlsFaults, Fault144_RenegotiationIsRefused) {
  ::SSL_CTX_set_max_proto_version(server->context(), TLS1_2_VERSION);
  const auto o = open();
  ASSERT_EQ(o->error, error_code());
  auto& peer = server->last();
  // With the next write a HelloRequest goes out first.
  ASSERT_EQ(::SSL_renegotiate(peer.tls.native_handle()), 1);
  asio::async_write(peer.tls, asio::buffer("x", 1), [](auto, auto) {});
  reading data(*o, io);
  EXPECT_EQ(data.result(), error_code()) << "and what was sent in order still arrives";
  EXPECT_EQ(data.byte, 'x');

  char byte = 0;
  std::optional<error_code> refused;
  asio::async_read(peer.tls, asio::buffer(&byte, 1), [&](auto ec, auto) { refused = ec; });
  ASSERT_TRUE(run_until(io, [&] { return refused.has_value(); }));
  EXPECT_EQ(ERR_GET_REASON(static_cast<unsigned long>(refused->value())), SSL_R_NO_RENEGOTIATION)
      << refused->message();
  auto& stream = static_cast<tls_connection&>(*o->connection).stream();
  EXPECT_EQ(::SSL_num_renegotiations(stream.native_handle()), 0);
}

TEST_F(TlsFaults, Fault146_WeakCiphersAreRefused) {
  ::SSL_CTX_set_max_proto_version(server->context(), TLS1_2_VERSION);
  EXPECT_EQ(open()->error, error_code()) << "TLS 1.2 with what OpenSSL chooses";
  for (const char* weak : {"NULL-SHA256", "ECDHE-ECDSA-NULL-SHA", "ADH-AES128-GCM-SHA256"}) {
    const std::string list = std::string(weak) + ":@SECLEVEL=0";
    ASSERT_EQ(::SSL_CTX_set_cipher_list(server->context(), list.c_str()), 1) << weak;
    const auto o = open();
    EXPECT_EQ(o->error.category(), asio::error::get_ssl_category()) << weak;
    EXPECT_EQ(o->connection, nullptr);
  }
}

/// Picks what nobody offered.
int choose_spdy(
    SSL*, const unsigned char** out, unsigned char* length, const unsigned char*, unsigned, void*) {
  static const unsigned char spdy[] = "spdy/3";
  *out = spdy;
  *length = sizeof spdy - 1;
  return SSL_TLSEXT_ERR_OK;
}

int choose_nothing(
    SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned, void*) {
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

class TlsAlpn : public TlsFaults, public ::testing::WithParamInterface<int> {
 protected:
  TlsAlpn() {
    ::SSL_CTX_set_max_proto_version(server->context(), GetParam());
    options.alpn = {"h2", "http/1.1"};
  }
};

TEST_P(TlsAlpn, Fault146_APeerThatKnowsNoneOfOurProtocols) {
  ::SSL_CTX_set_alpn_select_cb(server->context(), &choose_nothing, nullptr);
  EXPECT_EQ(open()->error, errc::alpn_mismatch);
}

TEST_P(TlsAlpn, Fault146_APeerThatPicksWhatWeDidNotOffer) {
  ::SSL_CTX_set_alpn_select_cb(server->context(), &choose_spdy, nullptr);
  const auto o = open();
  EXPECT_EQ(o->error, errc::alpn_mismatch) << o->error.message();
  EXPECT_EQ(o->connection, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         TlsAlpn,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& i) {
                           return i.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_F(TlsFaults, Fault147_APlainRequestToATlsPort) {
  const error_code ec = http_error("http");
  EXPECT_EQ(ec, errc::peer_closed) << ec.message();
}

}  // namespace
}  // namespace redial
