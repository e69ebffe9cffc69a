// SPDX-License-Identifier: Apache-2.0

#include "discovery/options.hpp"

#include "dns/nameserver.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

namespace redial::detail {

void validate(const discovery_options& o) {
  using namespace std::chrono_literals;
  redial::validate(o.watch);
  if (o.query_timeout < 10ms || o.query_timeout > 1min) {
    throw std::invalid_argument(fmt::format(
        "discovery_options::query_timeout is {} ms: must be from 10 ms to 60 s",
        std::chrono::duration_cast<std::chrono::milliseconds>(o.query_timeout).count()));
  }
  if (o.max_queries_in_flight < 1 || o.max_queries_in_flight > 1024) {
    throw std::invalid_argument(
        fmt::format("discovery_options::max_queries_in_flight is {}: must be from 1 to 1024",
                    o.max_queries_in_flight));
  }
  static_cast<void>(parse_nameservers(o.nameservers));
}

}  // namespace redial::detail
