// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who answers the clients' questions: redial's own scriptable server, or Knot DNS.

#include <redial/testing/dns_script.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::churn {

enum class authority { embedded, knot };

/// What is wrong with a name server.
enum class dns_fault {
  none,
  silent,    ///< It hears and says nothing.
  servfail,  ///< It cannot tell.
  nxdomain,  ///< It says that the name does not exist.
  empty,     ///< It says that the name has no addresses.
};

/// Authoritative for the zone `test`, on 127.0.0.1.
///
/// \par Threads One.
class name_server {
 public:
  virtual ~name_server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  /// The IPv4 addresses of `host`, a name in `test`.
  virtual void set_addresses(const std::string& host,
                             const std::vector<std::string>& addresses,
                             std::chrono::seconds ttl) = 0;
  virtual void set_services(const std::string& owner,
                            const std::vector<testing::srv_data>& services,
                            std::chrono::seconds ttl) = 0;
  /// From now on each answer about `host` carries so many records at random.
  virtual void sample(const std::string& host, std::size_t count) = 0;
  /// With `none` the addresses of `hosts` have to be set again.
  virtual void fail(const std::vector<std::string>& hosts, dns_fault fault) = 0;
  /// Questions about `name` so far; `not_counted` where nobody counts (Knot).
  [[nodiscard]] virtual std::uint64_t queries(const std::string& name) const = 0;
};

/// `port` 0: a free one.
/// \throws std::exception when it does not start.
[[nodiscard]] std::unique_ptr<name_server> make_name_server(authority kind, std::uint16_t port);

/// Why there can be no server of that kind; empty when there can.
[[nodiscard]] std::string why_no_name_server(authority kind);

/// A cache in front of an authority: Unbound on 127.0.0.1.
class name_cache {
 public:
  /// `port` 0: a free one. \throws std::exception when it does not start.
  name_cache(std::uint16_t authority_port, std::uint16_t port);
  ~name_cache();
  name_cache(const name_cache&) = delete;
  name_cache& operator=(const name_cache&) = delete;

  [[nodiscard]] static bool is_installed();
  [[nodiscard]] std::string address() const;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::churn
