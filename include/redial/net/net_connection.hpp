// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pooled TCP connection, plain or with TLS.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/ports/connector.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI {

class tcp_stream;
class tls_stream;

/// What `tcp_connector` and `tls_connector` open. Pools that serve both kinds hold this type and
/// pick the concrete stream once per call with `visit`.
///
/// \par Threads  One at a time: whoever holds the lease, or the pool while it idles.
/// \par Lifetime May outlive its execution context; it is closed then, `get_executor()` is empty
/// and
///      the stream is gone. Operations pending on its stream keep the stream alive, not it.
class REDIAL_API net_connection : public pooled_connection {
 public:
  ~net_connection() override;

  /// True for a `tls_connection`.
  [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }

  /// Calls `f` with the `tcp_stream&` or the `tls_stream&`. Include their headers to use it.
  template <class F>
  decltype(auto) visit(F&& f) {
    if (tls_) return std::forward<F>(f)(*tls_);
    return std::forward<F>(f)(*tcp_);
  }

  /// Of the stream, since the attempt began. Zero bytes written means that the peer got nothing.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;
  /// See `bytes_read`.
  [[nodiscard]] std::uint64_t bytes_written() const noexcept;

  /// Closes without waiting and without TLS's farewell; the session stays resumable.
  void close() noexcept override;
  /// TLS: records that are none of the user's business, such as session tickets, are quiet.
  [[nodiscard]] bool quiet() noexcept override;
  /// `unexpected_bytes` when there was something to read, else `peer_closed`.
  [[nodiscard]] close_reason unquiet_reason() const noexcept override {
    return had_bytes_ ? close_reason::unexpected_bytes : close_reason::peer_closed;
  }
  /// Always true. While a notice is armed, arming again only replaces the observer.
  bool watch_idle(std::weak_ptr<idle_observer> observer) override;
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override;

 protected:
  /// Over plain TCP.
  explicit net_connection(std::shared_ptr<tcp_stream> stream);
  /// Over TLS.
  explicit net_connection(std::shared_ptr<tls_stream> stream);

  std::shared_ptr<tcp_stream> tcp_;  ///< Null over TLS, and once its execution context is gone.
  /// Null over plain TCP, and once its execution context is gone.
  std::shared_ptr<tls_stream> tls_;

 private:
  friend struct detail::access;
  class attachment;

  void reset_counts() noexcept;
  void forget() noexcept;

  boost::asio::any_io_executor executor_;
  std::shared_ptr<attachment> attachment_;
  bool had_bytes_ = false;
};

}  // namespace redial::inline REDIAL_ABI
