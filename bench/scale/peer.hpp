// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whom the measured process talks to, in a process of its own: servers that send back every byte,
// one on each of many loopback addresses, and a DNS server.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace redial::bench {

/// Names: `of-<n>.test` has the first n of the addresses, for every power of ten up to `addresses`.
/// \par Lifetime The process ends with this object, or with the process that made it.
class peer {
 public:
  /// \throws std::runtime_error when it does not come up.
  explicit peer(std::size_t addresses);
  ~peer();
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  [[nodiscard]] std::uint16_t tcp_port() const noexcept { return ports_.tcp; }
  [[nodiscard]] std::uint16_t tls_port() const noexcept { return ports_.tls; }
  /// As `discovery_options::nameservers` wants it.
  [[nodiscard]] std::string name_server() const;
  /// What to trust for TLS.
  [[nodiscard]] std::string ca_file() const { return ca_file_; }

  struct ports {
    std::uint16_t tcp = 0;
    std::uint16_t tls = 0;
    std::uint16_t dns = 0;
  };

 private:
  pid_t pid_ = -1;
  int lifeline_ = -1;  // closed: the process ends
  ports ports_;
  std::string ca_file_;
};

/// Runs `f` in a child process and returns what it returned, so that no measurement finds the
/// memory, sockets and timers of the one before. \throws std::runtime_error with what `f` threw.
[[nodiscard]] std::vector<double> in_a_process(const std::function<std::vector<double>()>& f);

/// As many descriptors as the system allows. Returns how many.
std::size_t raise_descriptor_limit();

}  // namespace redial::bench
