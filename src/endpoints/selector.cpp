// SPDX-License-Identifier: Apache-2.0
#include "endpoints/selector.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

selector::selector(std::uint64_t seed, const endpoint_rules& rules)
    : random_(seed), policy_(rules) {
  set_weighted(false);
}

void selector::admit(endpoint_entry& e) {
  BOOST_ASSERT(!e.is_usable());
  if (usable_.size() == usable_.capacity()) {
    const std::size_t room = std::max<std::size_t>(16, 2 * usable_.size());
    maybe_idle_.reserve(room);
    serving_.reserve(room);
    shares_.reserve(room);
    by_weight_.reserve(room);
    policy_.reserve(room);
    usable_.reserve(room);
  }
  e.counted_up = !is_down(e);
  tiers_.join(e.priority, e.counted_up);
  e.usable_at = static_cast<std::uint32_t>(usable_.size());
  e.maybe_idle_at = endpoint_entry::standing_by;
  usable_.push_back(&e);
  if (!settle() && range_ && range_->contains(e.priority)) enter(e);
}

void selector::remove(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.is_usable());
  if (e.is_serving()) leave(e);
  e.maybe_idle_at = endpoint_entry::nowhere;
  endpoint_entry* last = usable_.back();
  usable_[e.usable_at] = last;
  last->usable_at = e.usable_at;
  usable_.pop_back();
  e.usable_at = endpoint_entry::nowhere;
  tiers_.leave(e.priority, e.counted_up);
  settle();
}

void selector::change(endpoint_entry& e, std::uint16_t priority, std::uint16_t weight) {
  BOOST_ASSERT(e.is_usable());
  tiers_.join(priority, e.counted_up);
  tiers_.leave(e.priority, e.counted_up);
  if (e.is_serving()) leave(e);
  e.priority = priority;
  e.weight = weight;
  if (!settle() && range_ && range_->contains(priority)) enter(e);
}

void selector::judge(endpoint_entry& e) noexcept {
  const bool up = !is_down(e);
  if (!e.is_usable() || up == e.counted_up) return;
  e.counted_up = up;
  tiers_.turn(e.priority, up);
  settle();
}

void selector::hold_behind(std::optional<std::uint16_t> priority) noexcept {
  held_behind_ = priority;
  settle();
}

// True when other tiers serve now; then everybody is where they belong.
bool selector::settle() noexcept {
  const auto next = tiers_.choose(is_serving(), held_behind_);
  if (next == range_) return false;
  range_ = next;
  while (!serving_.empty()) leave(*serving_.back());
  for (endpoint_entry* e : usable_) {
    if (range_ && range_->contains(e->priority)) enter(*e);
  }
  return true;
}

void selector::enter(endpoint_entry& e) noexcept {
  ++changes_;
  if (!serving_.empty() && serving_.front()->weight != e.weight) set_weighted(true);
  unweighed_ = weighted_;
  e.serving_at = static_cast<std::uint32_t>(serving_.size());
  serving_.push_back(&e);
  policy_.enter(e, random_);
  e.maybe_idle_at = endpoint_entry::nowhere;
  if (e.idle != 0) gained_idle(e);
  draw_anew();
}

void selector::leave(endpoint_entry& e) noexcept {
  ++changes_;
  if (e.maybe_idle_at != endpoint_entry::nowhere) strike_out(e);
  e.maybe_idle_at = endpoint_entry::standing_by;
  if (starved_ == &e) starved_ = nullptr;
  policy_.leave(e.serving_at);
  endpoint_entry* last = serving_.back();
  serving_[e.serving_at] = last;
  last->serving_at = e.serving_at;
  serving_.pop_back();
  e.serving_at = endpoint_entry::nowhere;
  if (serving_.empty()) set_weighted(false);
  unweighed_ = weighted_;
  draw_anew();
}

void selector::draw_anew() noexcept {
  next_ = serving_.empty() ? couple{} : some_two();
  later_ = serving_.empty() ? couple{} : some_two();
}

void selector::strike_out(endpoint_entry& e) noexcept {
  endpoint_entry* last = maybe_idle_.back();
  maybe_idle_[e.maybe_idle_at] = last;
  last->maybe_idle_at = e.maybe_idle_at;
  maybe_idle_.pop_back();
  e.maybe_idle_at = endpoint_entry::nowhere;
}

endpoint_entry* selector::pick_idle_specially() noexcept {
  const auto all = [](const endpoint_entry&) { return true; };
  if (policy_.takes_turns()) return pick_idle(all);
  if (policy_.has_chooser()) {
    endpoint_entry* home = pick_home({}, all);
    if (home != nullptr) return home->idle != 0 ? home : nullptr;
  }
  return weighted_ ? pick_idle_by_weight() : pick_idle_of_two();
}

endpoint_entry* selector::any_idle() noexcept {
  while (!maybe_idle_.empty()) {
    const auto n = static_cast<std::uint32_t>(maybe_idle_.size());
    endpoint_entry* e = maybe_idle_[random_.below(n)];
    if (e->idle != 0) return e;
    strike_out(*e);
  }
  return nullptr;
}

endpoint_entry* selector::idle_bystander() const noexcept {
  if (usable_.size() == serving_.size()) return nullptr;
  const auto it = std::find_if(usable_.begin(), usable_.end(), [](const endpoint_entry* e) {
    return !e->is_serving() && e->idle != 0;
  });
  return it == usable_.end() ? nullptr : *it;
}

}  // namespace redial::inline REDIAL_ABI::detail
