// SPDX-License-Identifier: Apache-2.0
#pragma once

// One HTTP/1.1 connection to a backend.

#include "churn/backend_service.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <unordered_set>

namespace redial::churn {

class backend_session;

/// The connections of a backend, which own themselves. \par Threads One.
using backend_sessions = std::unordered_set<backend_session*>;

class backend_session {
 public:
  backend_session(const backend_session&) = delete;
  backend_session& operator=(const backend_session&) = delete;
  virtual ~backend_session() { all_.erase(this); }
  /// Closes it with a TCP reset.
  virtual void reset() = 0;

 protected:
  explicit backend_session(backend_sessions& all) : all_(all) { all_.insert(this); }

 private:
  backend_sessions& all_;
};

/// Serves `socket` until one side has had enough. `tls` null: plaintext. Everything outlives it.
void serve_connection(boost::asio::ip::tcp::socket socket,
                      boost::asio::ssl::context* tls,
                      backend_service& service,
                      backend_sessions& all);

}  // namespace redial::churn
