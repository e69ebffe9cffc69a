// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a client under test finds its service.

#include <redial/core/time.hpp>

#include <cstdint>
#include <string>

namespace redial::churn {

struct service_address {
  std::string host;  ///< A name that `nameserver` knows.
  std::uint16_t port = 0;
  std::string nameserver;  ///< `127.0.0.1:4711`
  bool tls = false;
  std::string ca_file;  ///< PEM; who signed the service's certificates. Empty without TLS.
  /// Owner name of the service's SRV records. Empty: it has none, and every address has `port`.
  std::string srv;
  /// Where the same backends speak gRPC. Zero: they do not.
  std::uint16_t grpc_port = 0;
  /// The same, where they end each connection at the age of `ttl_cap`. Zero: they do not.
  std::uint16_t grpc_aged_port = 0;
  /// What happens is a matter of HTTP/1.1: clients of other protocols would not meet it.
  bool http_faults = false;
  /// True when the system's resolver (`getaddrinfo`) asks `nameserver`, too.
  bool known_to_system = false;
  /// True when the names are in the system's hosts file and in no DNS.
  bool in_hosts_file = false;
  /// A path at which this service, and nobody else, answers 200 with the field `Service: churn`,
  /// for clients that ask who is there before they trust a plaintext connection. Empty: not to be
  /// relied on.
  std::string identity_path;
  duration ttl_cap{};  ///< Highest TTL to honour, for clients that have such a setting.
  std::uint64_t seed = 0;
};

}  // namespace redial::churn
