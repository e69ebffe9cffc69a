// SPDX-License-Identifier: Apache-2.0
#include "net/session_cache.hpp"

#include <openssl/x509.h>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

/// Frees a slot together with its SSL.
void free_slot(void*, void* slot, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<session_slot*>(slot);
}

int slot_index() {
  static const int index = ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_slot);
  return index;
}

/// Returns 0: OpenSSL keeps its reference.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
  const auto* slot = static_cast<const session_slot*>(::SSL_get_ex_data(ssl, slot_index()));
  try {
    if (slot != nullptr) slot->cache->put(slot->port, session);
  } catch (...) {
    // No memory for a session: the next connection does a full handshake.
  }
  return 0;
}

/// A resumed session brings the certificate of its first handshake. Once that has expired the peer
/// is refused, although it may have shown a new one long ago to whoever asked.
bool is_out_of_date(SSL_SESSION* session) {
  const X509* const certificate = ::SSL_SESSION_get0_peer(session);
  return certificate != nullptr && ::X509_cmp_current_time(::X509_get0_notAfter(certificate)) <= 0;
}

}  // namespace

void session_cache::put(std::uint16_t port, SSL_SESSION* session) {
  session_ptr copy(::SSL_SESSION_dup(session));
  if (!copy || ::SSL_SESSION_is_resumable(copy.get()) != 1) return;
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= max_ports && !sessions_.contains(port)) return;
  auto& list = sessions_[port];
  list.push_back(std::move(copy));
  if (list.size() > per_port) list.pop_front();
}

session_ptr session_cache::take(std::uint16_t port) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(port);
  if (found == sessions_.end()) return nullptr;
  auto& list = found->second;
  while (!list.empty()) {
    session_ptr newest = std::move(list.back());
    list.pop_back();
    if (::SSL_SESSION_is_resumable(newest.get()) != 1) continue;
    if (is_out_of_date(newest.get())) continue;
    if (::SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
      if (session_ptr copy{::SSL_SESSION_dup(newest.get())}) list.push_back(std::move(copy));
    }
    return newest;
  }
  return nullptr;
}

void remember_sessions(SSL_CTX* context) {
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  ::SSL_CTX_sess_set_new_cb(context, &on_new_session);
}

bool tie(SSL* ssl, session_slot slot) {
  auto owned = std::make_unique<session_slot>(std::move(slot));
  if (::SSL_set_ex_data(ssl, slot_index(), owned.get()) != 1) return false;
  (void)owned.release();
  return true;
}

}  // namespace redial::inline REDIAL_ABI::detail
