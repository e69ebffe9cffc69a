// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whom we measure: one client thread's worth of requests in flight, by one library.

#include "steady/server.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace redial::steady {

struct lane_options {
  std::uint16_t port = 0;
  std::size_t in_flight = 1;
  std::string ca_file;  ///< For TLS.
  bool strands = true;  ///< redial's `tcp_options::strand_per_connection`.
};

/// A closed loop of one thread. Connections stay open between runs.
class lane {
 public:
  virtual ~lane() = default;
  /// Makes exactly `n` requests, `in_flight` at a time, and returns when all are answered.
  /// \throws std::runtime_error when one fails, or answers something else than expected.
  virtual void run(std::uint64_t n) = 0;
};

struct contestant {
  std::string name;
  std::function<std::unique_ptr<lane>(const lane_options&)> make;
};

/// How many requests are to be begun, and to be ended.
class closed_loop {
 public:
  void start(std::uint64_t n) noexcept { to_begin_ = to_end_ = n; }
  [[nodiscard]] bool begin() noexcept { return to_begin_ > 0 && to_begin_-- > 0; }
  void end() noexcept { --to_end_; }
  [[nodiscard]] bool is_over() const noexcept { return to_end_ == 0; }

 private:
  std::uint64_t to_begin_ = 0;
  std::uint64_t to_end_ = 0;
};

[[noreturn]] inline void fail(std::string_view what) {
  throw std::runtime_error("a contestant failed: " + std::string(what));
}
inline void expect(bool good, const char* what) {
  if (!good) fail(what);
}
/// For Boost's error codes. No text is made while all goes well.
template <class ErrorCode>
void expect(bool good, const char* what, const ErrorCode& ec) {
  if (ec || !good) fail(std::string(what) + ": " + ec.message());
}

constexpr std::string_view path = "/api/v1/items/4711";
constexpr std::string_view user_agent = "redial";

// GET over plain TCP.
[[nodiscard]] contestant redial_http();
[[nodiscard]] contestant beast_http();
[[nodiscard]] contestant curl_http();  ///< Without a name when libcurl was not found.
[[nodiscard]] contestant epoll_http();
// GET over TLS.
[[nodiscard]] contestant redial_https();
[[nodiscard]] contestant beast_https();
// Send and get back one message of a byte stream.
[[nodiscard]] contestant redial_stream();
[[nodiscard]] contestant asio_stream();

}  // namespace redial::steady
