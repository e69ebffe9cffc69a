// SPDX-License-Identifier: Apache-2.0

#include "discovery/options.hpp"

#include "core/option_range.hpp"
#include "discovery/dns_setup.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

std::vector<address_range> denied_ranges(const discovery_options& o) {
  std::vector<address_range> all;
  for (const std::string& text : o.denied_addresses) {
    const auto range = address_range::parse(text);
    if (!range) {
      throw std::invalid_argument("discovery_options::denied_addresses: '" + text +
                                  "': " + range.error().message() +
                                  "; want an address, or a range such as 10.0.0.0/8");
    }
    all.push_back(*range);
  }
  return all;
}

void validate(const discovery_options& o) {
  using namespace std::chrono_literals;
  redial::validate(o.watch);
  constexpr auto owner = "discovery_options";
  check_time(owner, "query_timeout", o.query_timeout, {10ms}, {1min});
  check_count(owner, "max_queries_in_flight", o.max_queries_in_flight, {1}, {1024});
  check_count(owner, "max_queries_per_second", o.max_queries_per_second, {0}, {1'000'000});
  validate_dns(o);
  static_cast<void>(denied_ranges(o));
  for (const auto& source : o.sources) {
    if (!source) throw std::invalid_argument("discovery_options::sources holds a null pointer");
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
