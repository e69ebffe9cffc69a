// SPDX-License-Identifier: Apache-2.0
#include "endpoints/selector.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace redial::detail {

void selector::admit(endpoint_entry& e) {
  BOOST_ASSERT(!e.is_usable());
  if (usable_.size() == usable_.capacity()) {
    const std::size_t room = std::max<std::size_t>(16, 2 * usable_.size());
    maybe_idle_.reserve(room);
    usable_.reserve(room);
  }
  e.usable_at = static_cast<std::uint32_t>(usable_.size());
  usable_.push_back(&e);
  if (e.idle != 0) gained_idle(e);
}

void selector::remove(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.is_usable());
  if (e.maybe_idle_at != endpoint_entry::nowhere) strike_out(e);
  if (starved_ == &e) starved_ = nullptr;
  endpoint_entry* last = usable_.back();
  usable_[e.usable_at] = last;
  last->usable_at = e.usable_at;
  usable_.pop_back();
  e.usable_at = endpoint_entry::nowhere;
}

void selector::strike_out(endpoint_entry& e) noexcept {
  endpoint_entry* last = maybe_idle_.back();
  maybe_idle_[e.maybe_idle_at] = last;
  last->maybe_idle_at = e.maybe_idle_at;
  maybe_idle_.pop_back();
  e.maybe_idle_at = endpoint_entry::nowhere;
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

}  // namespace redial::detail
