// SPDX-License-Identifier: Apache-2.0
#pragma once

// An operation without its type, and how much of it has crossed its connection.

#include <redial/client/call.hpp>
#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/pool/lease.hpp>

#include <cstdint>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

/// What an attempt has moved so far.
struct traffic {
  bool counted = false;  ///< False: this type of connection does not count its bytes.
  std::uint64_t written = 0;
  std::uint64_t read = 0;
};

/// Connections that know how much was sent, so that what was not sent can be told from what may
/// have been.
template <class Connection>
concept counts_bytes = requires(Connection& c) {
  access::reset_counts(c);
  static_cast<std::uint64_t>(c.bytes_written());
  static_cast<std::uint64_t>(c.bytes_read());
};

/// Operations that say so start by asking the system and tell nobody, so that they may start inside
/// the call that began it all. What they have to tell they post.
template <class Operation>
concept starts_silently = requires {
  requires Operation::starts_silently;
};

/// One allocation per call. Its members are called on the connection's executor.
class REDIAL_API erased_operation {
 public:
  virtual ~erased_operation() = default;
  virtual void start(attempt& a, pooled_connection& c, operation_handler done) = 0;
  /// Any thread.
  [[nodiscard]] virtual bool is_silent() const noexcept = 0;
  virtual void reset_traffic(pooled_connection& c) = 0;
  [[nodiscard]] virtual traffic traffic_of(pooled_connection& c) = 0;
};

template <class Connection, class Operation>
class typed_operation final : public erased_operation {
 public:
  explicit typed_operation(Operation op) : op_(std::move(op)) {}

  void start(attempt& a, pooled_connection& c, operation_handler done) override {
    op_(a, connection_cast<Connection>(c), std::move(done));
  }
  [[nodiscard]] bool is_silent() const noexcept override { return starts_silently<Operation>; }
  void reset_traffic(pooled_connection& c) override {
    if constexpr (counts_bytes<Connection>) access::reset_counts(connection_cast<Connection>(c));
  }
  traffic traffic_of(pooled_connection& c) override {
    traffic t;
    if constexpr (counts_bytes<Connection>) {
      auto& typed = connection_cast<Connection>(c);
      t.counted = true;
      t.written = typed.bytes_written();
      t.read = typed.bytes_read();
    }
    return t;
  }

 private:
  Operation op_;
};

}  // namespace redial::inline REDIAL_ABI::detail
