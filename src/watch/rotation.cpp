// SPDX-License-Identifier: Apache-2.0

// Sources: a load balancer's or service registry's answer holds at most 8 records, a random sample
// when there are more. So eight records that change are a sample; fewer are all there is, unless an
// address comes back that had gone.
// Constants: with one record per answer a return is also what a failover and its failback look
// like, so it takes three; 256 departures bound the memory of a name that changes without end.

#include "watch/rotation.hpp"

#include <algorithm>

namespace redial::detail {

namespace {
constexpr std::size_t sample_size = 8;
constexpr unsigned returns_of_one_record = 3;
constexpr std::size_t most_departures = 256;
}  // namespace

void rotation::on_answer(std::size_t shown, bool differs, bool returned, time_point now) noexcept {
  if (rotating_ && now >= after(last_sign_, options_.rotation_end)) rotating_ = false;
  bool begins = differs && shown == sample_size;
  if (returned) {
    if (now >= after(last_return_, options_.rotation_end)) returns_ = 0;
    if (returns_ < returns_of_one_record) ++returns_;
    last_return_ = now;
    if (rotating_) last_sign_ = now;
    begins = begins || shown > 1 || returns_ >= returns_of_one_record;
  }
  if (begins && !rotating_) {
    rotating_ = true;
    last_sign_ = now;
  }
}

bool rotation::rotating() const noexcept {
  switch (options_.membership) {
    case membership::complete:
      return false;
    case membership::sampled:
      return true;
    case membership::automatic:
      break;
  }
  return rotating_;
}

void departures::add(const address& where, time_point missing_since) {
  if (entries_.size() >= most_departures) entries_.erase(entries_.begin());
  entries_.push_back({where, missing_since});
}

void departures::forget_before(time_point when) noexcept {
  std::erase_if(entries_, [when](const entry& e) { return e.missing_since < when; });
}

void departures::remove(const address& where) noexcept {
  std::erase_if(entries_, [&where](const entry& e) { return e.where == where; });
}

bool departures::has_any_of(const std::vector<address>& sorted) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [&sorted](const entry& e) {
    return std::binary_search(sorted.begin(), sorted.end(), e.where);
  });
}

}  // namespace redial::detail
