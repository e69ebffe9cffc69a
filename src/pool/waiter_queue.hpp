// SPDX-License-Identifier: Apache-2.0
#pragma once

// Callers who wait for a connection: first come, first served, each with a deadline.

#include <redial/core/time.hpp>
#include <redial/pool/pool.hpp>

#include "endpoints/endpoint_entry.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Names one waiting caller; grows, never reused.
using ticket = std::uint64_t;

/// The endpoints that have failed one caller.
using tries = std::vector<tried_endpoint>;

struct waiter {
  time_point deadline{};
  tries tried;
  happening since = 0;  ///< When the wait began, as an order.
  time_point queued_at{};
  endpoint_key key;
  bool is_guided = false;  ///< It belongs to one endpoint, if the policy knows one.
  // Notes about that endpoint, no part of what it asks for.
  mutable std::uint64_t home = 0;           ///< As a user's policy last said; 0: none.
  mutable endpoint_entry* first = nullptr;  ///< Of a key, if all could serve, ...
  mutable std::uint64_t first_as_of = 0;    ///< ... while `selector::changes` is this.

  /// Does not take just any connection.
  [[nodiscard]] bool is_picky() const noexcept { return is_guided || !tried.empty(); }
};

/// The order is that of the tickets. Taking one out of the middle leaves no hole.
class waiter_queue {
 public:
  using all = std::map<ticket, waiter>;

  void add(ticket t, waiter w);
  /// False when it is not waiting (any more).
  bool remove(ticket t);
  /// The one whose deadline has passed longest, if any has.
  [[nodiscard]] std::optional<ticket> expired(time_point now) const noexcept;

  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
  [[nodiscard]] const all& in_order() const noexcept { return waiters_; }
  [[nodiscard]] std::size_t size() const noexcept { return waiters_.size(); }
  [[nodiscard]] bool empty() const noexcept { return waiters_.empty(); }
  [[nodiscard]] std::size_t picky() const noexcept { return picky_; }

 private:
  all waiters_;
  std::set<std::pair<time_point, ticket>> deadlines_;
  std::size_t picky_ = 0;
};

}  // namespace redial::inline REDIAL_ABI::detail
