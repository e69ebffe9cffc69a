// SPDX-License-Identifier: Apache-2.0
#pragma once

// Knot DNS as an authority whose zone changes at run time, and Unbound as a cache in front of it.

#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace redial::testing {

/// Knot DNS, authoritative for the zone `test.`, on 127.0.0.1.
class knot_server {
 public:
  /// `records`: lines of a zone file without the SOA, e.g. `api 5 A 127.0.0.2`.
  /// \throws std::runtime_error with Knot's own words when it does not start.
  explicit knot_server(const std::vector<std::string>& records);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Replaces all A records of `owner` (`api`, relative to the zone) in one transaction.
  void set_addresses(const std::string& owner, int ttl, const std::vector<std::string>& addresses);

 private:
  std::string control(const std::vector<std::string>& words) const;

  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

/// Unbound on 127.0.0.1, which asks `authority` (an `address@port`) for the zone `test.`.
class unbound_server {
 public:
  explicit unbound_server(const knot_server& authority);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

}  // namespace redial::testing
