// SPDX-License-Identifier: Apache-2.0
#pragma once

// The choices of a selector, which includes this: inline, or for any condition.

#include <redial/core/abi.hpp>

#include "endpoints/selector.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Has memory fetched, if it is memory; does nothing else.
inline void prefetch([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

inline selector::couple selector::some_two() noexcept {
  const auto all = static_cast<std::uint32_t>(serving_.size());
  if (all < 2) return {serving_.front(), serving_.front()};
  const auto two = random_.two_below(all);
  return {serving_[two.first], serving_[two.second]};
}

inline endpoint_entry* selector::pick_idle_of_two() noexcept {
  endpoint_entry* a = next_.first;
  endpoint_entry* b = next_.second;
  if (a == nullptr) return nullptr;
  draw_ahead();
  if (a->idle == 0) std::swap(a, b);
  if (b->idle != 0) return b->leases < a->leases ? b : a;
  if (a == b) return nullptr;
  if (b->connections == 0 || (b->opening == 0 && b->leases + 1 < a->leases)) starved_ = b;
  return a->idle != 0 ? a : any_idle();
}

// Who is asked next depends on nothing that is learnt until then. With a thousand endpoints most of
// what a choice costs is to wait for memory: for the entries, then for what is idle there.
inline void selector::draw_ahead() noexcept {
  next_ = later_;
  later_ = some_two();
  prefetch(later_.first);
  prefetch(later_.second);
  prefetch(next_.first->idle_top);
}

template <class Wants>
endpoint_entry* selector::pick_home(const endpoint_key& key,
                                    const Wants& wants,
                                    const endpoint_entry* at_hand,
                                    endpoint_entry** first) noexcept {
  endpoint_entry* preferred = nullptr;
  endpoint_entry*& best = first != nullptr ? *first : preferred;
  best = nullptr;
  if (unweighed_) weigh();
  if (serving_.empty() || range_->best != range_->worst) return nullptr;
  if (!policy_.has_chooser()) {
    const balancer::share_list* shares = weighted_ ? &shares_ : nullptr;
    return policy_.by_key(serving_, shares, key, wants, at_hand, best, starved_);
  }
  endpoint_entry* any = serving_[random_.below(static_cast<std::uint32_t>(serving_.size()))];
  if (!policy_.can_serve(*any) && policy_.is_starved(*any)) starved_ = any;
  return policy_.by_chooser(serving_, key, wants, at_hand, random_);
}

template <class Accepts>
endpoint_entry* selector::pick(const Accepts& accepts) noexcept {
  if (!range_) return nullptr;
  if (range_->best == range_->worst) {
    if (!policy_.takes_turns()) return lighter_of_two(accepts);
    if (unweighed_) weigh();
    return policy_.next_turn(serving_, accepts);
  }
  for (const auto& tier : tiers_.by_priority()) {
    if (endpoint_entry* e = pick_in(tier.first, accepts)) return e;
  }
  return nullptr;
}

template <class Accepts>
endpoint_entry* selector::pick_in(std::uint16_t tier, const Accepts& accepts) noexcept {
  return lighter_by_weight(
      usable_, [&](const endpoint_entry& e) { return e.priority == tier && accepts(e); });
}

// Walks from a random place and takes the lighter of the first two that fit. Were only every third
// one acceptable, the walk would favour none but those behind a gap; good enough off the hot path.
template <class Accepts>
endpoint_entry* selector::lighter_of_two(const Accepts& accepts) noexcept {
  if (unweighed_) weigh();
  if (weighted_) return lighter_by_weight(serving_, accepts);
  const auto n = static_cast<std::uint32_t>(serving_.size());
  if (n == 0) return nullptr;
  if (n > 1) {
    const auto two = random_.two_below(n);
    endpoint_entry* a = serving_[two.first];
    endpoint_entry* b = serving_[two.second];
    if (accepts(*a) && accepts(*b)) return b->load() < a->load() ? b : a;
  }
  endpoint_entry* found = nullptr;
  const std::uint32_t start = random_.below(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    endpoint_entry* e = serving_[(start + i) % n];
    if (!accepts(*e)) continue;
    if (found != nullptr) return e->load() < found->load() ? e : found;
    found = e;
  }
  return found;
}

// Two draws by weight in one pass: each one met takes the place with its share of all met so far.
template <class Accepts>
endpoint_entry* selector::lighter_by_weight(const std::vector<endpoint_entry*>& from,
                                            const Accepts& accepts) noexcept {
  endpoint_entry* a = nullptr;
  endpoint_entry* b = nullptr;
  std::uint64_t met = 0;
  for (endpoint_entry* e : from) {
    if (!accepts(*e)) continue;
    met += share(*e);
    if (random_.next() % met < share(*e)) a = e;
    if (random_.next() % met < share(*e)) b = e;
  }
  if (a == b) return a;
  return suits_better(*b, b->load(), *a, a->load()) ? b : a;
}

}  // namespace redial::inline REDIAL_ABI::detail
