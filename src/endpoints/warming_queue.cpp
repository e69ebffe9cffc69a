// SPDX-License-Identifier: Apache-2.0
#include "endpoints/warming_queue.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

void warming_queue::add(const std::vector<endpoint_entry*>& newcomers, time_point now) {
  struct families {
    std::vector<endpoint_entry*> v6, v4;
  };
  std::map<std::uint16_t, families> tiers;
  for (endpoint_entry* e : newcomers) {
    families& tier = tiers[e->priority];
    (e->where.addr.is_v6() ? tier.v6 : tier.v4).push_back(e);
  }
  for (const auto& [priority, tier] : tiers) {
    for (std::size_t i = 0; i < std::max(tier.v6.size(), tier.v4.size()); ++i) {
      if (i < tier.v6.size()) enqueue(*tier.v6[i], now);
      if (i < tier.v4.size()) enqueue(*tier.v4[i], now);
    }
  }
}

void warming_queue::change_priority(endpoint_entry& e, std::uint16_t priority) {
  if (e.warming_order == 0) {
    e.priority = priority;
    return;
  }
  auto node = waiting_.extract(key_of(e));
  e.priority = priority;
  node.key() = key_of(e);
  waiting_.insert(std::move(node));
}

void warming_queue::enqueue(endpoint_entry& e, time_point due) {
  e.warming_due = due;
  e.warming_order = ++order_;
  waiting_.emplace(key_of(e), &e);
}

void warming_queue::remove(endpoint_entry& e) noexcept {
  if (e.warming_now) left(e);
  if (e.warming_order == 0) return;
  waiting_.erase(key_of(e));
  e.warming_order = 0;
}

void warming_queue::left(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.warming_now && under_way_ > 0);
  e.warming_now = false;
  --under_way_;
}

// The first that may be connected to in the best rank that is not better than `rank`.
warming_queue::waiting::const_iterator warming_queue::first_of(std::uint32_t rank) const noexcept {
  return std::find_if(waiting_.lower_bound({rank, time_point::min(), 0}),
                      waiting_.end(),
                      [this](const auto& w) { return may_connect(*w.second); });
}

std::optional<time_point> warming_queue::due() const noexcept {
  if (under_way_ >= rules_.max_warming) return std::nullopt;
  std::optional<time_point> first;
  for (auto it = first_of(0); it != waiting_.end(); it = beyond(it)) {
    first = std::min(first.value_or(time_point::max()), it->second->warming_due);
  }
  return first && cold_ ? std::max(*first, cold_next_) : first;
}

warming_queue::waiting::const_iterator warming_queue::ready(time_point now) const noexcept {
  auto it = first_of(0);
  while (it != waiting_.end() && it->second->warming_due > now) {
    it = beyond(it);
  }
  return it;
}

bool warming_queue::is_ready(time_point now) const noexcept {
  const auto when = due();
  return when && *when <= now;
}

endpoint_entry& warming_queue::take(time_point now) {
  BOOST_ASSERT(is_ready(now));
  const auto it = ready(now);
  endpoint_entry& e = *it->second;
  waiting_.erase(it);
  e.warming_order = 0;
  e.warming_now = true;
  ++under_way_;
  cold_next_ = after(now, rules_.warm_stagger);
  return e;
}

void warming_queue::succeeded(endpoint_entry& e) noexcept {
  if (e.warming_now) left(e);
  remove(e);
  cold_ = false;
}

void warming_queue::failed(endpoint_entry& e, time_point now, fast_random& random) {
  left(e);
  cold_next_ = now;
  e.warming_again = true;
  enqueue(e, after(now, backoff(rules_.backoff_base, rules_.backoff_max, e.failures, random)));
}

void warming_queue::again(endpoint_entry& e, time_point due) {
  if (e.warming_now) cold_next_ = time_point::min();  // as after any failure
  remove(e);
  e.warming_again = true;
  enqueue(e, due);
}

}  // namespace redial::inline REDIAL_ABI::detail
