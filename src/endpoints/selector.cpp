// SPDX-License-Identifier: Apache-2.0
#include "endpoints/selector.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace redial::detail {

void selector::admit(endpoint_entry& e) {
  BOOST_ASSERT(!e.is_usable());
  if (usable_.size() == usable_.capacity()) {
    const std::size_t room = std::max<std::size_t>(16, 2 * usable_.size());
    with_idle_.reserve(room);
    usable_.reserve(room);
  }
  e.usable_at = static_cast<std::uint32_t>(usable_.size());
  usable_.push_back(&e);
  if (e.idle != 0) gained_idle(e);
}

void selector::remove(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.is_usable());
  if (e.with_idle_at != endpoint_entry::nowhere) lost_idle(e);
  if (starved_ == &e) starved_ = nullptr;
  endpoint_entry* last = usable_.back();
  usable_[e.usable_at] = last;
  last->usable_at = e.usable_at;
  usable_.pop_back();
  e.usable_at = endpoint_entry::nowhere;
}

}  // namespace redial::detail
