// SPDX-License-Identifier: Apache-2.0
// Certificates are replaced while their clients are in use.
#include <redial/client/stream_clients.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/tls_reloader.hpp>
#include <redial/net/verify_category.hpp>
#include <redial/testing/certificates.hpp>

#include "support/event_wait.hpp"
#include "support/opened.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace redial {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::certificate_authority;
using testing::opened;
using testing::run_until;
using testing::tls_server;

/// Authorities for all tests; keys take time.
certificate_authority& old_authority() {
  static certificate_authority ca;
  return ca;
}
certificate_authority& new_authority() {
  static certificate_authority ca;
  return ca;
}

/// Replaces `name` as it should be done: by renaming.
void put(const std::string& from, const std::string& name) {
  fs::copy_file(from, name + ".new", fs::copy_options::overwrite_existing);
  fs::rename(name + ".new", name);
}

host_name host() { return host_name::parse("a.test").value(); }

class TlsReload : public ::testing::Test {
 protected:
  TlsReload() {
    put(old_authority().ca_file(), options.ca_file);
    options.reloader = reloader;
  }

  std::shared_ptr<opened> open(connector& c, tls_server& s) {
    const auto before = s.peers().size();
    auto o = testing::open(c, io, s.port());
    EXPECT_TRUE(run_until(io, [&] {
      return o->is_done() && s.peers().size() > before && (s.last().is_shaken || s.last().error);
    }));
    return o;
  }
  /// A byte from the server to the client, which also brings the tickets.
  void hear(opened& o, tls_server::peer& p) {
    char byte = 0;
    std::optional<error_code> got;
    asio::async_write(p.tls, asio::buffer("x", 1), [](auto, auto) {});
    o.net().visit([&](auto& s) {
      asio::async_read(s, asio::buffer(&byte, 1), [&](auto ec, auto) { got = ec; });
    });
    EXPECT_TRUE(run_until(io, [&] { return got.has_value(); }));
    EXPECT_EQ(got, error_code());
  }
  std::string refusal() {
    try {
      reloader->reload();
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  }
  void break_file(const std::string& name) { std::ofstream(name) << "-----BEGIN CERT"; }

  asio::io_context io;
  std::shared_ptr<tls_reloader> reloader = std::make_shared<tls_reloader>();
  tls_options options = [] {
    tls_options o;
    o.ca_file = old_authority().directory() + "/trusted.pem";
    return o;
  }();
};

TEST_F(TlsReload, NewConnectionsTrustTheNewAuthorityAndOldOnesGoOn) {
  tls_server before(io, old_authority().issue_for({"a.test"}));
  tls_server after(io, new_authority().issue_for({"a.test"}));
  tls_connector c(host(), {}, options);
  const auto running = open(c, before);
  ASSERT_EQ(running->error, error_code());
  const error_code unknown(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, verify_category());
  EXPECT_EQ(open(c, after)->error, unknown);
  put(new_authority().ca_file(), options.ca_file);
  EXPECT_EQ(open(c, after)->error, unknown) << "files are read on demand only";
  reloader->reload();
  EXPECT_EQ(open(c, after)->error, error_code());
  EXPECT_EQ(open(c, before)->error, unknown);
  hear(*running, *before.peers().front());
  running->connection->close();
}

class TlsReloadSessions : public TlsReload, public ::testing::WithParamInterface<int> {};

TEST_P(TlsReloadSessions, Fault145_SessionsOfBeforeAreNotOffered) {
  tls_server server(io, old_authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector c(host(), {}, options);
  const auto first = open(c, server);
  hear(*first, server.last());
  const auto second = open(c, server);
  EXPECT_TRUE(server.last().was_resumed) << "otherwise this test shows nothing";
  c.reload();
  hear(*second, server.last());  // tickets that come now belong to the old settings
  const auto third = open(c, server);
  EXPECT_EQ(third->error, error_code());
  EXPECT_FALSE(server.last().was_resumed);
  hear(*third, server.last());
  EXPECT_EQ(open(c, server)->error, error_code());
  EXPECT_TRUE(server.last().was_resumed) << "sessions of after are";
}

TEST_P(TlsReloadSessions, Fault145_APeerThatIsNotTrustedAnyMoreIsNotResumed) {
  tls_server server(io, old_authority().issue_for({"a.test"}));
  ::SSL_CTX_set_max_proto_version(server.context(), GetParam());
  tls_connector c(host(), {}, options);
  const auto first = open(c, server);
  hear(*first, server.last());
  put(new_authority().ca_file(), options.ca_file);
  reloader->reload();
  EXPECT_TRUE(open(c, server)->error);
  EXPECT_FALSE(server.last().was_resumed);
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         TlsReloadSessions,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& i) {
                           return i.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

/// Who the client says it is.
std::string client_serial(const tls_server& s) {
  const std::unique_ptr<X509, decltype(&::X509_free)> shown(
      ::SSL_get1_peer_certificate(s.last().tls.native_handle()), &::X509_free);
  if (!shown) return "";
  const ASN1_INTEGER* const number = ::X509_get0_serialNumber(shown.get());
  std::string text(number->data, number->data + number->length);
  return text;
}

TEST_F(TlsReload, TheNewClientCertificateIsPresented) {
  tls_server server(io, old_authority().issue_for({"a.test"}));
  ::SSL_CTX_load_verify_locations(server.context(), old_authority().ca_file().c_str(), nullptr);
  ::SSL_CTX_set_verify(
      server.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const auto first = old_authority().issue_for({"client.test"});
  const auto second = old_authority().issue_for({"client.test"});
  options.certificate_file = old_authority().directory() + "/own.pem";
  options.private_key_file = old_authority().directory() + "/own.key";
  put(first.certificate, options.certificate_file);
  put(first.private_key, options.private_key_file);
  tls_connector c(host(), {}, options);
  EXPECT_EQ(open(c, server)->error, error_code());
  const std::string shown = client_serial(server);
  EXPECT_NE(shown, "");

  put(second.certificate, options.certificate_file);
  EXPECT_THAT(refusal(), ::testing::HasSubstr("private_key_file")) << "half of the pair";
  EXPECT_EQ(open(c, server)->error, error_code());
  EXPECT_EQ(client_serial(server), shown);

  put(second.private_key, options.private_key_file);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(open(c, server)->error, error_code());
  EXPECT_NE(client_serial(server), shown);
}

TEST_F(TlsReload, ABadFileChangesNothingAnywhere) {
  tls_server server(io, old_authority().issue_for({"a.test"}));
  tls_server after(io, new_authority().issue_for({"a.test"}));
  tls_connector good(host(), {}, options);
  tls_options others = options;
  others.ca_file = old_authority().directory() + "/others.pem";
  put(old_authority().ca_file(), others.ca_file);
  tls_connector bad(host(), {}, others);

  put(new_authority().ca_file(), options.ca_file);
  break_file(others.ca_file);
  EXPECT_THAT(refusal(),
              ::testing::AllOf(::testing::HasSubstr("tls_options::ca_file"),
                               ::testing::HasSubstr(others.ca_file)));
  EXPECT_EQ(open(good, server)->error, error_code()) << "all of them or none";
  EXPECT_EQ(open(bad, server)->error, error_code());
  fs::remove(others.ca_file);
  EXPECT_THAT(refusal(), ::testing::HasSubstr("cannot be read"));

  put(new_authority().ca_file(), others.ca_file);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(open(good, after)->error, error_code());
  EXPECT_EQ(open(bad, after)->error, error_code());
}

TEST_F(TlsReload, ConnectorsThatAreGoneAreNotReadAgain) {
  { const tls_connector c(host(), {}, options); }
  break_file(options.ca_file);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TlsReload, AnOpeningUnderWayEndsWithTheOldSettings) {
  tls_server server(io, old_authority().issue_for({"a.test"}));
  tls_connector c(host(), {}, options);
  const auto o = testing::open(c, io, server.port());
  ASSERT_TRUE(run_until(io, [&] { return !server.peers().empty(); }));
  put(new_authority().ca_file(), options.ca_file);
  reloader->reload();
  ASSERT_TRUE(run_until(io, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, error_code());
}

/// Calls without a pause: each sends a byte and reads its echo.
class echo_load {
 public:
  echo_load(asio::io_context& io, tls_server& server, tls_client& client)
      : io_(io), server_(server), client_(client) {}

  /// Runs `calls` of them; what failed is empty when all is well.
  std::string run(int calls) {
    left_ = calls;
    next();
    EXPECT_TRUE(run_until(io_, [&] {
      serve();
      return left_ == 0;
    }));
    return std::exchange(failed_, "");
  }

 private:
  struct operation {
    void operator()(attempt&, tls_connection& c, operation_handler done) const {
      asio::async_write(c.stream(),
                        asio::buffer(byte.get(), 1),
                        [*this, &c, done = std::move(done)](error_code ec, auto) mutable {
                          if (ec) return done(ec);
                          asio::async_read(
                              c.stream(), asio::buffer(byte.get(), 1), std::move(done));
                        });
    }
    std::shared_ptr<char> byte = std::make_shared<char>('x');
  };

  void next() {
    client_.async_call(operation(), call_options(10s), [this](error_code ec, const auto& history) {
      if (ec) failed_ += ec.message() + "\n" + history.text();
      if (--left_ > 0) next();
    });
  }
  void serve() {
    for (; served_ < server_.peers().size(); ++served_) echo(server_.peers()[served_]);
  }
  static void echo(const std::shared_ptr<tls_server::peer>& p) {
    if (!p->is_shaken && !p->error) {
      asio::post(p->tls.get_executor(), [p] { echo(p); });
      return;
    }
    const auto byte = std::make_shared<char>();
    asio::async_read(p->tls, asio::buffer(byte.get(), 1), [p, byte](auto ec, auto) {
      if (ec) return;
      asio::async_write(p->tls, asio::buffer(byte.get(), 1), [p, byte](auto write_error, auto) {
        if (!write_error) echo(p);
      });
    });
  }

  asio::io_context& io_;
  tls_server& server_;
  tls_client& client_;
  std::size_t served_ = 0;
  int left_ = 0;
  std::string failed_;
};

TEST_F(TlsReload, NoCallFailsWhileCertificatesAreReplaced) {
  tls_server server(io, old_authority().issue_for({"localhost"}));
  auto names = discovery::create(io.get_executor());
  client_options o;
  o.retry.max_attempts = 1;
  o.pool.min_reset_interval = 0s;
  auto client = make_tls_client(io.get_executor(),
                                names,
                                target("tls://localhost:" + std::to_string(server.port())),
                                o,
                                {},
                                options);
  echo_load load(io, server, client);
  EXPECT_EQ(load.run(20), "");
  // The certificate of the server moves to the new authority, and so do its clients.
  const auto renewed = new_authority().issue_for({"localhost"});
  for (int i = 0; i < 5; ++i) {
    std::ofstream(options.ca_file + ".new") << std::ifstream(old_authority().ca_file()).rdbuf()
                                            << std::ifstream(new_authority().ca_file()).rdbuf();
    fs::rename(options.ca_file + ".new", options.ca_file);
    reloader->reload();
    ::SSL_CTX_use_certificate_chain_file(server.context(), renewed.certificate.c_str());
    ::SSL_CTX_use_PrivateKey_file(server.context(), renewed.private_key.c_str(), SSL_FILETYPE_PEM);
    EXPECT_EQ(load.run(20), "");
    EXPECT_TRUE(client.reset());
    EXPECT_EQ(load.run(20), "");
  }
  EXPECT_GE(client.connection_counters().opened, 6U);
  client.close();
  names->close();
  server.close();
}

}  // namespace
}  // namespace redial
