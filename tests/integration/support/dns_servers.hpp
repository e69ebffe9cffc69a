// SPDX-License-Identifier: Apache-2.0
#pragma once

// Knot DNS as an authority whose zone changes at run time, Unbound as a cache in front of one, and
// dnsmasq as a server that a hosts file drives.

#include <redial/core/abi.hpp>

#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Knot DNS, authoritative for the zone `test.`, on 127.0.0.1.
class knot_server {
 public:
  /// `records`: lines of a zone file without the SOA, e.g. `api 5 A 127.0.0.2`.
  /// `port` 0: a free one.
  /// \throws std::runtime_error with Knot's own words when it does not start.
  explicit knot_server(const std::vector<std::string>& records, std::uint16_t port = 0);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Stops its process (SIGSTOP): it hears and says nothing until `go_on`.
  void pause() const;
  void go_on() const;
  [[nodiscard]] pid_t pid() const noexcept { return process_->pid(); }

  /// Replaces all A records of `owner` (`api`, relative to the zone) in one transaction.
  void set_addresses(const std::string& owner, int ttl, const std::vector<std::string>& addresses);
  /// The same for any type; `rdatas` as in a zone file (`10 5 80 node1`). None: they are taken out.
  void set_records(const std::string& owner,
                   int ttl,
                   const std::string& type,
                   const std::vector<std::string>& rdatas);
  /// Takes one record out.
  void remove_record(const std::string& owner, const std::string& type, const std::string& rdata);

 private:
  std::string control(const std::vector<std::string>& words) const;

  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

/// Unbound on 127.0.0.1, which asks an authority for the zone `test.`.
class unbound_server {
 public:
  explicit unbound_server(const knot_server& authority);
  /// `authority_port`: of any authority on 127.0.0.1. `port` 0: a free one.
  explicit unbound_server(std::uint16_t authority_port, std::uint16_t port = 0);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  temp_dir dir_;
  std::uint16_t port_;
  std::unique_ptr<child_process> process_;
};

/// dnsmasq on 127.0.0.1, authoritative for `test.` with what a hosts file of its own says.
class dnsmasq_server {
 public:
  /// `hosts`: the file's first text. `ttl`: seconds, of every answer with records.
  dnsmasq_server(const std::string& hosts, int ttl);

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::string& hosts_path() const noexcept { return hosts_path_; }

  /// Makes it read the file again, and waits until it has.
  void reload();

 private:
  temp_dir dir_;
  std::string hosts_path_;
  std::uint16_t port_;
  int times_read_ = 1;
  std::unique_ptr<child_process> process_;
};

}  // namespace redial::inline REDIAL_ABI::testing
