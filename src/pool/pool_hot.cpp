// SPDX-License-Identifier: Apache-2.0
// Checkout and return of an idle connection: one uncontended lock each, and little else.

#include "pool/pool_core_hot.hpp"
#include "pool/pool_state.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

inline pool_slot* pool_state::quick_checkout() noexcept {
  verify_process();
  pool_slot* s = nullptr;
  {
    const std::lock_guard lock(mutex_);
    s = core_.take_idle();
    if (BOOST_UNLIKELY(s == nullptr)) return nullptr;
    if (BOOST_LIKELY(!core_.needs_attention(*s))) return s;
  }
  return checked(*s, nullptr);
}

inline void pool_state::give_back(pool_slot& s) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (BOOST_LIKELY(core_.give_back(s))) return;
  }
  give_back_with_care(s);
}

BOOST_NOINLINE void pool_state::give_back_with_care(pool_slot& s) noexcept {
  end_lease(s, lease_end::returned, {});
}

pool_slot* pool_base::quick_checkout() noexcept { return state_->quick_checkout(); }

void lease_base::give_back() noexcept {
  pool_slot& s = *std::exchange(slot_, nullptr);
  s.pool->give_back(s);
}

}  // namespace redial::inline REDIAL_ABI::detail
