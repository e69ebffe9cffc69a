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

/// Invariants: `usable_` holds the endpoints that may be leased, without order; `maybe_idle_` holds
/// at least those of them that have an idle connection. One that has lost its last one stays listed
/// until somebody looks there, so that lending and returning the same connection writes nothing
/// here; every entry struck out was put in by a return, so looking is O(1) on average. An entry
/// knows its place in each. `maybe_idle_` has room for all of `usable_`, so that it never
/// allocates.
class selector {
 public:
  explicit selector(std::uint64_t seed) noexcept : random_(seed) {}

  void admit(endpoint_entry& e);
  void remove(endpoint_entry& e) noexcept;
  /// After `e.idle` became non-zero.
  void gained_idle(endpoint_entry& e) noexcept {
    if (e.maybe_idle_at != endpoint_entry::nowhere) return;
    e.maybe_idle_at = static_cast<std::uint32_t>(maybe_idle_.size());
    maybe_idle_.push_back(&e);
  }

  /// The endpoint whose idle connection is lent next; null when there is none.
  [[nodiscard]] endpoint_entry* pick_idle() noexcept {
    const auto all = static_cast<std::uint32_t>(usable_.size());
    if (all > 1) {
      const auto two = random_.two_below(all);
      endpoint_entry* a = usable_[two.first];
      endpoint_entry* b = usable_[two.second];
      if (a->idle == 0) std::swap(a, b);
      if (b->idle != 0) return b->leases < a->leases ? b : a;
      if (b->connections == 0 || (b->opening == 0 && b->leases < a->leases)) starved_ = b;
      return a->idle != 0 ? a : any_idle();
    }
    return all == 1 && usable_.front()->idle != 0 ? usable_.front() : nullptr;
  }

  /// An endpoint that `pick_idle` would have liked, were there an idle connection to it. As long as
  /// others have idle ones nobody would ever connect to it, so the pool does, for the next caller.
  /// Null when there is none; asking forgets it.
  [[nodiscard]] endpoint_entry* take_starved() noexcept { return std::exchange(starved_, nullptr); }
  [[nodiscard]] bool is_starving() const noexcept { return starved_ != nullptr; }

  /// The same among those that `accepts(const endpoint_entry&)`; looks at all of them if it must.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick_idle(const Accepts& accepts) noexcept {
    return lighter_of_two(usable_,
                          [&](const endpoint_entry& e) { return e.idle != 0 && accepts(e); });
  }
  /// The endpoint to connect to next among those that `accepts`: fewer leases and connects.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick(const Accepts& accepts) noexcept {
    return lighter_of_two(usable_, accepts);
  }

  [[nodiscard]] const std::vector<endpoint_entry*>& usable() const noexcept { return usable_; }
  [[nodiscard]] bool has_idle() noexcept { return any_idle() != nullptr; }
  [[nodiscard]] fast_random& random() noexcept { return random_; }

 private:
  /// A random one that has an idle connection; strikes out those met that have none.
  endpoint_entry* any_idle() noexcept;
  void strike_out(endpoint_entry& e) noexcept;
  template <class Accepts>
  endpoint_entry* lighter_of_two(const std::vector<endpoint_entry*>& from,
                                 const Accepts& accepts) noexcept;

  std::vector<endpoint_entry*> usable_;
  std::vector<endpoint_entry*> maybe_idle_;
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
