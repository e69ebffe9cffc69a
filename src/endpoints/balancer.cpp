// SPDX-License-Identifier: Apache-2.0
// Sources and reasons:
//
// - Turns (Waldspurger and Weihl 1995, stride scheduling): everybody has a time when it is due, the
//   earliest serves and is due again one stride later; a stride is the inverse of a share. Equal
//   strides make it a round robin that stays one when endpoints come and go: a newcomer is due at a
//   random time of the round under way, so it neither catches up for the past nor is the next one
//   of every client at once. New weights start a new round in the same way.
// - Keys (Thaler and Ravishankar 1998, highest random weight): each endpoint has a number for each
//   key, and the highest one wins; without it the second wins, so nobody else's keys move. No table
//   that must be rebuilt, and any subset (not tried, able to serve) has its order at once. With
//   weights the number is ln(u)/share for u uniform in (0, 1): the highest one is that of endpoint
//   i with probability share(i)/sum.
// - A policy that keeps calls from an endpoint would never learn that it is back, so who is passed
//   over for failures gets a connection for later callers, as in the default policy.

#include "endpoints/balancer.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <numeric>

namespace redial::inline REDIAL_ABI::detail {

balancer::balancer(const endpoint_rules& rules)
    : takes_turns_(rules.chooser == nullptr && rules.balance == balancing::round_robin),
      by_key_(rules.chooser == nullptr && rules.balance == balancing::consistent_hash),
      identity_proven_(rules.identity_proven),
      max_connections_(rules.max_connections),
      chooser_(rules.chooser) {}

void balancer::reserve(std::size_t n) {
  if (takes_turns_) turns_.reserve(n);
  if (by_key_) hashes_.reserve(n);
  if (!has_chooser()) return;
  candidates_.reserve(n);
  offered_.reserve(n);
}

balancer::turn balancer::some_turn(std::uint64_t stride, fast_random& random) const noexcept {
  const std::uint64_t phase = random.next() >> 32U;
  return {now_ + static_cast<std::uint64_t>(static_cast<double>(stride) * 0x1.0p-32 *
                                            static_cast<double>(phase)),
          stride};
}

void balancer::enter(const endpoint_entry& e, fast_random& random) noexcept {
  if (takes_turns_) turns_.push_back(some_turn(mean_stride, random));
  if (by_key_) hashes_.push_back(e.hash);
}

void balancer::leave(std::size_t place) noexcept {
  if (takes_turns_) {
    turns_[place] = turns_.back();
    turns_.pop_back();
  }
  if (by_key_) {
    hashes_[place] = hashes_.back();
    hashes_.pop_back();
  }
}

void balancer::weigh(const share_list& shares, fast_random& random) noexcept {
  if (!takes_turns_) return;
  const auto sum = static_cast<double>(std::accumulate(shares.begin(), shares.end(), 0ULL));
  const double unit = static_cast<double>(mean_stride) * sum / static_cast<double>(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    turns_[i] =
        some_turn(static_cast<std::uint64_t>(unit / static_cast<double>(shares[i])), random);
  }
}

// One that returns much is given away much while callers queue. That must not keep it from its
// turns for long once they do not.
void balancer::spend_turn(std::size_t place) noexcept {
  const auto earlier = [](const turn& a, const turn& b) { return a.due < b.due; };
  now_ = std::max(now_, std::min_element(turns_.begin(), turns_.end(), earlier)->due);
  turn& t = turns_[place];
  t.due = std::min(t.due + t.stride, now_ + 2 * t.stride);
}

void balancer::offer(endpoint_entry& e, bool at_hand) noexcept {
  candidate c;
  c.where = &e.where;
  c.id = e.id;
  c.leases = e.leases;
  c.idle = e.idle + (at_hand ? 1U : 0U);
  c.opening = e.opening;
  c.weight = e.weight;
  candidates_.push_back(c);
  offered_.push_back(&e);
}

endpoint_entry* balancer::ask(const endpoint_key& key, std::uint64_t random) noexcept {
  choice_request request;
  request.among = candidates_;
  request.key = key;
  request.random = random;
  const std::size_t chosen = chooser_->choose(request);
  BOOST_ASSERT_MSG(chosen == endpoint_chooser::none || chosen < offered_.size(),
                   "endpoint_chooser::choose: no such candidate");
  return chosen < offered_.size() ? offered_[chosen] : nullptr;
}

}  // namespace redial::inline REDIAL_ABI::detail
