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
  duration ttl_cap{};      ///< Highest TTL to honour, for clients that have such a setting.
  std::uint64_t seed = 0;
};

}  // namespace redial::churn
