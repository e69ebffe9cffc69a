// SPDX-License-Identifier: Apache-2.0
// Which sessions are offered again. Handshakes in memory, without verification.
#include "net/session_cache.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace redial::inline REDIAL_ABI::detail {
namespace {

template <auto Free>
struct freed {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using ssl_ptr = std::unique_ptr<SSL, freed<&::SSL_free>>;
using context_ptr = std::unique_ptr<SSL_CTX, freed<&::SSL_CTX_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed<&::EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<&::X509_free>>;

/// A server whose certificate is valid until `valid_for` seconds from now.
context_ptr server_context(long valid_for) {
  const key_ptr key(::EVP_EC_gen("P-256"));
  const certificate_ptr certificate(::X509_new());
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -7200);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), valid_for);
  ::X509_set_pubkey(certificate.get(), key.get());
  ::X509_sign(certificate.get(), key.get(), ::EVP_sha256());
  context_ptr context(::SSL_CTX_new(::TLS_server_method()));
  ::SSL_CTX_use_certificate(context.get(), certificate.get());
  ::SSL_CTX_use_PrivateKey(context.get(), key.get());
  return context;
}

/// A TLS 1.2 session with that server, as a client remembers it.
session_ptr session_with(SSL_CTX* server_side) {
  const context_ptr client_side(::SSL_CTX_new(::TLS_client_method()));
  ::SSL_CTX_set_max_proto_version(client_side.get(), TLS1_2_VERSION);
  const ssl_ptr client(::SSL_new(client_side.get()));
  const ssl_ptr server(::SSL_new(server_side));
  BIO* ours = nullptr;
  BIO* theirs = nullptr;
  if (::BIO_new_bio_pair(&ours, 0, &theirs, 0) != 1) return nullptr;
  ::SSL_set_bio(client.get(), ours, ours);
  ::SSL_set_bio(server.get(), theirs, theirs);
  ::SSL_set_connect_state(client.get());
  ::SSL_set_accept_state(server.get());
  for (int i = 0; i < 10; ++i) {
    (void)::SSL_do_handshake(client.get());
    (void)::SSL_do_handshake(server.get());
  }
  if (::SSL_is_init_finished(client.get()) != 1) return nullptr;
  // OpenSSL would forbid to resume a session that ended without farewell.
  ::SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  return session_ptr(::SSL_get1_session(client.get()));
}

TEST(SessionCache, OffersTheSessionOfAPeerThatIsStillValid) {
  const auto server = server_context(3600);
  const auto session = session_with(server.get());
  ASSERT_TRUE(session);
  session_cache cache;
  cache.put(443, session.get());
  EXPECT_EQ(cache.take(80), nullptr);
  EXPECT_NE(cache.take(443), nullptr);
  EXPECT_NE(cache.take(443), nullptr) << "TLS 1.2 sessions are used again and again";
}

// The server has a new certificate by now. Resumed with the old one, every connection would be
// refused, until the server forgets the session.
TEST(SessionCache, Fault138_AnExpiredPeerIsMetAnew) {
  const auto server = server_context(-3600);
  const auto session = session_with(server.get());
  ASSERT_TRUE(session);
  session_cache cache;
  cache.put(443, session.get());
  EXPECT_EQ(cache.take(443), nullptr);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
