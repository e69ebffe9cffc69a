// SPDX-License-Identifier: Apache-2.0
#include "discovery/dns_setup.hpp"

#include <redial/core/host_name.hpp>

#include "dns/cares_source.hpp"
#include "dns/nameserver.hpp"
#include "dns/routing_source.hpp"
#include "dns/search_source.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

// Canonical. A name that never is a question of ours cannot be the end of one.
std::string parse_suffix(const char* option, const std::string& text) {
  const auto name = host_name::parse(text);
  if (!name || name->is_fixed()) {
    const auto why = name ? std::string{"is never asked for"} : name.error().message();
    throw std::invalid_argument("discovery_options::" + std::string{option} + ": '" + text +
                                "': " + why + "; want a DNS name without a leading dot");
  }
  return name->text();
}

std::vector<std::string> parse_suffixes(const char* option, const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const auto& text : texts) {
    auto suffix = parse_suffix(option, text);
    if (std::find(out.begin(), out.end(), suffix) != out.end()) {
      throw std::invalid_argument("discovery_options::" + std::string{option} + ": '" + text +
                                  "' is there twice");
    }
    out.push_back(std::move(suffix));
  }
  return out;
}

std::vector<std::string> suffixes_of(const std::vector<nameserver_zone>& zones) {
  std::vector<std::string> out;
  for (const auto& z : zones) out.push_back(z.suffix);
  return out;
}

}  // namespace

void validate_dns(const discovery_options& o) {
  static_cast<void>(parse_nameservers(o.nameservers));
  static_cast<void>(parse_suffixes("search", o.search));
  static_cast<void>(parse_suffixes("zones", suffixes_of(o.zones)));
  for (const auto& z : o.zones) {
    const auto which = "discovery_options::zones: '" + z.suffix + "': ";
    if (z.nameservers.empty()) throw std::invalid_argument(which + "nameservers is empty");
    try {
      static_cast<void>(parse_nameservers(z.nameservers));
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument(which + e.what());
    }
  }
}

std::unique_ptr<dns_source> make_dns_source(const boost::asio::any_io_executor& strand,
                                            const discovery_options& o,
                                            const std::shared_ptr<scheduler>& time) {
  cares_options dns;
  dns.nameservers = o.nameservers;
  dns.query_timeout = o.query_timeout;
  dns.max_in_flight = o.max_queries_in_flight;
  dns.max_per_second = o.max_queries_per_second;
  dns.resolv_conf = o.resolv_conf;
  dns.seed = o.watch.seed != 0 ? o.watch.seed : std::random_device{}();
  std::unique_ptr<dns_source> source = make_cares_source(strand, dns, time);
  if (!o.zones.empty()) {
    const auto suffixes = parse_suffixes("zones", suffixes_of(o.zones));
    std::vector<routing_source::zone> zones;
    for (std::size_t i = 0; i < suffixes.size(); ++i) {
      dns.nameservers = o.zones[i].nameservers;
      zones.push_back({suffixes[i], make_cares_source(strand, dns, time)});
    }
    source = std::make_unique<routing_source>(std::move(source), std::move(zones));
  }
  if (!o.search.empty()) {
    source = std::make_unique<search_source>(std::move(source), parse_suffixes("search", o.search));
  }
  return source;
}

}  // namespace redial::inline REDIAL_ABI::detail
