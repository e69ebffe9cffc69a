// SPDX-License-Identifier: Apache-2.0
//
// Peers that prove the wrong thing, nothing, or do not speak TLS at all.
#include <redial/core/host_name.hpp>
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/verify_category.hpp>
#include <redial/testing/certificates.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"
#include "support/opened.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <openssl/x509_vfy.h>

namespace redial::inline REDIAL_ABI::testing {
namespace {

/// One authority for all rows; keys take time.
certificate_authority& authority() {
  static certificate_authority ca;
  return ca;
}

struct tls_row {
  /// How a client of `identity` that trusts the authority likes a server.
  std::shared_ptr<opened> open(tls_server& server, const char* identity = "a.test") {
    tls_connector c(host_name::parse(identity).value(), {}, options);
    auto o = testing::open(c, io, server.port());
    EXPECT_TRUE(run_until(io, [&] {
      return o->is_done() && !server.peers().empty() &&
             (server.last().is_shaken || server.last().error);
    }));
    return o;
  }
  error_code verdict(const certificate_options& certificate, const char* identity = "a.test") {
    tls_server server(io, authority().issue(certificate));
    return open(server, identity)->error;
  }

  tls_row() { options.ca_file = authority().ca_file(); }

  asio::io_context io;
  tls_options options;
};

certificate_options names(std::vector<std::string> all) {
  certificate_options o;
  o.dns_names = std::move(all);
  return o;
}

void untrusted_certificates() {
  tls_row w;
  auto expired = names({"a.test"});
  expired.valid_until = std::chrono::seconds{-60};
  EXPECT_EQ(w.verdict(expired), error_code(X509_V_ERR_CERT_HAS_EXPIRED, verify_category()));
  auto early = names({"a.test"});
  early.valid_from = std::chrono::seconds{3600};
  EXPECT_EQ(w.verdict(early), error_code(X509_V_ERR_CERT_NOT_YET_VALID, verify_category()));
  auto own = names({"a.test"});
  own.self_signed = true;
  EXPECT_EQ(w.verdict(own), error_code(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, verify_category()));
  certificate_authority unknown;
  tls_server server(w.io, unknown.issue_for({"a.test"}));
  EXPECT_EQ(w.open(server)->error.category(), verify_category());
}

void wrong_names() {
  tls_row w;
  EXPECT_EQ(w.verdict(names({"a.test"})), error_code());
  EXPECT_EQ(w.verdict(names({"*.b.test"}), "a.b.test"), error_code());
  EXPECT_EQ(w.verdict(names({"b.test"})), errc::tls_name_mismatch);
  EXPECT_EQ(w.verdict(names({"a*.b.test"}), "a1.b.test"), errc::tls_name_mismatch);
  certificate_options common_name_only;
  common_name_only.common_name = "a.test";
  EXPECT_EQ(w.verdict(common_name_only), errc::tls_name_mismatch);
}

void identity_is_an_address() {
  tls_row w;
  certificate_options address;
  address.addresses = {"127.0.0.1"};
  tls_server server(w.io, authority().issue(address));
  EXPECT_EQ(w.open(server, "127.0.0.1")->error, error_code());
  EXPECT_EQ(server.last().server_name, "") << "no SNI";
  EXPECT_EQ(w.verdict(address, "127.0.0.2"), errc::tls_name_mismatch);
  EXPECT_EQ(w.verdict(names({"127.0.0.1"}), "127.0.0.1"), errc::tls_name_mismatch);
}

void mute_in_the_handshake() {
  http_row w;
  w.options.client.pool.connect_timeout = 200ms;
  w.options.client.retry.max_attempts = 1;
  asio::ip::tcp::acceptor mute(w.io, {asio::ip::address_v4::loopback(), 0});  // by its queue
  w.connect("https://127.0.0.1:" + std::to_string(mute.local_endpoint().port()));
  EXPECT_TRUE(w.get("/", 1s).error);
  EXPECT_TRUE(w.has_failed(errc::connect_timeout));
}

/// What a client makes of a reply whose end is the end of TCP, without a farewell of TLS.
http_result torn_off(const std::string& reply) {
  http_row w;
  tls_server server(w.io, authority().issue_for({"a.test"}));
  w.options.tls.ca_file = authority().ca_file();
  w.options.tls.server_name = "a.test";
  w.options.client.retry.max_attempts = 1;
  w.connect("https://127.0.0.1:" + std::to_string(server.port()));
  const auto result = w.start(http_request("GET", "/"));
  EXPECT_TRUE(w.wait([&] { return !server.peers().empty() && server.last().is_shaken; }));
  auto& tls = server.last().tls;
  std::string request;
  asio::async_read_until(tls, asio::dynamic_buffer(request), "\r\n\r\n", [&](auto, auto) {
    asio::async_write(tls, asio::buffer(reply), [&](auto, auto) {
      tls.next_layer().shutdown(asio::socket_base::shutdown_send);
    });
  });
  const http_result r = w.finish(result);
  EXPECT_EQ(w.client->connection_gauges().leased, 0U);
  server.close();
  return r;
}

void no_farewell() {
  const http_result whole = torn_off("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_FALSE(whole.error) << whole.error.message();
  EXPECT_EQ(whole.response.body, "ok");
  EXPECT_EQ(torn_off("HTTP/1.1 200 OK\r\n\r\nuntil the end").error, errc::partial_response);
}

// It reads below TLS, and so answers nothing. We wait for no answer: its reads end at once.
void no_answer_to_our_farewell() {
  tls_row w;
  tls_server server(w.io, authority().issue_for({"a.test"}));
  const auto o = w.open(server);
  ASSERT_EQ(o->error, error_code());
  const auto p = server.peers().back();
  std::string rest;
  error_code ended;
  asio::async_read(
      p->tls.next_layer(), asio::dynamic_buffer(rest), [&](auto ec, auto) { ended = ec; });
  o->connection->close();
  EXPECT_TRUE(run_until(w.io, [&] { return ended.failed(); }));
  EXPECT_TRUE(p->tls.next_layer().is_open());
}

void renegotiation() {
  tls_row w;
  tls_server server(w.io, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), TLS1_2_VERSION);
  const auto o = w.open(server);
  ASSERT_EQ(o->error, error_code());
  auto& stream = static_cast<tls_connection&>(*o->connection).stream();
  const auto p = server.peers().back();
  ASSERT_EQ(::SSL_renegotiate(p->tls.native_handle()), 1);
  // Sends HelloRequest first.
  char byte = 0;
  bool done = false;
  asio::async_write(p->tls, asio::buffer("x", 1), [](auto, auto) {});
  asio::async_read(stream, asio::buffer(&byte, 1), [&](auto, auto) { done = true; });
  EXPECT_TRUE(run_until(w.io, [&] { return done; }));
  EXPECT_EQ(::SSL_num_renegotiations(stream.native_handle()), 0);
}

// TLS 1.2, whose sessions are there with the handshake.
void sessions_stay_with_their_identity() {
  tls_row w;
  tls_server server(w.io, authority().issue_for({"a.test", "b.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), TLS1_2_VERSION);
  tls_connector a(host_name::parse("a.test").value(), {}, w.options);
  tls_connector b(host_name::parse("b.test").value(), {}, w.options);
  const auto is_resumed = [&](connector& c) {
    const auto before = server.peers().size();
    const auto o = testing::open(c, w.io, server.port());
    EXPECT_TRUE(run_until(w.io, [&] {
      return o->is_done() && server.peers().size() > before && server.last().is_shaken;
    }));
    EXPECT_EQ(o->error, error_code());
    return server.last().was_resumed;
  };
  EXPECT_FALSE(is_resumed(a));
  EXPECT_TRUE(is_resumed(a));
  EXPECT_FALSE(is_resumed(b)) << "the session of a.test";
  EXPECT_TRUE(is_resumed(b));
}

void old_versions_and_protocols() {
  tls_row w;
  tls_server old(w.io, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_security_level(old.context(), 0);
  ::SSL_CTX_set_min_proto_version(old.context(), TLS1_VERSION);
  ::SSL_CTX_set_max_proto_version(old.context(), TLS1_1_VERSION);
  EXPECT_TRUE(w.open(old)->error);
  tls_server weak(w.io, authority().issue_for({"a.test"}));
  ::SSL_CTX_set_security_level(weak.context(), 0);
  ::SSL_CTX_set_max_proto_version(weak.context(), TLS1_2_VERSION);
  ::SSL_CTX_set_cipher_list(weak.context(), "NULL:aNULL:@SECLEVEL=0");
  EXPECT_TRUE(w.open(weak)->error);
}

void plain_on_the_tls_port() {
  http_row w;
  w.options.client.retry.max_attempts = 1;
  asio::ip::tcp::acceptor door(w.io, {asio::ip::address_v4::loopback(), 0});
  asio::ip::tcp::socket plain(w.io);
  const std::string words = "HTTP/1.1 400 Bad Request\r\n\r\n";
  door.async_accept(
      plain, [&](auto) { asio::async_write(plain, asio::buffer(words), [](auto, auto) {}); });
  w.connect("https://127.0.0.1:" + std::to_string(door.local_endpoint().port()));
  const auto result = w.start(http_request("GET", "/"), 2s);
  EXPECT_TRUE(w.wait([&] { return w.has_failed(errc::not_tls); })) << w.events->trace();
  EXPECT_TRUE(w.finish(result).error);
}

void tls_on_the_plain_port() {
  plain_on_the_tls_port();
  http_row w;
  tls_server tls(w.io, authority().issue_for({"a.test"}));
  w.connect("http://127.0.0.1:" + std::to_string(tls.port()));
  w.options.client.retry.max_attempts = 1;
  const auto result = w.start(http_request("GET", "/"), 5s);
  ASSERT_TRUE(w.wait([&] { return !tls.peers().empty() && tls.last().error; }));
  tls.close();
  EXPECT_TRUE(w.finish(result).error);
}

}  // namespace

std::vector<fault_row> tls_rows() {
  return {
      {138, "untrusted_certificate", untrusted_certificates},
      {139, "wrong_name", wrong_names},
      {140, "identity_is_an_address", identity_is_an_address},
      {141, "mute_in_the_handshake", mute_in_the_handshake},
      {142, "no_close_notify", no_farewell},
      {143, "no_answer_to_close_notify", no_answer_to_our_farewell},
      {144, "renegotiation", renegotiation},
      {145, "session_offered_elsewhere", sessions_stay_with_their_identity},
      {146, "old_version_or_weak_cipher", old_versions_and_protocols, "ALPN: integration.net_tls"},
      {147, "plain_http_on_the_tls_port", tls_on_the_plain_port},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
