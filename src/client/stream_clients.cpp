// SPDX-License-Identifier: Apache-2.0

#include <redial/client/stream_clients.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/net/tls_connector.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

// Bytes that should be encrypted must not travel in the clear because of a mixed-up factory, nor a
// handshake go to somebody who expects none.
void want_tls(const target& t, bool wanted, const char* other) {
  if (t.is_tls() == wanted) return;
  throw std::invalid_argument("target '" + t.text() + "' " + (wanted ? "has no" : "wants") +
                              " TLS: use " + other);
}

}  // namespace

tcp_client make_tcp_client(boost::asio::any_io_executor executor,
                           std::shared_ptr<discovery> names,
                           const target& t,
                           const client_options& options,
                           const tcp_options& tcp,
                           std::shared_ptr<scheduler> time) {
  want_tls(t, false, "make_tls_client");
  client_options proven = options;
  if (tcp.identity) proven.pool.identity_proven = true;
  return tcp_client(std::move(executor),
                    std::move(names),
                    t,
                    std::make_shared<tcp_connector>(tcp),
                    proven,
                    std::move(time));
}

tls_client make_tls_client(boost::asio::any_io_executor executor,
                           std::shared_ptr<discovery> names,
                           const target& t,
                           const client_options& options,
                           const tcp_options& tcp,
                           const tls_options& tls,
                           std::shared_ptr<scheduler> time) {
  want_tls(t, true, "make_tcp_client, or a tls:// or https:// target");
  client_options proven = options;
  proven.pool.identity_proven = true;
  return tls_client(std::move(executor),
                    std::move(names),
                    t,
                    std::make_shared<tls_connector>(t.identity(), tcp, tls),
                    proven,
                    std::move(time));
}

}  // namespace redial::inline REDIAL_ABI
