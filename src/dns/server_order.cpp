// SPDX-License-Identifier: Apache-2.0
#include "dns/server_order.hpp"

#include <algorithm>
#include <random>

namespace redial::inline REDIAL_ABI::detail {

bool server_order::on_answer(int timeouts, time_point now) {
  if (timeouts <= 0 || servers_.empty()) return false;
  // After a whole round it was the first one again: a lost datagram, not a silent server.
  const auto silent = static_cast<std::size_t>(timeouts) % servers_.size();
  if (silent == 0) return false;
  if (not_before_ && now < *not_before_) return false;
  const bool flaps = not_before_ && now < after(*not_before_, calm);
  interval_ = flaps ? std::min(2 * interval_, longest_interval) : first_interval;
  not_before_ = after(now, interval_);
  const auto first = servers_.begin() + static_cast<std::ptrdiff_t>(silent);
  std::rotate(servers_.begin(), first, servers_.end());
  return true;
}

// By hand: std::shuffle differs between standard libraries.
void server_order::shuffle(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  for (std::size_t left = servers_.size(); left > 1; --left) {
    std::swap(servers_[left - 1], servers_[static_cast<std::size_t>(random() % left)]);
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
