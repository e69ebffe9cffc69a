// SPDX-License-Identifier: Apache-2.0
#pragma once

// Redis and PostgreSQL as backends.

#include <redial/core/abi.hpp>

#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// A Redis on `address`, without persistence.
class redis_server {
 public:
  explicit redis_server(const std::string& address, std::uint16_t port = 0);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  void kill();

 private:
  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

/// A PostgreSQL cluster of its own, listening on `addresses`, user and database `postgres`, no
/// password. Runs as the system user `postgres` when the test is root, since it refuses to be root.
class postgres_server {
 public:
  explicit postgres_server(const std::vector<std::string>& addresses);
  ~postgres_server();

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

}  // namespace redial::inline REDIAL_ABI::testing
