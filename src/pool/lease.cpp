// SPDX-License-Identifier: Apache-2.0
#include <redial/pool/lease.hpp>

#include "pool/pool_state.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

// What these read does not change during a lease.
pooled_connection* lease_base::connection() const noexcept { return slot_->connection.get(); }
const endpoint& lease_base::where() const noexcept { return slot_->home->where; }
std::uint64_t lease_base::endpoint_id() const noexcept { return slot_->home->id; }
std::uint64_t lease_base::connection_id() const noexcept { return slot_->number; }
bool lease_base::is_reused() const noexcept { return slot_->leases > 1; }

void lease_base::finish(lease_end how, error_code why) noexcept {
  if (how == lease_end::returned) return give_back();
  pool_slot& s = *std::exchange(slot_, nullptr);
  s.pool->end_lease(s, how, why);
}

std::shared_ptr<pooled_connection> lease_base::take(lease_end how, error_code why) noexcept {
  BOOST_ASSERT(how != lease_end::returned && how != lease_end::unwell);
  if (slot_ == nullptr) return nullptr;
  std::shared_ptr<pooled_connection> taken;
  pool_slot& s = *std::exchange(slot_, nullptr);
  s.pool->end_lease(s, how, why, &taken);
  return taken;
}

void lease_base::keep_until(time_point t) noexcept {
  slot_->keep_until.store(t.time_since_epoch().count(), std::memory_order_relaxed);
  slot_->kept = true;
}

void lease_base::observe(std::weak_ptr<lease_observer> observer) noexcept {
  slot_->pool->observe(*slot_, std::move(observer));
}

}  // namespace redial::inline REDIAL_ABI::detail
