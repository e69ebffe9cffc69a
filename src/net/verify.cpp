// SPDX-License-Identifier: Apache-2.0
#include "net/verify.hpp"

#include <redial/net/verify_category.hpp>

#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {

namespace {

class verify_category_type final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "redial.verify"; }
  [[nodiscard]] std::string message(int value) const override {
    return ::X509_verify_cert_error_string(value);
  }
  /// As `errc::tls_name_mismatch`: nothing was sent, and another endpoint may have a better one.
  bool equivalent(int value, const boost::system::error_condition& asked) const noexcept override {
    if (asked.category() != condition_category()) return error_category::equivalent(value, asked);
    switch (static_cast<condition>(asked.value())) {
      case condition::retryable:
      case condition::connection_poisoned:
      case condition::not_sent:
        return value != X509_V_OK;
      case condition::local_fault:
        break;
    }
    return false;
  }
};

}  // namespace

const boost::system::error_category& verify_category() noexcept {
  static const verify_category_type category;
  return category;
}

namespace detail {
namespace {

// A subject's common name is no identity (RFC 6125 §6.4.4), and `a*.example` is nobody's name.
constexpr unsigned host_flags =
    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

error_code verify_error(long result) {
  if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return errc::tls_name_mismatch;
  }
  return {static_cast<int>(result), verify_category()};
}

error_code last_openssl_error() {
  return {static_cast<int>(::ERR_get_error()), boost::asio::error::get_ssl_category()};
}

/// The literal as OpenSSL takes it: without a zone.
std::string ip_text(const host_name& identity) {
  return identity.text().substr(0, identity.text().find('%'));
}

bool speaks_for(X509* certificate, const host_name& identity) {
  if (identity.is_literal()) {
    return ::X509_check_ip_asc(certificate, ip_text(identity).c_str(), 0) == 1;
  }
  const std::string& name = identity.text();
  return ::X509_check_host(certificate, name.data(), name.size(), host_flags, nullptr) == 1;
}

}  // namespace

error_code expect_peer(SSL* ssl, const host_name& identity) {
  X509_VERIFY_PARAM* const param = ::SSL_get0_param(ssl);
  ::SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  ::X509_VERIFY_PARAM_set_hostflags(param, host_flags);
  if (identity.is_literal()) {
    // No SNI: it carries names only (RFC 6066 §3).
    if (::X509_VERIFY_PARAM_set1_ip_asc(param, ip_text(identity).c_str()) == 1) return {};
    return last_openssl_error();
  }
  const std::string& name = identity.text();
  if (::X509_VERIFY_PARAM_set1_host(param, name.data(), name.size()) != 1 ||
      ::SSL_ctrl(ssl,
                 SSL_CTRL_SET_TLSEXT_HOSTNAME,
                 TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name.c_str())) != 1) {
    return last_openssl_error();
  }
  return {};
}

error_code check_peer(SSL* ssl, const host_name& identity) {
  const std::unique_ptr<X509, decltype(&::X509_free)> certificate(::SSL_get1_peer_certificate(ssl),
                                                                  &::X509_free);
  if (!certificate) return verify_error(X509_V_ERR_UNSPECIFIED);
  if (const long result = ::SSL_get_verify_result(ssl); result != X509_V_OK) {
    return verify_error(result);
  }
  if (!speaks_for(certificate.get(), identity)) return errc::tls_name_mismatch;
  // It may have expired since the session began.
  if (::X509_cmp_current_time(::X509_get0_notAfter(certificate.get())) < 0) {
    return verify_error(X509_V_ERR_CERT_HAS_EXPIRED);
  }
  return {};
}

error_code check_alpn(const SSL* ssl, const std::vector<std::string>& offered) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  ::SSL_get0_alpn_selected(ssl, &name, &length);
  if (length == 0) return {};
  const std::string_view picked(reinterpret_cast<const char*>(name), length);
  if (std::find(offered.begin(), offered.end(), picked) != offered.end()) return {};
  return errc::alpn_mismatch;
}

error_code handshake_error(const SSL* ssl, const error_code& ec, bool alpn) {
  // Only a failed verification is told by its result; X509_V_OK is also the initial value.
  if (const long result = ::SSL_get_verify_result(ssl); result != X509_V_OK) {
    return verify_error(result);
  }
  if (ec.category() != boost::asio::error::get_ssl_category()) return ec;
  switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
    case SSL_R_WRONG_VERSION_NUMBER:  // the first bytes are no TLS record
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:  // the same, where letters pass for a version
    case SSL_R_BAD_RECORD_TYPE:
      return errc::not_tls;
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return errc::alpn_mismatch;
    case SSL_R_BAD_EXTENSION:  // a protocol we did not offer; otherwise only garbled extensions
      return alpn ? error_code(errc::alpn_mismatch) : ec;
    default:
      return ec;
  }
}

}  // namespace detail
}  // namespace redial::inline REDIAL_ABI
