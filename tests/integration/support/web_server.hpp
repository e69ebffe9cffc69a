// SPDX-License-Identifier: Apache-2.0
#pragma once

// nginx as a backend.

#include <redial/core/abi.hpp>

#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

struct nginx_options {
  nginx_options() = default;
  /// Loopback addresses to listen on, all at the same port. Each answers `GET /` with its address.
  std::vector<std::string> addresses;
  std::uint16_t port = 0;
  /// Both set: https.
  std::string certificate;
  std::string private_key;
};

/// nginx; one process for all its addresses.
class nginx_server {
 public:
  explicit nginx_server(const nginx_options& options);
  ~nginx_server();

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::uint16_t port() const noexcept { return options_.port; }
  /// Ends it at once: its connections break.
  void stop();
  /// Starts it (again) on the same addresses.
  void start();

 private:
  temp_dir dir_;
  nginx_options options_;
  std::unique_ptr<child_process> process_;
};

}  // namespace redial::inline REDIAL_ABI::testing
