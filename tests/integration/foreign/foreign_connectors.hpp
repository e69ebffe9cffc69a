// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connections of other people's libraries, hiredis and libpq, for redial's pool: what a user writes
// to pool a type that redial has never heard of.

#include <redial/pool/lease.hpp>
#include <redial/ports/connector.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

/// A connected hiredis context. Commands block, as hiredis' plain API does.
class redis_connection {
 public:
  explicit redis_connection(redisContext* connected) noexcept : context_(connected) {}

  void close() noexcept { context_.reset(); }
  [[nodiscard]] bool is_healthy() noexcept;
  /// The reply as text, or an empty string when the connection failed (see `failed`).
  std::string command(const char* text);
  [[nodiscard]] bool failed() const noexcept { return !context_ || context_->err != 0; }

 private:
  struct closer {
    void operator()(redisContext* c) const noexcept { ::redisFree(c); }
  };
  std::unique_ptr<redisContext, closer> context_;
};

class redis_connector final : public connector {
 public:
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;
};

/// A connected libpq session. Queries block.
class postgres_connection {
 public:
  explicit postgres_connection(PGconn* connected) noexcept : session_(connected) {}

  void close() noexcept { session_.reset(); }
  [[nodiscard]] bool is_healthy() noexcept;
  /// First column of the first row, or an empty string when the query failed.
  std::string query(const char* sql);

 private:
  struct closer {
    void operator()(PGconn* c) const noexcept { ::PQfinish(c); }
  };
  std::unique_ptr<PGconn, closer> session_;
};

class postgres_connector final : public connector {
 public:
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;
};

}  // namespace redial::inline REDIAL_ABI::testing
