// SPDX-License-Identifier: Apache-2.0
#include "endpoints/warming_queue.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace redial::detail {

void warming_queue::add(const std::vector<endpoint_entry*>& newcomers, time_point now) {
  std::vector<endpoint_entry*> v6;
  std::vector<endpoint_entry*> v4;
  for (endpoint_entry* e : newcomers) (e->where.addr.is_v6() ? v6 : v4).push_back(e);
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) enqueue(*v6[i], now);
    if (i < v4.size()) enqueue(*v4[i], now);
  }
}

void warming_queue::enqueue(endpoint_entry& e, time_point due) {
  e.warming_due = due;
  e.warming_order = ++order_;
  waiting_.emplace(std::pair{due, e.warming_order}, &e);
}

void warming_queue::remove(endpoint_entry& e) noexcept {
  if (e.warming_now) left(e);
  if (e.warming_order == 0) return;
  waiting_.erase(std::pair{e.warming_due, e.warming_order});
  e.warming_order = 0;
}

void warming_queue::left(endpoint_entry& e) noexcept {
  BOOST_ASSERT(e.warming_now && under_way_ > 0);
  e.warming_now = false;
  --under_way_;
}

warming_queue::waiting::const_iterator warming_queue::first() const noexcept {
  return std::find_if(
      waiting_.begin(), waiting_.end(), [this](const auto& w) { return may_connect(*w.second); });
}

std::optional<time_point> warming_queue::due() const noexcept {
  if (under_way_ >= rules_.max_warming) return std::nullopt;
  const auto it = first();
  if (it == waiting_.end()) return std::nullopt;
  return cold_ ? std::max(it->first.first, cold_next_) : it->first.first;
}

bool warming_queue::is_ready(time_point now) const noexcept {
  const auto when = due();
  return when && *when <= now;
}

endpoint_entry& warming_queue::take(time_point now) {
  BOOST_ASSERT(is_ready(now));
  const auto it = first();
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
  enqueue(e, after(now, backoff(rules_.backoff_base, rules_.backoff_max, e.failures, random)));
}

}  // namespace redial::detail
