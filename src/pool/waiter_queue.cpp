// SPDX-License-Identifier: Apache-2.0
#include "pool/waiter_queue.hpp"

namespace redial::inline REDIAL_ABI::detail {

void waiter_queue::add(ticket t, waiter w) {
  const bool picky = w.is_picky();
  const auto at = deadlines_.emplace(w.deadline, t).first;
  try {
    waiters_.emplace(t, std::move(w));
  } catch (...) {
    deadlines_.erase(at);
    throw;
  }
  if (picky) ++picky_;
}

bool waiter_queue::remove(ticket t) {
  const auto it = waiters_.find(t);
  if (it == waiters_.end()) return false;
  if (it->second.is_picky()) --picky_;
  deadlines_.erase({it->second.deadline, t});
  waiters_.erase(it);
  return true;
}

std::optional<ticket> waiter_queue::expired(time_point now) const noexcept {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return deadlines_.begin()->second;
}

std::optional<time_point> waiter_queue::next_deadline() const noexcept {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

}  // namespace redial::inline REDIAL_ABI::detail
