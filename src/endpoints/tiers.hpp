// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which priorities serve (RFC 2782): the best one that can, alone.

#include <redial/core/abi.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

/// Priorities from `best` to `worst`.
struct tier_range {
  std::uint16_t best = 0;
  std::uint16_t worst = 0;

  [[nodiscard]] bool contains(std::uint16_t priority) const noexcept {
    return best <= priority && priority <= worst;
  }
  [[nodiscard]] friend bool operator==(const tier_range& a, const tier_range& b) noexcept {
    return a.best == b.best && a.worst == b.worst;
  }
};

/// Counts, per priority, the endpoints that may be leased and those of them that are up.
class tiers {
 public:
  struct members {
    std::size_t all = 0;
    std::size_t up = 0;
  };

  void join(std::uint16_t priority, bool up);
  void leave(std::uint16_t priority, bool up) noexcept;
  /// A member is up now, or down.
  void turn(std::uint16_t priority, bool up) noexcept;

  /// The best tier of which one endpoint is up; all of them when none is. Nothing when there are
  /// none, and, as long as nobody serves, when the best one is worse than `held_behind`.
  [[nodiscard]] std::optional<tier_range> choose(
      bool serves, std::optional<std::uint16_t> held_behind) const noexcept;

  [[nodiscard]] const std::map<std::uint16_t, members>& by_priority() const noexcept {
    return tiers_;
  }

 private:
  std::map<std::uint16_t, members> tiers_;
};

}  // namespace redial::inline REDIAL_ABI::detail
