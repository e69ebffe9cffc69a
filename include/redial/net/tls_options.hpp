// SPDX-License-Identifier: Apache-2.0
#pragma once

// How TLS connections are opened and peers verified.

#include <redial/core/abi.hpp>

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

class tls_reloader;

/// Versions of the protocol that are safe to offer.
enum class tls_version { v1_2, v1_3 };

/// Validated when a connector is made from it; files are read then, and again when `reloader` says
/// so. There is no option that turns verification off.
struct tls_options {
  tls_options() = default;

  /// PEM file of the certificate authorities to trust. Empty trusts the system's store (and
  /// SSL_CERT_FILE, SSL_CERT_DIR); otherwise only this file counts.
  std::string ca_file;
  /// PEM file of our own certificate, the chain behind it. Needs `private_key_file`.
  std::string certificate_file;
  /// PEM file of its key, without a passphrase.
  std::string private_key_file;
  /// Whom the peer must be: a DNS name or an address. Empty means the target's host.
  std::string server_name;
  /// Offered by ALPN, preferred first, e.g. `{"http/1.1"}`. A peer that ignores ALPN is accepted;
  /// one that knows none of them, or picks another one, is `errc::alpn_mismatch`.
  std::vector<std::string> alpn;
  /// Resumes earlier sessions with the same peer. The peer is verified all the same.
  bool session_reuse = true;
  tls_version min_version = tls_version::v1_2;  ///< The lowest protocol version accepted.
  /// Reads the files again on demand. May be null, and be shared by many clients.
  std::shared_ptr<tls_reloader> reloader;
};

}  // namespace redial::inline REDIAL_ABI
