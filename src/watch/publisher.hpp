// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last snapshot of a name, and whether another one would tell subscribers anything new.

#include <redial/core/endpoint.hpp>
#include <redial/core/events.hpp>
#include <redial/watch/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

struct presence_change {
  endpoint where;
  endpoint_change change{};
};

struct publication {
  snapshot_ptr what;
  std::vector<presence_change> changes;  ///< Against the one before.
  std::uint32_t added = 0;
  std::uint32_t departed = 0;
};

/// Numbers generations, and lives: an endpoint has the same one as long as it is in every snapshot,
/// whichever source it is known from.
class publisher {
 public:
  /// `next` has its endpoints sorted and unique; generation and lives are filled in here. Nothing
  /// when a subscriber would see no difference.
  std::optional<publication> publish(snapshot next);
  /// Null before the first publication.
  [[nodiscard]] const snapshot_ptr& current() const noexcept { return current_; }

 private:
  snapshot_ptr current_;
  std::uint64_t lives_ = 0;
};

/// Sorts by endpoint and keeps the first of equal ones.
void sort_unique(std::vector<snapshot_entry>& entries);

/// The worse of two; how far each is from `fresh`.
[[nodiscard]] freshness worse(freshness a, freshness b) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
