// SPDX-License-Identifier: Apache-2.0
#pragma once

// The policies beside "less loaded of two": turns, keys, and one's own.

#include <redial/endpoints/balancing.hpp>

#include "endpoints/endpoint_entry.hpp"
#include "endpoints/endpoint_hash.hpp"
#include "endpoints/fast_random.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What a pool's policy remembers about each endpoint that serves, at the same place as in the
/// selector's list of them, which is handed in as `serving`. `shares`: theirs by weight, or null
/// while all are equal. All lists have room for what `reserve` was told.
class balancer {
 public:
  using entries = std::vector<endpoint_entry*>;
  using share_list = std::vector<std::uint64_t>;

  explicit balancer(const endpoint_rules& rules);

  [[nodiscard]] bool takes_turns() const noexcept { return takes_turns_; }
  [[nodiscard]] bool has_chooser() const noexcept { return chooser_ != nullptr; }
  /// It has a say about where a caller with this key goes.
  [[nodiscard]] bool guides(const endpoint_key& key) const noexcept {
    return chooser_ != nullptr || (by_key_ && key);
  }
  /// Can give a connection by itself: at once, or when a connect there ends well.
  [[nodiscard]] bool can_serve(const endpoint_entry& e) const noexcept {
    if (e.idle != 0 || (e.failures == 0 && e.overdue == 0 && may_grow(e))) return true;
    return e.coming() > e.overdue;
  }
  /// Nothing idle, nothing on its way, and calls would go there.
  [[nodiscard]] bool is_starved(const endpoint_entry& e) const noexcept {
    return e.idle == 0 && e.opening == 0 && may_grow(e);
  }

  void reserve(std::size_t n);
  /// The last one of `serving`.
  void enter(const endpoint_entry& e, fast_random& random) noexcept;
  /// The last one takes its place.
  void leave(std::size_t place) noexcept;
  /// The shares of those that serve are known anew.
  void weigh(const share_list& shares, fast_random& random) noexcept;

  /// Whose turn it is of those that `accepts`. Those without an idle connection whose turn it was
  /// before lose it: `starved`.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* take_turn(const entries& serving,
                                          const Accepts& accepts,
                                          endpoint_entry*& starved) noexcept;
  /// Who is to be connected to next of those that `accepts`. Nobody's turn passes.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* next_turn(const entries& serving,
                                          const Accepts& accepts) const noexcept;
  /// It was lent without being asked for by its turn.
  void spend_turn(std::size_t place) noexcept;

  /// Where `key` belongs, of those that `wants` and that can serve or are `at_hand`. `first`: where
  /// it would belong if all could serve. `starved`: who was passed over and should be asked again.
  template <class Wants>
  [[nodiscard]] endpoint_entry* by_key(const entries& serving,
                                       const share_list* shares,
                                       const endpoint_key& key,
                                       const Wants& wants,
                                       const endpoint_entry* at_hand,
                                       endpoint_entry*& first,
                                       endpoint_entry*& starved) const noexcept;
  /// The same by the user's policy.
  template <class Wants>
  [[nodiscard]] endpoint_entry* by_chooser(const entries& serving,
                                           const endpoint_key& key,
                                           const Wants& wants,
                                           const endpoint_entry* at_hand,
                                           fast_random& random) noexcept;

 private:
  struct turn {
    std::uint64_t due;
    std::uint64_t stride;
  };
  static constexpr std::uint64_t mean_stride = std::uint64_t{1} << 32U;

  [[nodiscard]] bool may_grow(const endpoint_entry& e) const noexcept {
    return e.connections < max_connections_ && (!e.doubted || identity_proven_);
  }
  [[nodiscard]] turn some_turn(std::uint64_t stride, fast_random& random) const noexcept;
  void offer(endpoint_entry& e, bool at_hand) noexcept;
  [[nodiscard]] endpoint_entry* ask(const endpoint_key& key, std::uint64_t random) noexcept;

  const bool takes_turns_;
  const bool by_key_;
  const bool identity_proven_;
  const std::size_t max_connections_;
  const std::shared_ptr<endpoint_chooser> chooser_;

  std::uint64_t now_ = 0;  // the last turn taken
  std::vector<turn> turns_;
  std::vector<std::uint64_t> hashes_;
  std::vector<candidate> candidates_;  // scratch
  entries offered_;                    // scratch
};

template <class Accepts>
endpoint_entry* balancer::take_turn(const entries& serving,
                                    const Accepts& accepts,
                                    endpoint_entry*& starved) noexcept {
  const std::size_t n = serving.size();
  std::size_t found = n;
  bool passed_over = false;
  for (std::size_t i = 0; i < n; ++i) {
    if (found != n && turns_[i].due >= turns_[found].due) continue;
    accepts(*serving[i]) ? found = i : passed_over = true;
  }
  if (found == n) return nullptr;
  now_ = turns_[found].due;
  for (std::size_t i = 0; passed_over && i < n; ++i) {
    if (turns_[i].due >= now_ || serving[i]->idle != 0) continue;
    turns_[i].due = std::max(turns_[i].due + turns_[i].stride, now_);
    if (is_starved(*serving[i])) starved = serving[i];
  }
  turns_[found].due += turns_[found].stride;
  return serving[found];
}

template <class Accepts>
endpoint_entry* balancer::next_turn(const entries& serving, const Accepts& accepts) const noexcept {
  endpoint_entry* found = nullptr;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < serving.size(); ++i) {
    const std::uint64_t due = turns_[i].due + serving[i]->opening * turns_[i].stride;
    if ((found != nullptr && due >= first) || !accepts(*serving[i])) continue;
    found = serving[i];
    first = due;
  }
  return found;
}

template <class Wants>
endpoint_entry* balancer::by_key(const entries& serving,
                                 const share_list* shares,
                                 const endpoint_key& key,
                                 const Wants& wants,
                                 const endpoint_entry* at_hand,
                                 endpoint_entry*& first,
                                 endpoint_entry*& starved) const noexcept {
  first = nullptr;
  endpoint_entry* home = nullptr;
  // Whoever has the highest number wins, so only the few that are the highest so far are looked at.
  const auto scan = [&](auto lowest, const auto& number) {
    auto of_first = lowest;
    auto of_home = lowest;
    for (std::size_t i = 0; i < serving.size(); ++i) {
      const auto n = number(mix(hashes_[i] ^ key.value()), i);
      if ((home != nullptr && n <= of_home) || !wants(*serving[i])) continue;
      if (first == nullptr || n > of_first) {
        first = serving[i];
        of_first = n;
      }
      if (!can_serve(*serving[i]) && serving[i] != at_hand) continue;
      home = serving[i];
      of_home = n;
    }
  };
  if (shares == nullptr) {
    scan(std::uint64_t{0}, [](std::uint64_t n, std::size_t) { return n; });
  } else {
    scan(0.0, [shares](std::uint64_t n, std::size_t i) {
      const double unit = (static_cast<double>(n >> 11U) + 0.5) * 0x1.0p-53;
      return std::log(unit) / static_cast<double>((*shares)[i]);
    });
  }
  if (first != home && is_starved(*first)) starved = first;
  return home;
}

template <class Wants>
endpoint_entry* balancer::by_chooser(const entries& serving,
                                     const endpoint_key& key,
                                     const Wants& wants,
                                     const endpoint_entry* at_hand,
                                     fast_random& random) noexcept {
  offered_.clear();
  candidates_.clear();
  for (endpoint_entry* e : serving) {
    const bool here = e == at_hand;
    if (wants(*e) && (here || can_serve(*e))) offer(*e, here);
  }
  return offered_.empty() ? nullptr : ask(key, random.next());
}

}  // namespace redial::inline REDIAL_ABI::detail
