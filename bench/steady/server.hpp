// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whom all contestants talk to: as little work per request as possible, so that the client is the
// bottleneck, in a process of its own, so that its CPU time is nobody's.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redial::steady {

enum class protocol { http, https, echo };

/// What every GET is answered with: six fields, as servers send them, and a body.
constexpr std::size_t body_bytes = 256;
/// A message of the byte stream, in both directions.
constexpr std::size_t message_bytes = 64;

/// \par Threads Make it before the process has a second thread: it forks.
class server {
 public:
  /// Listens on 127.0.0.1, any port. `certificate` and `key` are PEM files, for `https`.
  /// \throws std::runtime_error naming what failed.
  explicit server(protocol what, const std::string& certificate = {}, const std::string& key = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

/// The bytes of the one response.
[[nodiscard]] const std::string& response_bytes();

}  // namespace redial::steady
