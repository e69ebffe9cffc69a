// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <redial/core/error.hpp>

#include "net/session_cache.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

namespace ssl = boost::asio::ssl;

namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& reason) {
  throw std::invalid_argument("tls_options::" + option + ": " + reason + " (" +
                              make_error_code(errc::bad_tls_options).message() + ")");
}

void require(const error_code& ec, const char* option, const std::string& file) {
  if (ec) refuse(option, "'" + file + "': " + ec.message());
}

/// OpenSSL's own words for a missing file are no help.
void require_readable(const char* option, const std::string& file) {
  if (file.find('\0') != std::string::npos) refuse(option, "holds a NUL character");
  if (!std::ifstream(file, std::ios::binary)) refuse(option, "'" + file + "' cannot be read");
}

void load_authorities(ssl::context& context, const tls_options& options) {
  error_code ec;
  if (options.ca_file.empty()) {
    context.set_default_verify_paths(ec);
    return require(ec, "ca_file", "the system's store");
  }
  require_readable("ca_file", options.ca_file);
  context.load_verify_file(options.ca_file, ec);
  require(ec, "ca_file", options.ca_file);
}

void load_own_certificate(ssl::context& context, const tls_options& options) {
  const std::string& certificate = options.certificate_file;
  const std::string& key = options.private_key_file;
  if (certificate.empty() && key.empty()) return;
  if (key.empty()) refuse("private_key_file", "missing, and certificate_file is given");
  if (certificate.empty()) refuse("certificate_file", "missing, and private_key_file is given");
  require_readable("certificate_file", certificate);
  require_readable("private_key_file", key);
  // OpenSSL would ask on the terminal.
  context.set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); });
  error_code ec;
  context.use_certificate_chain_file(certificate, ec);
  require(ec, "certificate_file", certificate);
  // A mismatch with the certificate is found here.
  context.use_private_key_file(key, ssl::context::pem, ec);
  require(ec, "private_key_file", key);
  if (::SSL_CTX_check_private_key(context.native_handle()) != 1) {
    ::ERR_clear_error();
    refuse("private_key_file", "'" + key + "' is not the key of '" + certificate + "'");
  }
}

void set_alpn(SSL_CTX* context, const std::vector<std::string>& protocols) {
  std::vector<unsigned char> wire;
  for (const std::string& p : protocols) {
    if (p.empty() || p.size() > 255) refuse("alpn", "'" + p + "' is not 1 to 255 bytes long");
    wire.push_back(static_cast<unsigned char>(p.size()));
    wire.insert(wire.end(), p.begin(), p.end());
  }
  if (wire.size() > 65535) refuse("alpn", "too many protocols");
  if (wire.empty()) return;
  // Zero is success here.
  if (::SSL_CTX_set_alpn_protos(context, wire.data(), static_cast<unsigned>(wire.size())) != 0) {
    refuse("alpn", "not accepted by OpenSSL");
  }
}

void set_policy(SSL_CTX* context, const tls_options& options) {
  const int version = options.min_version == tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (::SSL_CTX_set_min_proto_version(context, version) != 1) {
    refuse("min_version", "not supported by this OpenSSL");
  }
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // 112 bits (SSL_CTX_set_security_level(3)), which Debian has anyway; more stays more.
  if (::SSL_CTX_get_security_level(context) < 2) ::SSL_CTX_set_security_level(context, 2);
  // TLS 1.2 only; all of TLS 1.3's are good.
  ::SSL_CTX_set_cipher_list(context, "HIGH:!aNULL:!eNULL:!PSK:!SRP:!3DES:!MD5");
}

}  // namespace

ssl::context make_tls_context(const tls_options& options) {
  ssl::context context(ssl::context::tls_client);
  context.set_verify_mode(ssl::verify_peer);
  set_policy(context.native_handle(), options);
  load_authorities(context, options);
  load_own_certificate(context, options);
  set_alpn(context.native_handle(), options.alpn);
  if (options.session_reuse) {
    remember_sessions(context.native_handle());
  } else {
    ::SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
  }
  return context;
}

host_name identity_of(const tls_options& options, const host_name& of_target) {
  if (options.server_name.empty()) return of_target;
  const auto parsed = host_name::parse(options.server_name);
  if (!parsed) refuse("server_name", "'" + options.server_name + "': " + parsed.error().message());
  return *parsed;
}

}  // namespace redial::inline REDIAL_ABI::detail
