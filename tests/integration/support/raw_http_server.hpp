// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP server that answers with whatever bytes a test wants, right or wrong.

#include <redial/core/abi.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// What one request gets.
struct raw_reply {
  enum class then { keep, close, reset, hold };

  raw_reply() = default;
  raw_reply(std::string bytes, then what = then::keep)  // NOLINT: the bytes are enough
      : pieces{std::move(bytes)}, after(what) {}
  raw_reply(const char* bytes, then what = then::keep) : raw_reply(std::string(bytes), what) {}

  std::vector<std::string> pieces;       ///< Written one after the other ...
  std::chrono::milliseconds between{0};  ///< ... with this pause between them.
  then after = then::keep;               ///< `hold`: as `keep`, but no other request is read.
  bool before_body = false;              ///< Answers as soon as the request's head is there.
};

/// `HTTP/1.1 <status> x` with a body and its length.
[[nodiscard]] raw_reply plain_reply(int status, const std::string& body = "");

/// Runs on the test's own executor, on loopback.
class raw_http_server {
 public:
  explicit raw_http_server(boost::asio::io_context& io);
  ~raw_http_server();
  raw_http_server(const raw_http_server&) = delete;
  raw_http_server& operator=(const raw_http_server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// `127.0.0.1:port`
  [[nodiscard]] std::string authority() const;

  /// For every request without one of its own; 200 with the body `ok` at first.
  void always(raw_reply r);
  /// For the next request; several queue up.
  void next(raw_reply r);

  /// Whole requests as they came, head and body.
  [[nodiscard]] const std::vector<std::string>& requests() const noexcept { return requests_; }
  [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }
  /// Connections whose client has not closed them yet.
  [[nodiscard]] std::size_t open() const;
  /// Closes every connection, and refuses new ones.
  void close();

 private:
  class session;

  void accept();
  raw_reply take_reply();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  raw_reply usual_;
  std::deque<raw_reply> next_;
  std::vector<std::string> requests_;
  std::size_t accepted_ = 0;
  std::vector<std::weak_ptr<session>> sessions_;
};

}  // namespace redial::inline REDIAL_ABI::testing
