// SPDX-License-Identifier: Apache-2.0
#include <redial/core/target.hpp>
#include <redial/net/make_connector.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/verify_category.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace redial {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

/// What the exception says; empty when there is none.
std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

std::string refusal(const tcp_options& o) {
  return refusal([&] { (void)tcp_connector(o); });
}

std::string refusal(const tls_options& o) {
  return refusal([&] { (void)tls_connector(*host_name::parse("a.test"), {}, o); });
}

TEST(TcpOptions, DefaultsAreAccepted) { EXPECT_EQ(refusal(tcp_options()), ""); }

TEST(TcpOptions, Fault88_OutOfRangeIsRefusedWithNameValueAndRange) {
  tcp_options o;
  o.keep_alive_idle = 0s;
  EXPECT_THAT(
      refusal(o),
      AllOf(HasSubstr("tcp_options::keep_alive_idle"), HasSubstr("0"), HasSubstr("1..32767")));
  o = {};
  o.keep_alive_interval = -1s;
  EXPECT_THAT(refusal(o), HasSubstr("keep_alive_interval"));
  o = {};
  o.keep_alive_probes = 128;
  EXPECT_THAT(refusal(o), HasSubstr("keep_alive_probes"));
  o = {};
  o.user_timeout = std::chrono::milliseconds::max();
  EXPECT_THAT(refusal(o), HasSubstr("user_timeout"));
}

TEST(TlsOptions, DefaultsAreAccepted) { EXPECT_EQ(refusal(tls_options()), ""); }

TEST(TlsOptions, Fault93_MissingFilesAreRefusedByOptionAndPath) {
  tls_options o;
  o.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(refusal(o),
              AllOf(HasSubstr("tls_options::ca_file"), HasSubstr("/nonexistent/ca.pem")));
  o = {};
  o.certificate_file = "/nonexistent/a.crt";
  EXPECT_THAT(refusal(o), HasSubstr("tls_options::private_key_file"));
  o = {};
  o.private_key_file = "/nonexistent/a.key";
  EXPECT_THAT(refusal(o), HasSubstr("tls_options::certificate_file"));
  o.certificate_file = "/nonexistent/a.crt";
  EXPECT_THAT(refusal(o), HasSubstr("/nonexistent/a.crt"));
  EXPECT_THAT(refusal(o), HasSubstr(make_error_code(errc::bad_tls_options).message()));
}

TEST(TlsOptions, Fault94_IdentityMustBeAHost) {
  tls_options o;
  for (const char* name : {".", " ", "a..b", "*.test", "a.test:443", "256.1.1.1"}) {
    o.server_name = name;
    EXPECT_THAT(refusal(o), HasSubstr("tls_options::server_name")) << name;
  }
}

TEST(TlsOptions, AlpnIsChecked) {
  tls_options o;
  o.alpn = {"http/1.1", ""};
  EXPECT_THAT(refusal(o), HasSubstr("tls_options::alpn"));
  o.alpn = {std::string(256, 'a')};
  EXPECT_THAT(refusal(o), HasSubstr("tls_options::alpn"));
  o.alpn = {"h2", "http/1.1"};
  EXPECT_EQ(refusal(o), "");
}

TEST(MakeConnector, FollowsTheTarget) {
  tls_options broken;
  broken.ca_file = "/nonexistent/ca.pem";
  const auto is_tls = [](const std::shared_ptr<connector>& c) {
    return dynamic_cast<tls_connector*>(c.get()) != nullptr;
  };
  EXPECT_TRUE(is_tls(make_connector(target("https://a.test"))));
  EXPECT_TRUE(is_tls(make_connector(target("tls://a.test:1"))));
  EXPECT_FALSE(is_tls(make_connector(target("http://a.test"), tcp_options(), broken)));
  EXPECT_FALSE(is_tls(make_connector(target("static://127.0.0.1:1"), tcp_options(), broken)));
  EXPECT_THROW((void)make_connector(target("tls://a.test:1"), tcp_options(), broken),
               std::invalid_argument);
}

TEST(VerifyCategory, SpeaksOpenSsl) {
  const error_code ec(X509_V_ERR_CERT_HAS_EXPIRED, verify_category());
  EXPECT_EQ(ec.message(), "certificate has expired");
  EXPECT_STREQ(verify_category().name(), "redial.verify");
}

}  // namespace
}  // namespace redial
