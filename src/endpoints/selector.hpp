// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which endpoint serves next: of the serving tier, the less loaded of two random ones. Costs the
// same for three endpoints and for a thousand. The other policies: balancer.hpp.

#include <redial/core/abi.hpp>

#include "endpoints/alias_table.hpp"
#include "endpoints/balancer.hpp"
#include "endpoints/endpoint_entry.hpp"
#include "endpoints/fast_random.hpp"
#include "endpoints/tiers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Invariants: `usable_` holds the endpoints that may be leased, without order, and `serving_`
/// those of them whose tier serves (see tiers.hpp); `maybe_idle_` holds at least those serving that
/// have an idle connection. One that has lost its last one stays listed until somebody looks there,
/// so that lending and returning the same connection writes nothing here; every entry struck out
/// was put in by a return, so looking is O(1) on average. An entry knows its place in each. All
/// lists have room for all of `usable_`, so that only `admit` allocates.
///
/// While all that serve have the same weight, weights cost nothing; else see selector_weights.cpp.
class selector {
 public:
  explicit selector(std::uint64_t seed, const endpoint_rules& rules = {});

  void admit(endpoint_entry& e);
  void remove(endpoint_entry& e) noexcept;
  /// Another priority or weight for one that was admitted.
  void change(endpoint_entry& e, std::uint16_t priority, std::uint16_t weight);
  /// After anything that `is_down(e)` looks at.
  void judge(endpoint_entry& e) noexcept;
  /// As long as nobody serves, tiers worse than this one do not begin to; nothing: any tier does.
  void hold_behind(std::optional<std::uint16_t> priority) noexcept;
  /// After `e.idle` became non-zero.
  void gained_idle(endpoint_entry& e) noexcept {
    if (e.maybe_idle_at != endpoint_entry::nowhere) return;
    e.maybe_idle_at = static_cast<std::uint32_t>(maybe_idle_.size());
    maybe_idle_.push_back(&e);
  }

  /// The endpoint whose idle connection is lent next; null when there is none.
  [[nodiscard]] endpoint_entry* pick_idle() noexcept {
    if (special_) [[unlikely]]
      return pick_idle_specially();
    return pick_idle_of_two();
  }
  /// A caller with this key belongs to one endpoint, if `pick_home` knows one.
  [[nodiscard]] bool guides(const endpoint_key& key) const { return policy_.guides(key); }
  /// `pick_home` may say something else each time.
  [[nodiscard]] bool is_moody() const noexcept { return policy_.has_chooser(); }
  /// The endpoint that such a caller is served by, or waits for, of those that it `wants` and that
  /// can serve or are `at_hand`; null: whichever. `first`: who it would be if all could serve,
  /// which it stays until `changes` does; null where a chooser decides.
  template <class Wants>
  [[nodiscard]] endpoint_entry* pick_home(const endpoint_key& key,
                                          const Wants& wants,
                                          const endpoint_entry* at_hand = nullptr,
                                          endpoint_entry** first = nullptr) noexcept;
  /// How often somebody began or ceased to serve.
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
  [[nodiscard]] bool can_serve(const endpoint_entry& e) const { return policy_.can_serve(e); }
  /// A connection of `e` went to a caller without being picked.
  void lent_directly(const endpoint_entry& e) noexcept {
    if (policy_.takes_turns() && e.is_serving()) policy_.spend_turn(e.serving_at);
  }

  /// An endpoint that `pick_idle` would have liked, were there an idle connection to it. As long as
  /// others have idle ones nobody would ever connect to it, so the pool does, for the next caller.
  /// Null when there is none; asking forgets it.
  [[nodiscard]] endpoint_entry* take_starved() noexcept { return std::exchange(starved_, nullptr); }
  [[nodiscard]] bool is_starving() const noexcept { return starved_ != nullptr; }

  /// The same among those that `accepts(const endpoint_entry&)`; looks at all of them if it must.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick_idle(const Accepts& accepts) noexcept {
    if (!policy_.takes_turns()) return pick_spare(accepts);
    if (unweighed_) weigh();
    return policy_.take_turn(
        serving_, [&](const endpoint_entry& e) { return e.idle != 0 && accepts(e); }, starved_);
  }
  /// The same for closing its idle connection: no turn is taken, nobody is asked.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick_spare(const Accepts& accepts) noexcept {
    return lighter_of_two([&](const endpoint_entry& e) { return e.idle != 0 && accepts(e); });
  }
  /// The endpoint to connect to next among those that `accepts`: fewer leases and connects. When
  /// several tiers serve because all are down, the best one first.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick(const Accepts& accepts) noexcept;
  /// The same in one tier, whether it serves or not.
  template <class Accepts>
  [[nodiscard]] endpoint_entry* pick_in(std::uint16_t tier, const Accepts& accepts) noexcept;

  [[nodiscard]] const std::vector<endpoint_entry*>& usable() const noexcept { return usable_; }
  /// The tiers that serve: one, or all when all are down. Nothing: nobody serves.
  [[nodiscard]] const std::optional<tier_range>& range() const noexcept { return range_; }
  [[nodiscard]] bool is_serving() const noexcept { return range_.has_value(); }
  /// There is a better tier, and it is down.
  [[nodiscard]] bool is_degraded() const noexcept {
    return range_ && tiers_.by_priority().begin()->first < range_->best;
  }
  [[nodiscard]] bool has_idle() noexcept { return any_idle() != nullptr; }
  /// One that does not serve and has an idle connection; null when there is none.
  [[nodiscard]] endpoint_entry* idle_bystander() const noexcept;
  [[nodiscard]] fast_random& random() noexcept { return random_; }

 private:
  endpoint_entry* any_idle() noexcept;
  void strike_out(endpoint_entry& e) noexcept;
  void enter(endpoint_entry& e) noexcept;
  void leave(endpoint_entry& e) noexcept;
  bool settle() noexcept;

  /// Of those that serve; twice the same when there is one, nobody when there is none.
  struct couple {
    endpoint_entry* first = nullptr;
    endpoint_entry* second = nullptr;
  };
  couple some_two() noexcept;
  endpoint_entry* pick_idle_of_two() noexcept;
  void draw_ahead() noexcept;
  void draw_anew() noexcept;
  endpoint_entry* pick_idle_specially() noexcept;
  void set_weighted(bool yes) noexcept {
    weighted_ = yes;
    special_ = yes || policy_.takes_turns() || policy_.has_chooser();
  }

  // selector_weights.cpp
  endpoint_entry* pick_idle_by_weight() noexcept;
  void weigh() noexcept;
  [[nodiscard]] std::uint64_t share(const endpoint_entry& e) const noexcept {
    return e.weight == 0 ? 1U : e.weight * zeros_;
  }
  [[nodiscard]] bool suits_better(const endpoint_entry& second,
                                  std::uint64_t second_load,
                                  const endpoint_entry& first,
                                  std::uint64_t first_load) const noexcept {
    return (second_load + 1) * share(first) <= first_load * share(second);
  }

  template <class Accepts>
  endpoint_entry* lighter_of_two(const Accepts& accepts) noexcept;
  template <class Accepts>
  endpoint_entry* lighter_by_weight(const std::vector<endpoint_entry*>& from,
                                    const Accepts& accepts) noexcept;

  // What every choice writes, and the list that it draws from: together in one cache line.
  // Who is chosen from next, and after that; drawn anew when others serve.
  alignas(64) couple next_;
  couple later_;
  fast_random random_;
  endpoint_entry* starved_ = nullptr;
  std::vector<endpoint_entry*> serving_;
  std::vector<endpoint_entry*> maybe_idle_;
  bool special_ = false;     // weighted, or a policy decides about every caller
  bool weighted_ = false;    // those that serve differ in weight
  bool unweighed_ = false;   // `by_weight_` is out of date
  std::uint64_t zeros_ = 1;  // how many that serve have weight 0; 1 if none
  std::vector<endpoint_entry*> usable_;
  tiers tiers_;
  std::optional<tier_range> range_;
  std::optional<std::uint16_t> held_behind_;
  alias_table by_weight_;
  std::vector<std::uint64_t> shares_;  // of those that serve, once weighed
  std::uint64_t changes_ = 1;          // 0 is before all of them
  balancer policy_;
};

}  // namespace redial::inline REDIAL_ABI::detail

#include "endpoints/selector_choices.hpp"  // IWYU pragma: export
