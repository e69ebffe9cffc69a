// SPDX-License-Identifier: Apache-2.0
#pragma once

// TLS sessions worth resuming.

#include <redial/core/abi.hpp>

#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace redial::inline REDIAL_ABI::detail {

struct session_deleter {
  void operator()(SSL_SESSION* s) const noexcept { ::SSL_SESSION_free(s); }
};
using session_ptr = std::unique_ptr<SSL_SESSION, session_deleter>;

/// The newest sessions of one identity under one set of options, by port. It belongs to one
/// connector, and that is what keeps a session from being offered to anybody else, with another CA,
/// client certificate or ALPN list.
///
/// \par Threads Safe from any thread.
class session_cache {
 public:
  /// Keeps a copy: OpenSSL marks its own object when a connection ends without farewell.
  void put(std::uint16_t port, SSL_SESSION* session);
  /// The newest one that can be resumed and whose peer's certificate is still valid; null when
  /// there is none. TLS 1.3 sessions are handed out once, so that no observer can link two
  /// connections (RFC 8446 §C.4).
  [[nodiscard]] session_ptr take(std::uint16_t port);

 private:
  // TLS 1.3 servers send two tickets per connection, and a pool opens several at once.
  static constexpr std::size_t per_port = 8;
  static constexpr std::size_t max_ports = 16;

  std::mutex mutex_;
  std::map<std::uint16_t, std::deque<session_ptr>> sessions_;
};

/// Ties `ssl` to its place in a cache, which must outlive it; null unties. New sessions of contexts
/// prepared with `remember_sessions` go there.
struct session_slot {
  std::shared_ptr<session_cache> cache;
  std::uint16_t port = 0;
};
void remember_sessions(SSL_CTX* context);
[[nodiscard]] bool tie(SSL* ssl, session_slot slot);

}  // namespace redial::inline REDIAL_ABI::detail
