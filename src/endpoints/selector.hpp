// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which endpoint serves next: the less loaded of two random ones. Costs the same for three
// endpoints and for a thousand.

#include "endpoints/endpoint_entry.hpp"
#include "endpoints/fast_random.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace redial::detail {

/// Invariants: `usable_` holds the endpoints that may be leased, `with_idle_` those of them that
/// have an idle connection, both without order; an entry knows its place in each. `with_idle_` has
/// room for all of `usable_`, so that gaining an idle connection never allocates.
class selector {
 public:
  explicit selector(std::uint64_t seed) noexcept : random_(seed) {}

  void admit(endpoint_entry& e);
  void remove(endpoint_entry& e) noexcept;
  /// After `e.idle` became non-zero, became zero.
  void gained_idle(endpoint_entry& e) noexcept {
    e.with_idle_at = static_cast<std::uint32_t>(with_idle_.size());
    with_idle_.push_back(&e);
  }
  void lost_idle(endpoint_entry& e) noexcept {
    endpoint_entry* last = with_idle_.back();
    with_idle_[e.with_idle_at] = last;
    last->with_idle_at = e.with_idle_at;
    with_idle_.pop_back();
    e.with_idle_at = endpoint_entry::nowhere;
  }

  /// The endpoint whose idle connection is lent next; null when there is none.
  [[nodiscard]] endpoint_entry* pick_idle() noexcept {
    const auto idle = static_cast<std::uint32_t>(with_idle_.size());
    if (idle == 0) return nullptr;
    const auto all = static_cast<std::uint32_t>(usable_.size());
    if (all == 1) return usable_.front();
    const auto two = random_.two_below(all);
    endpoint_entry* a = usable_[two.first];
    endpoint_entry* b = usable_[two.second];
    if (a->idle == 0) std::swap(a, b);
    if (b->connections == 0) starved_ = b;
    if (b->idle != 0) return b->leases < a->leases ? b : a;
    if (a->idle != 0) return a;
    return with_idle_[random_.below(idle)];
  }

  /// An endpoint that `pick_idle` would have liked and that has no connection at all. As long as
  /// others have idle ones nobody would ever connect to it again, so the pool does, for the next
  /// caller. Null when there is none; asking forgets it.
  [[nodiscard]] endpoint_entry* take_starved() noexcept { return std::exchange(starved_, nullptr); }
  [[nodiscard]] bool is_starving() const noexcept { return starved_ != nullptr; }

  /// The same among those that `accepts(const endpoint_entry&)`; looks at all of them if it must.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick_idle(const Accepts& accepts) noexcept {
    return lighter_of_two(with_idle_, accepts);
  }
  /// The endpoint to connect to next among those that `accepts`: fewer leases and connects.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick(const Accepts& accepts) noexcept {
    return lighter_of_two(usable_, accepts);
  }

  [[nodiscard]] const std::vector<endpoint_entry*>& usable() const noexcept { return usable_; }
  [[nodiscard]] const std::vector<endpoint_entry*>& with_idle() const noexcept {
    return with_idle_;
  }
  [[nodiscard]] fast_random& random() noexcept { return random_; }

 private:
  template <class Accepts>
  endpoint_entry* lighter_of_two(const std::vector<endpoint_entry*>& from,
                                 const Accepts& accepts) noexcept;

  std::vector<endpoint_entry*> usable_;
  std::vector<endpoint_entry*> with_idle_;
  endpoint_entry* starved_ = nullptr;
  fast_random random_;
};

// Walks from a random place and takes the lighter of the first two that fit. Were only every third
// one acceptable, the walk would favour none but those behind a gap; good enough off the hot path.
template <class Accepts>
endpoint_entry* selector::lighter_of_two(const std::vector<endpoint_entry*>& from,
                                         const Accepts& accepts) noexcept {
  const auto n = static_cast<std::uint32_t>(from.size());
  if (n == 0) return nullptr;
  if (n > 1) {
    const auto two = random_.two_below(n);
    endpoint_entry* a = from[two.first];
    endpoint_entry* b = from[two.second];
    if (accepts(*a) && accepts(*b)) return b->load() < a->load() ? b : a;
  }
  endpoint_entry* found = nullptr;
  const std::uint32_t start = random_.below(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    endpoint_entry* e = from[(start + i) % n];
    if (!accepts(*e)) continue;
    if (found != nullptr) return e->load() < found->load() ? e : found;
    found = e;
  }
  return found;
}

}  // namespace redial::detail
