// SPDX-License-Identifier: Apache-2.0

// States of a member, per record set:
//   (unknown) --in an answer--> present --missing, complete name--> departed
//   present --missing, rotating name--> absent --absence_window--> absent and doubted
//   absent --in an answer--> present
//   absent --absence_window and enough misses, or a failed connection--> departed
// A departed one that is seen again is a new life. Only independent answers count as misses: a
// cache that hands out one copy ten times has made one statement. Constants: with k misses the
// chance to drop an address that is still there is one in a million: (1 - s/N)^k <= 1e-6. Three at
// least, so that one odd answer is never enough.

#include "watch/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace redial::detail {

namespace {

constexpr double wrongly_departed = 1e-6;
constexpr std::uint32_t fewest_misses = 3;
// TTLs count in whole seconds, so the end of one copy is seen with an error of up to one.
constexpr duration copy_tolerance = std::chrono::seconds{1};

time_point end_of(std::chrono::seconds ttl, time_point now) noexcept {
  constexpr auto longest = std::chrono::duration_cast<std::chrono::seconds>(longest_duration);
  return after(now, std::clamp(ttl, std::chrono::seconds{0}, longest));
}

bool contains(const std::vector<address>& sorted, const address& a) noexcept {
  return std::binary_search(sorted.begin(), sorted.end(), a);
}

}  // namespace

std::uint32_t evidence::misses_needed(std::size_t shown, std::size_t known) noexcept {
  if (shown == 0 || shown >= known) return fewest_misses;
  const double share = static_cast<double>(shown) / static_cast<double>(known);
  const double needed = std::ceil(std::log(wrongly_departed) / std::log1p(-share));
  return std::max(fewest_misses, static_cast<std::uint32_t>(needed));
}

bool evidence::is_same_copy(const copy& received) const noexcept {
  if (received.records != previous_.records) return false;
  const duration apart = received.expires > previous_.expires
                             ? received.expires - previous_.expires
                             : previous_.expires - received.expires;
  return apart <= copy_tolerance;
}

bool evidence::returns_in(const std::vector<address>& records, time_point now) const noexcept {
  const bool absent_one = std::any_of(members_.begin(), members_.end(), [&](const member& m) {
    return m.presence == presence::absent &&
           now <= after(m.missing_since, options_.rotation_memory) && contains(records, m.where);
  });
  return absent_one || departed_.has_any_of(records);
}

std::uint32_t evidence::on_records(const std::vector<address>& records,
                                   std::chrono::seconds ttl,
                                   time_point now,
                                   std::size_t room,
                                   member_changes& changes) {
  departed_.forget_before(after(now, -options_.rotation_memory));
  copy received{records, end_of(ttl, now)};
  const bool independent = !is_same_copy(received);
  if (independent) {
    const bool differs = !previous_.records.empty() && previous_.records != records;
    rotation_.on_answer(records.size(), differs, returns_in(records, now), now);
  }
  previous_ = std::move(received);
  see_known(records, changes);
  if (independent) miss_others(records, now, changes);
  all_doubted_ = false;
  const std::uint32_t left_out = add_new(records, room, changes);
  on_time(now, changes);
  return left_out;
}

void evidence::see_known(const std::vector<address>& records, member_changes& changes) {
  for (member& m : members_) {
    if (!contains(records, m.where)) continue;
    if (m.presence == presence::absent || all_doubted_) {
      changes.push_back({m.where, endpoint_change::returned});
    }
    m.presence = presence::present;
    m.doubted = false;
    m.misses = 0;
  }
}

void evidence::miss_others(const std::vector<address>& records,
                           time_point now,
                           member_changes& changes) {
  std::erase_if(members_, [&](member& m) {
    if (contains(records, m.where)) return false;
    if (!rotation_.rotating()) {
      departed_.add(m.where, m.presence == presence::absent ? m.missing_since : now);
      changes.push_back({m.where, endpoint_change::departed});
      return true;
    }
    if (m.presence == presence::present) {
      m.presence = presence::absent;
      m.missing_since = now;
      m.misses = 0;
      changes.push_back({m.where, endpoint_change::absent});
    }
    ++m.misses;
    return false;
  });
}

std::uint32_t evidence::add_new(const std::vector<address>& records,
                                std::size_t room,
                                member_changes& changes) {
  // Both are sorted: one pass, and the new ones go in by a merge.
  std::vector<member> added;
  std::uint32_t left_out = 0;
  auto known = members_.begin();
  for (const address& a : records) {
    while (known != members_.end() && known->where < a) ++known;
    if (known != members_.end() && known->where == a) continue;
    if (members_.size() + added.size() >= room) {
      ++left_out;
      continue;
    }
    departed_.remove(a);
    member m;
    m.where = a;
    m.life = ++lives_;
    added.push_back(std::move(m));
    changes.push_back({a, endpoint_change::added});
  }
  if (added.empty()) return left_out;
  const auto middle = static_cast<std::ptrdiff_t>(members_.size());
  members_.insert(members_.end(), added.begin(), added.end());
  std::inplace_merge(members_.begin(),
                     members_.begin() + middle,
                     members_.end(),
                     [](const member& a, const member& b) { return a.where < b.where; });
  return left_out;
}

void evidence::on_time(time_point now, member_changes& changes) {
  const std::uint32_t needed = misses_needed(previous_.records.size(), members_.size());
  std::erase_if(members_, [&](member& m) {
    if (m.presence != presence::absent) return false;
    if (now < after(m.missing_since, options_.absence_window)) return false;
    if (m.misses >= needed) {
      departed_.add(m.where, m.missing_since);
      changes.push_back({m.where, endpoint_change::departed});
      return true;
    }
    if (!std::exchange(m.doubted, true)) changes.push_back({m.where, endpoint_change::doubted});
    return false;
  });
}

void evidence::doubt_all(member_changes& changes) {
  if (std::exchange(all_doubted_, true)) return;
  for (const member& m : members_) {
    if (!m.doubted) changes.push_back({m.where, endpoint_change::doubted});
  }
}

void evidence::on_failure_at(const address& where, member_changes& changes) {
  const auto found = std::find_if(
      members_.begin(), members_.end(), [&where](const member& m) { return m.where == where; });
  if (found == members_.end()) return;
  if (found->presence == presence::absent) {
    departed_.add(where, found->missing_since);
  } else if (!all_doubted_) {
    return;  // The last answer lists it: whether it works is the pool's business.
  }
  members_.erase(found);
  changes.push_back({where, endpoint_change::departed});
}

void evidence::drop_all(member_changes& changes) {
  for (const member& m : members_) changes.push_back({m.where, endpoint_change::departed});
  members_.clear();
  all_doubted_ = false;
}

time_point evidence::next_time() const noexcept {
  time_point next = time_point::max();
  for (const member& m : members_) {
    if (m.presence == presence::absent && !m.doubted) {
      next = std::min(next, after(m.missing_since, options_.absence_window));
    }
  }
  return next;
}

}  // namespace redial::detail
