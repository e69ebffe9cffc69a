// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whose first connection is opened next, and when.

#include <redial/core/time.hpp>

#include "endpoints/endpoint_entry.hpp"
#include "endpoints/fast_random.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Endpoints waiting for their warming attempt: those of a better tier first, of those that are
/// due. Within a tier the order of a cold start is that of RFC 8305 §4: families take turns, IPv6
/// first; the next one starts after `warm_stagger`, or as soon as one has failed, for whatever
/// reason (§5). Later there is no stagger, only `max_warming`.
///
/// Those that have failed come after all of them and in the order of their time, whatever their
/// tier: thirty silent ones, 3 s each, would else keep the next tier from ever being tried.
class warming_queue {
 public:
  explicit warming_queue(const endpoint_rules& rules) : rules_(rules) {}

  /// Queues newcomers (in the snapshot's order) for an attempt as soon as possible.
  void add(const std::vector<endpoint_entry*>& newcomers, time_point now);
  /// Forgets `e`, waiting or under way.
  void remove(endpoint_entry& e) noexcept;

  /// Sets its priority, waiting or not.
  void change_priority(endpoint_entry& e, std::uint16_t priority);

  /// Whether an attempt may begin now. Endpoints that may not be connected to (doubted) are passed
  /// over.
  [[nodiscard]] bool is_ready(time_point now) const noexcept;
  /// Takes out the endpoint whose attempt is to begin. Only when ready; it counts as under way
  /// until `succeeded`, `failed` or `remove`.
  [[nodiscard]] endpoint_entry& take(time_point now);
  void succeeded(endpoint_entry& e) noexcept;
  /// Tried again after a backoff by `e.failures`.
  void failed(endpoint_entry& e, time_point now, fast_random& random);
  /// Queues one that is out of use for an attempt at `due`, instead of any that waits or is under
  /// way.
  void again(endpoint_entry& e, time_point due);

  /// When it is ready next; nothing when that takes more than time.
  [[nodiscard]] std::optional<time_point> due() const noexcept;
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  [[nodiscard]] bool may_connect(const endpoint_entry& e) const noexcept {
    return !e.doubted || rules_.identity_proven;
  }
  /// By rank, then by when it is due, then by when it was queued. The rank is the tier, and one
  /// behind all tiers for those that have failed.
  using key = std::tuple<std::uint32_t, time_point, std::uint64_t>;
  using waiting = std::map<key, endpoint_entry*>;
  static key key_of(const endpoint_entry& e) noexcept {
    return {e.warming_again ? after_all_tiers : e.priority, e.warming_due, e.warming_order};
  }
  static constexpr std::uint32_t after_all_tiers = 0x10000;
  [[nodiscard]] waiting::const_iterator first_of(std::uint32_t rank) const noexcept;
  /// That of the next rank.
  [[nodiscard]] waiting::const_iterator beyond(waiting::const_iterator it) const noexcept {
    return first_of(std::get<0>(it->first) + 1);
  }
  [[nodiscard]] waiting::const_iterator ready(time_point now) const noexcept;
  void enqueue(endpoint_entry& e, time_point due);
  void left(endpoint_entry& e) noexcept;

  endpoint_rules rules_;
  waiting waiting_;
  std::uint64_t order_ = 0;
  std::size_t under_way_ = 0;
  bool cold_ = true;        // nothing has ever been active
  time_point cold_next_{};  // no start before, while cold
};

}  // namespace redial::inline REDIAL_ABI::detail
