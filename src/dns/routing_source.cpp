// SPDX-License-Identifier: Apache-2.0
#include "dns/routing_source.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

routing_source::routing_source(std::unique_ptr<dns_source> rest, std::vector<zone> zones)
    : rest_(std::move(rest)) {
  for (auto& z : zones) zones_.emplace(std::move(z.suffix), std::move(z.source));
}

void routing_source::ask(const question& q, handler done) {
  source_of(q.name).ask(q, std::move(done));
}

void routing_source::close() noexcept {
  rest_->close();
  for (const auto& [suffix, source] : zones_) source->close();
}

std::uint64_t routing_source::rebuilds() const noexcept {
  auto sum = rest_->rebuilds();
  for (const auto& [suffix, source] : zones_) sum += source->rebuilds();
  return sum;
}

// By whole labels, the longest first.
dns_source& routing_source::source_of(std::string_view name) const {
  while (true) {
    const auto at = zones_.find(name);
    if (at != zones_.end()) return *at->second;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return *rest_;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
