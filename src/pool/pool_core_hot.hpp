// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few steps of a checkout and a return, inline, so that each compiles into one short function.

#include <redial/core/abi.hpp>

#include "pool/idle_list.hpp"
#include "pool/pool_core.hpp"

#include <boost/assert.hpp>
#include <boost/config.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

constexpr bool holds_lease(slot_state s) noexcept {
  return s == slot_state::leased || s == slot_state::draining;
}

inline bool pool_core::needs_check(const pool_slot& s) const noexcept {
  return s.watch == watching::no;
}
inline bool pool_core::is_short_of_spares(const pool_slot& s) const noexcept {
  return s.home->idle < options_.min_idle && !eager_;
}

// Behind `become`, the only writer of a slot's state. With both states known to the compiler,
// little of it is left.
BOOST_FORCEINLINE void pool_core::shift(pool_slot& s,
                                        endpoint_entry& e,
                                        slot_state last,
                                        slot_state next) noexcept {
  BOOST_ASSERT(s.state == last && s.home == &e);
  --counts_[static_cast<std::size_t>(last)];
  ++counts_[static_cast<std::size_t>(next)];
  s.state = next;
  if (last == slot_state::idle) {
    remove_idle(e, s);
  } else if (last == slot_state::opening) {
    --e.opening;
    if (std::exchange(s.overdue, false)) --e.overdue;
  } else if (last == slot_state::vacant) {
    ++e.connections;
  }
  if (holds_lease(last) != holds_lease(next)) e.leases += holds_lease(next) ? 1U : ~0U;
  if (next == slot_state::idle) {
    BOOST_ASSERT(e.is_usable());
    const bool rested_longer = e.idle_top != nullptr && e.idle_top->idle_since > s.idle_since;
    rested_longer ? push_idle_bottom(e, s) : push_idle(e, s);
    if (e.idle == 1) table_.choice().gained_idle(e);
  } else if (next == slot_state::opening) {
    ++e.opening;
  } else if (next == slot_state::vacant) {
    --e.connections;
  }
}

BOOST_FORCEINLINE void pool_core::lent(pool_slot& s, endpoint_entry& e) noexcept {
  ++s.leases;
  if (BOOST_LIKELY(e.presence == standing::present)) return;
  if (e.has_departed()) {
    ++counters_.retained_leases;
    s.retained = true;
  }
  e.last_leased = coarse_now_;
}

inline bool pool_core::is_undated(const pool_slot& s) const noexcept {
  return s.home->presence != standing::present && !is_ticking();
}

BOOST_FORCEINLINE bool pool_core::needs_attention(const pool_slot& s) const noexcept {
  return needs_check(s) || is_short_of_spares(s) || table_.choice().is_starving() || is_undated(s);
}

inline bool pool_core::has_rested_too_long(const pool_slot& s, time_point now) const noexcept {
  return now - s.idle_since > options_.idle_check_after;
}

inline void pool_core::date_lease(pool_slot& s, time_point now) noexcept {
  coarse_now_ = now;
  if (s.home->presence != standing::present) s.home->last_leased = now;
}

BOOST_FORCEINLINE pool_slot& pool_core::lend_top(endpoint_entry& e) noexcept {
  pool_slot& s = *e.idle_top;
  ++found_idle_;
  shift(s, e, slot_state::idle, slot_state::leased);
  lent(s, e);
  return s;
}

BOOST_FORCEINLINE pool_slot* pool_core::take_idle() noexcept {
  endpoint_entry* e = table_.choice().pick_idle();
  if (BOOST_UNLIKELY(table_.is_ramping()) && e != nullptr) e = &ease_in(*e);
  return e != nullptr ? &lend_top(*e) : nullptr;
}

BOOST_FORCEINLINE void pool_core::rest(pool_slot& s, slot_state last, time_point since) noexcept {
  if (s.idle_since != since) s.idle_since = since;  // a store less, mostly
  if (BOOST_UNLIKELY(!s.armed && !s.listed && s.watch != watching::no)) list_unwatched(s);
  if (!active_) active_ = true;
  shift(s, *s.home, last, slot_state::idle);
}

BOOST_FORCEINLINE bool pool_core::give_back(pool_slot& s) noexcept {
  if (s.state != slot_state::leased || eager_ || s.home->suspect) return false;
  if (tick_at_ == never || s.expires_at < scan_at_) return false;
  if (scan_at_ == never && idle_limited_) return false;
  if (sweep_at_ == never && !s.armed && s.watch != watching::no) return false;
  if (BOOST_UNLIKELY(s.observed)) s.forget_observer();
  if (s.kept) s.forget_kept();
  rest(s, slot_state::leased, coarse_now_);
  return true;
}

}  // namespace redial::inline REDIAL_ABI::detail
