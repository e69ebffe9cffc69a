// SPDX-License-Identifier: Apache-2.0
#pragma once

// The idle connections of one endpoint: last returned, first lent. Those at the bottom rest until
// `idle_timeout` and so follow the load down.

#include <redial/core/abi.hpp>

#include "pool/pool_slot.hpp"

namespace redial::inline REDIAL_ABI::detail {

inline void push_idle(endpoint_entry& e, pool_slot& s) noexcept {
  s.below = e.idle_top;
  (e.idle_top != nullptr ? e.idle_top->above : e.idle_bottom) = &s;
  e.idle_top = &s;
  ++e.idle;
}

/// Below all others: for one that has rested longer than they. There must be others.
inline void push_idle_bottom(endpoint_entry& e, pool_slot& s) noexcept {
  s.below = nullptr;
  s.above = e.idle_bottom;
  e.idle_bottom->below = &s;
  e.idle_bottom = &s;
  ++e.idle;
}

inline void remove_idle(endpoint_entry& e, pool_slot& s) noexcept {
  const bool is_top = e.idle_top == &s;
  (is_top ? e.idle_top : s.above->below) = s.below;
  if (e.idle_bottom == &s) {
    e.idle_bottom = is_top ? nullptr : s.above;
  } else if (!is_top) {
    s.below->above = s.above;
  }
  --e.idle;
}

}  // namespace redial::inline REDIAL_ABI::detail
