// SPDX-License-Identifier: Apache-2.0
// TLS connections: who is believed, who is not, and what is remembered.
#include <redial/core/host_name.hpp>
#include <redial/net/make_connector.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/verify_category.hpp>
#include <redial/testing/certificates.hpp>

#include "net/verify.hpp"
#include "support/event_wait.hpp"
#include "support/opened.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace redial {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::certificate_authority;
using testing::certificate_options;
using testing::counting_observer;
using testing::open_descriptors;
using testing::opened;
using testing::run_until;
using testing::tls_server;

/// One authority for all tests; keys take time.
certificate_authority& authority() {
  static certificate_authority ca;
  return ca;
}

tls_options trusting() {
  tls_options o;
  o.ca_file = authority().ca_file();
  return o;
}

host_name host(const char* text) { return host_name::parse(text).value(); }

class Tls : public ::testing::Test {
 protected:
  /// Opens a connection and waits until both sides know.
  std::shared_ptr<opened> open(connector& c, tls_server& s) {
    const auto before = s.peers().size();
    auto o = testing::open(c, *io_, s.port());
    EXPECT_TRUE(run_until(*io_, [&] {
      return o->is_done() && s.peers().size() > before && (s.last().is_shaken || s.last().error);
    }));
    return o;
  }
  /// How a connector for `identity` that trusts the authority likes the certificate.
  error_code verdict(const certificate_options& certificate, const char* identity = "a.test") {
    tls_server server(*io_, authority().issue(certificate));
    tls_connector c(host(identity), {}, trusting());
    return open(c, server)->error;
  }
  error_code verdict_on_name(const char* san, const char* identity = "a.test") {
    certificate_options o;
    o.dns_names = {san};
    return verdict(o, identity);
  }
  /// Reads once, so that tickets behind the handshake are taken in.
  void exchange(opened& o, tls_server& s) {
    auto& stream = static_cast<tls_connection&>(*o.connection).stream();
    char byte = 0;
    bool got = false;
    asio::async_write(s.last().tls, asio::buffer("x", 1), [](auto, auto) {});
    asio::async_read(stream, asio::buffer(&byte, 1), [&](auto, auto) { got = true; });
    EXPECT_TRUE(run_until(*io_, [&] { return got; }));
  }

  std::optional<asio::io_context> io_{std::in_place};
};

tls_stream& stream_of(const opened& o) {
  return static_cast<tls_connection&>(*o.connection).stream();
}

TEST_F(Tls, VerifiedPeerIsServed) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  const auto c = make_connector(target("https://A.test:8443"), tcp_options(), trusting());
  const auto o = open(*c, server);
  ASSERT_EQ(o->error, error_code());
  EXPECT_TRUE(o->net().is_tls());
  EXPECT_EQ(server.last().server_name, "a.test");
  EXPECT_GE(::SSL_version(stream_of(*o).native_handle()), TLS1_2_VERSION);
  EXPECT_FALSE(stream_of(*o).was_resumed());
}

TEST_F(Tls, StreamIsCountedInPlaintextAndWorksWithBeast) {
  namespace http = boost::beast::http;
  tls_server server(*io_, authority().issue_for({"a.test"}));
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = open(c, server);
  ASSERT_EQ(o->error, error_code());
  EXPECT_EQ(o->net().bytes_written(), 0U) << "the handshake is not the user's";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  asio::async_write(server.last().tls, asio::buffer(answer), [](auto, auto) {});
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  http::response<http::string_body> response;
  boost::beast::flat_buffer buffer;
  std::optional<error_code> result;
  o->net().visit([&](auto& stream) {
    http::async_write(stream, request, [&](auto, auto) {
      http::async_read(stream, buffer, response, [&](auto ec, auto) { result = ec; });
    });
  });
  EXPECT_GT(o->net().bytes_written(), 0U) << "counts from the moment of offering";
  ASSERT_TRUE(run_until(*io_, [&] { return result.has_value(); }));
  EXPECT_EQ(*result, error_code());
  EXPECT_EQ(response.body(), "ok");
  EXPECT_EQ(o->net().bytes_read(), answer.size());
}

TEST_F(Tls, Fault139_OnlyAlternativeNamesCount) {
  EXPECT_EQ(verdict_on_name("a.test"), error_code());
  EXPECT_EQ(verdict_on_name("*.test", "a.test"), errc::tls_name_mismatch) << "one label deep";
  EXPECT_EQ(verdict_on_name("*.b.test", "a.b.test"), error_code());
  EXPECT_EQ(verdict_on_name("*.b.test", "x.a.b.test"), errc::tls_name_mismatch);
  EXPECT_EQ(verdict_on_name("b.test"), errc::tls_name_mismatch);
  EXPECT_EQ(verdict_on_name("a*.b.test", "ab.b.test"), errc::tls_name_mismatch);
  certificate_options common_name_only;
  common_name_only.common_name = "a.test";
  EXPECT_EQ(verdict(common_name_only), errc::tls_name_mismatch);
}

TEST_F(Tls, Fault140_AddressesAreMatchedAsAddressesWithoutSni) {
  certificate_options o;
  o.addresses = {"127.0.0.1", "::1"};
  EXPECT_EQ(verdict(o, "127.0.0.1"), error_code());
  EXPECT_EQ(verdict(o, "[::1]"), error_code()) << "the asked name counts, not the address dialled";
  EXPECT_EQ(verdict(o, "127.0.0.2"), errc::tls_name_mismatch);
  EXPECT_EQ(verdict_on_name("127.0.0.1", "127.0.0.1"), errc::tls_name_mismatch);
  tls_server server(*io_, authority().issue(o));
  tls_connector c(host("127.0.0.1"), {}, trusting());
  (void)open(c, server);
  EXPECT_EQ(server.last().server_name, "");
}

TEST_F(Tls, Fault138_RefusalsSayWhy) {
  certificate_options o;
  o.dns_names = {"a.test"};
  o.valid_until = -60s;
  EXPECT_EQ(verdict(o), error_code(X509_V_ERR_CERT_HAS_EXPIRED, verify_category()));
  o.valid_from = 60s;
  o.valid_until = 3600s;
  EXPECT_EQ(verdict(o), error_code(X509_V_ERR_CERT_NOT_YET_VALID, verify_category()));
  o = {};
  o.dns_names = {"a.test"};
  o.self_signed = true;
  EXPECT_EQ(verdict(o), error_code(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, verify_category()));
  certificate_authority stranger;
  tls_server server(*io_, stranger.issue_for({"a.test"}));
  tls_connector c(host("a.test"), {}, trusting());
  EXPECT_EQ(open(c, server)->error,
            error_code(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, verify_category()));
}

TEST_F(Tls, ServerNameOverridesTheTarget) {
  tls_server server(*io_, authority().issue_for({"b.test"}));
  tls_options o = trusting();
  o.server_name = "B.test.";
  tls_connector c(host("a.test"), {}, o);
  EXPECT_EQ(open(c, server)->error, error_code());
  EXPECT_EQ(server.last().server_name, "b.test");
}

TEST_F(Tls, Fault141_MutePeerEndsAtTheDeadline) {
  tcp::acceptor mute(*io_, {asio::ip::address_v4::loopback(), 0});
  const long before = open_descriptors();
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = testing::open(c, *io_, mute.local_endpoint().port(), 60ms);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, errc::connect_timeout);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Tls, Fault126_CancelDuringTheHandshake) {
  tcp::acceptor mute(*io_, {asio::ip::address_v4::loopback(), 0});
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = testing::open(c, *io_, mute.local_endpoint().port());
  std::optional<tcp::socket> peer;
  mute.async_accept([&](auto, tcp::socket s) { peer.emplace(std::move(s)); });
  ASSERT_TRUE(run_until(*io_, [&] { return peer && peer->available() > 0; }));
  o->operation->cancel();
  o->operation->cancel();
  io_->restart();
  io_->run();
  EXPECT_EQ(o->completions, 1);
  EXPECT_EQ(o->error, asio::error::operation_aborted);
}

TEST_F(Tls, Fault147_PlainHttpIsNotTls) {
  tcp::acceptor plain(*io_, {asio::ip::address_v4::loopback(), 0});
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = testing::open(c, *io_, plain.local_endpoint().port());
  tcp::socket peer(*io_);
  plain.async_accept(peer, [&](auto) {
    asio::write(peer, asio::buffer(std::string("HTTP/1.1 400 Bad Request\r\n\r\n")));
  });
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, errc::not_tls);
}

TEST_F(Tls, PeerThatClosesDuringTheHandshakeIsAnError) {
  tcp::acceptor closing(*io_, {asio::ip::address_v4::loopback(), 0});
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = testing::open(c, *io_, closing.local_endpoint().port());
  closing.async_accept([](auto, tcp::socket) {});
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_TRUE(o->error);
  EXPECT_EQ(o->connection, nullptr);
}

TEST_F(Tls, Fault146_OldVersionsAndForeignProtocolsAreRefused) {
  tls_server old(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  tls_options o = trusting();
  tls_connector any(host("a.test"), {}, o);
  EXPECT_EQ(open(any, old)->error, error_code());
  o.min_version = tls_version::v1_3;
  tls_connector strict(host("a.test"), {}, o);
  EXPECT_TRUE(open(strict, old)->error);
  ::SSL_CTX_set_security_level(old.context(), 0);
  ::SSL_CTX_set_min_proto_version(old.context(), TLS1_VERSION);
  ::SSL_CTX_set_max_proto_version(old.context(), TLS1_1_VERSION);
  EXPECT_TRUE(open(any, old)->error);
}

int choose_http(SSL*,
                const unsigned char** out,
                unsigned char* length,
                const unsigned char* in,
                unsigned in_length,
                void*) {
  static const unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int r = ::SSL_select_next_proto(&chosen, length, ours, sizeof ours - 1, in, in_length);
  *out = chosen;
  return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

TEST_F(Tls, Fault146_AlpnIsNegotiatedAndAMismatchIsAnError) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  tls_options o = trusting();
  o.alpn = {"http/1.1"};
  tls_connector http(host("a.test"), {}, o);
  auto first = open(http, server);
  ASSERT_EQ(first->error, error_code());
  EXPECT_EQ(stream_of(*first).alpn(), "") << "the peer knows no ALPN";
  ::SSL_CTX_set_alpn_select_cb(server.context(), &choose_http, nullptr);
  tls_connector again(host("a.test"), {}, o);
  first = open(again, server);
  ASSERT_EQ(first->error, error_code());
  EXPECT_EQ(stream_of(*first).alpn(), "http/1.1");
  o.alpn = {"h2"};
  tls_connector h2(host("a.test"), {}, o);
  EXPECT_EQ(open(h2, server)->error, errc::alpn_mismatch);
}

class TlsSessions : public Tls, public ::testing::WithParamInterface<int> {};

TEST_P(TlsSessions, Fault145_ResumedPeerIsCheckedAgain) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector c(host("a.test"), {}, trusting());
  for (int i = 0; i < 3; ++i) {
    const auto o = open(c, server);
    ASSERT_EQ(o->error, error_code());
    EXPECT_EQ(stream_of(*o).was_resumed(), i > 0);
    EXPECT_EQ(server.last().was_resumed, i > 0);
    SSL* const ssl = stream_of(*o).native_handle();
    EXPECT_EQ(detail::check_peer(ssl, host("a.test")), error_code());
    EXPECT_EQ(detail::check_peer(ssl, host("b.test")), errc::tls_name_mismatch);
    EXPECT_EQ(detail::check_peer(ssl, host("127.0.0.1")), errc::tls_name_mismatch);
    exchange(*o, server);
    // Without farewell: the session must stay good.
    o->connection->close();
  }
}

TEST_P(TlsSessions, Fault145_SessionsDoNotCrossConnectors) {
  tls_server server(*io_, authority().issue_for({"a.test", "b.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector a(host("a.test"), {}, trusting());
  exchange(*open(a, server), server);
  tls_connector b(host("b.test"), {}, trusting());
  EXPECT_EQ(open(b, server)->error, error_code());
  EXPECT_FALSE(server.last().was_resumed);
  tls_connector same_name(host("a.test"), {}, trusting());
  EXPECT_EQ(open(same_name, server)->error, error_code());
  EXPECT_FALSE(server.last().was_resumed);
}

TEST_P(TlsSessions, ReuseCanBeTurnedOff) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_options o = trusting();
  o.session_reuse = false;
  tls_connector c(host("a.test"), {}, o);
  for (int i = 0; i < 2; ++i) {
    exchange(*open(c, server), server);
    EXPECT_FALSE(server.last().was_resumed);
  }
}

TEST_P(TlsSessions, Fault109_TicketsAreQuietAndDataIsNot) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = open(c, server);
  const auto observer = std::make_shared<counting_observer>();
  EXPECT_TRUE(o->connection->quiet());
  EXPECT_TRUE(o->connection->quiet());
  // Still usable in both directions, and still asynchronous.
  exchange(*o, server);
  EXPECT_TRUE(o->connection->quiet());
  EXPECT_EQ(o->net().bytes_read(), 1U);
  o->connection->watch_idle(observer);
  asio::async_write(server.last().tls, asio::buffer("x", 1), [](auto, auto) {});
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices > 0; }));
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_EQ(o->connection->unquiet_reason(), close_reason::unexpected_bytes);
}

// Read together with what was waited for, so that the socket has nothing to tell any more.
TEST_P(TlsSessions, WhatTheEngineHoldsIsNotQuiet) {
  for (const bool farewell : {false, true}) {
    tls_server server(*io_, authority().issue_for({"a.test"}));
    ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
    tls_connector c(host("a.test"), {}, trusting());
    const auto o = open(c, server);
    exchange(*o, server);
    auto& peer = server.last().tls;
    asio::write(peer, asio::buffer("x", 1));
    if (farewell) {
      peer.async_shutdown([](auto) {});
    } else {
      asio::write(peer, asio::buffer("y", 1));
    }
    std::array<char, 16> bytes{};
    std::size_t got = 0;
    stream_of(*o).async_read_some(asio::buffer(bytes), [&](auto, std::size_t n) { got = n; });
    ASSERT_TRUE(run_until(*io_, [&] { return got > 0; }));
    ASSERT_EQ(got, 1U);
    ASSERT_EQ(stream_of(*o).lowest_layer().available(), 0U);
    EXPECT_FALSE(o->connection->quiet());
    EXPECT_EQ(o->connection->unquiet_reason(),
              farewell ? close_reason::peer_closed : close_reason::unexpected_bytes);
  }
}

TEST_P(TlsSessions, Fault105_FinWhileIdleIsNoticed) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = open(c, server);
  exchange(*o, server);
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  server.last().tls.next_layer().close();
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices > 0; }));
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_EQ(o->connection->unquiet_reason(), close_reason::peer_closed);
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         TlsSessions,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& i) {
                           return i.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_F(Tls, ClientCertificateIsPresented) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  ::SSL_CTX_load_verify_locations(server.context(), authority().ca_file().c_str(), nullptr);
  ::SSL_CTX_set_verify(
      server.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  tls_options o = trusting();
  const auto ours = authority().issue_for({"client.test"});
  o.certificate_file = ours.certificate;
  o.private_key_file = ours.private_key;
  tls_connector c(host("a.test"), {}, o);
  EXPECT_EQ(open(c, server)->error, error_code());
  EXPECT_TRUE(server.last().is_shaken) << server.last().error.message();
}

TEST_F(Tls, Fault93_WrongFilesAreRefusedAtConstruction) {
  const auto refusal = [](const tls_options& o) -> std::string {
    try {
      (void)tls_connector(host("a.test"), {}, o);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  const auto one = authority().issue_for({"a.test"});
  const auto other = authority().issue_for({"b.test"});
  tls_options o = trusting();
  o.certificate_file = one.certificate;
  o.private_key_file = other.private_key;
  EXPECT_THAT(refusal(o),
              ::testing::AllOf(::testing::HasSubstr("tls_options::private_key_file"),
                               ::testing::HasSubstr(other.private_key)));
  o.private_key_file = one.certificate;
  EXPECT_THAT(refusal(o), ::testing::HasSubstr("tls_options::private_key_file"));
  o.certificate_file = one.private_key;
  EXPECT_THAT(refusal(o), ::testing::HasSubstr("tls_options::certificate_file"));
  o = {};
  o.ca_file = one.private_key;
  EXPECT_THAT(refusal(o), ::testing::HasSubstr("tls_options::ca_file"));
  o.ca_file = authority().directory();
  EXPECT_THAT(refusal(o), ::testing::HasSubstr("tls_options::ca_file"));
}

TEST_F(Tls, Fault127_ContextDestroyedInEveryState) {
  tls_connector c(host("a.test"), {}, trusting());
  const long before = open_descriptors();
  for (int turns = 0; turns < 20; ++turns) {
    auto io = std::make_unique<asio::io_context>();
    auto server = std::make_unique<tls_server>(*io, authority().issue_for({"a.test"}));
    const auto o = testing::open(c, *io, server->port());
    for (int i = 0; i < turns; ++i) io->poll_one();
    server.reset();
    io.reset();
    o->operation->cancel();
    if (o->connection) {
      EXPECT_FALSE(o->connection->quiet());
      o->connection->close();
    }
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST_F(Tls, DroppingAConnectionWithOperationsInFlightIsSafe) {
  tls_server server(*io_, authority().issue_for({"a.test"}));
  tls_connector c(host("a.test"), {}, trusting());
  const auto o = open(c, server);
  char byte = 0;
  std::optional<error_code> read_result;
  std::optional<error_code> write_result;
  const std::string large(16U << 20U, 'x');
  o->net().visit([&](auto& s) {
    asio::async_read(s, asio::buffer(&byte, 1), [&](auto ec, auto) { read_result = ec; });
    asio::async_write(s, asio::buffer(large), [&](auto ec, auto) { write_result = ec; });
  });
  o->connection.reset();
  ASSERT_TRUE(run_until(*io_, [&] { return read_result && write_result; }));
  EXPECT_TRUE(*read_result);
  EXPECT_TRUE(*write_result);
}

}  // namespace
}  // namespace redial
