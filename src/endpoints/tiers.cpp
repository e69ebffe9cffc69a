// SPDX-License-Identifier: Apache-2.0
#include "endpoints/tiers.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

void tiers::join(std::uint16_t priority, bool up) {
  members& m = tiers_[priority];
  ++m.all;
  if (up) ++m.up;
}

void tiers::leave(std::uint16_t priority, bool up) noexcept {
  const auto it = tiers_.find(priority);
  BOOST_ASSERT(it != tiers_.end());
  if (up) --it->second.up;
  if (--it->second.all == 0) tiers_.erase(it);
}

void tiers::turn(std::uint16_t priority, bool up) noexcept {
  const auto it = tiers_.find(priority);
  BOOST_ASSERT(it != tiers_.end());
  it->second.up += up ? 1U : ~std::size_t{0};
}

std::optional<tier_range> tiers::choose(bool serves,
                                        std::optional<std::uint16_t> held_behind) const noexcept {
  if (tiers_.empty()) return std::nullopt;
  const auto up = std::find_if(
      tiers_.begin(), tiers_.end(), [](const auto& tier) { return tier.second.up > 0; });
  // With nothing up, whoever can be connected to first is welcome.
  const tier_range found = up != tiers_.end()
                               ? tier_range{up->first, up->first}
                               : tier_range{tiers_.begin()->first, tiers_.rbegin()->first};
  if (!serves && held_behind && found.best > *held_behind) return std::nullopt;
  return found;
}

}  // namespace redial::inline REDIAL_ABI::detail
