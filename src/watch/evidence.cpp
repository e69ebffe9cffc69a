// SPDX-License-Identifier: Apache-2.0

// States of a member, per record set:
//   (unknown) --in an answer--> present --missing, complete name--> departed
//   present --missing, rotating name--> absent --absence_window--> absent and doubted
//   absent --in an answer--> present
//   absent --absence_window and enough misses, or a failed connection--> departed
// A departed one that is seen again is a new life. Only independent answers count as misses: a
// cache that hands out one copy ten times has made one statement, and several caches that take
// turns have made one each. Constants: with k misses the chance to drop an address that is still
// there is one in a million: (1 - s/N)^k <= 1e-6. Three at least, so that one odd answer is never
// enough.

#include "watch/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

constexpr double wrongly_departed = 1e-6;
constexpr std::uint32_t fewest_misses = 3;
// TTLs count in whole seconds, so the end of one copy is seen with an error of up to one.
constexpr duration copy_tolerance = std::chrono::seconds{1};
// A resolver's address may stand for several machines, each with a copy of its own.
constexpr std::size_t most_copies = 16;

time_point end_of(std::chrono::seconds ttl, time_point now) noexcept {
  constexpr auto longest = std::chrono::duration_cast<std::chrono::seconds>(longest_duration);
  return after(now, std::clamp(ttl, std::chrono::seconds{0}, longest));
}

template <class Key>
const Key* find_in(const std::vector<Key>& sorted, const Key& k) noexcept {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), k);
  return at != sorted.end() && *at == k ? &*at : nullptr;
}

}  // namespace

std::uint32_t misses_needed(std::size_t shown, std::size_t known) noexcept {
  if (shown == 0 || shown >= known) return fewest_misses;
  const double share = static_cast<double>(shown) / static_cast<double>(known);
  const double needed = std::ceil(std::log(wrongly_departed) / std::log1p(-share));
  return std::max(fewest_misses, static_cast<std::uint32_t>(needed));
}

template <class Key>
bool basic_evidence<Key>::is_copy(const copy& c,
                                  const std::vector<Key>& records,
                                  time_point expires) noexcept {
  const duration apart = c.expires > expires ? c.expires - expires : expires - c.expires;
  return apart <= copy_tolerance && c.records == records;
}

template <class Key>
bool basic_evidence<Key>::remember(const std::vector<Key>& records,
                                   time_point expires,
                                   time_point now) {
  const auto same = std::find_if(
      copies_.begin(), copies_.end(), [&](const copy& c) { return is_copy(c, records, expires); });
  const bool is_new = same == copies_.end();
  // Its memory is used again: most answers say what the one before said.
  copy received;
  if (!is_new) {
    received = std::move(*same);
    copies_.erase(same);
  } else if (!copies_.empty() && !rotation_.rotating()) {
    received = std::move(copies_.back());
  }
  received.records = records;
  received.expires = expires;
  // Misses are counted in a rotating set only: for others the last answer says it all.
  if (!rotation_.rotating()) copies_.clear();
  std::erase_if(copies_, [now](const copy& c) { return after(c.expires, copy_tolerance) < now; });
  if (copies_.size() >= most_copies) copies_.erase(copies_.begin());
  copies_.push_back(std::move(received));
  return is_new;
}

template <class Key>
bool basic_evidence<Key>::returns_in(const std::vector<Key>& records,
                                     time_point now) const noexcept {
  const bool absent_one = std::any_of(members_.begin(), members_.end(), [&](const member& m) {
    return m.presence == presence::absent &&
           now <= after(m.missing_since, options_.rotation_memory) && find_in(records, m.where);
  });
  return absent_one || departed_.has_any_of(records);
}

template <class Key>
auto basic_evidence<Key>::on_records(const std::vector<Key>& records,
                                     std::chrono::seconds ttl,
                                     time_point now,
                                     std::size_t room) -> result {
  departed_.forget_before(after(now, -options_.rotation_memory));
  result r;
  const bool differs = !copies_.empty() && copies_.back().records != records;
  r.independent = remember(records, end_of(ttl, now), now);
  if (r.independent) {
    rotation_.on_answer(records.size(), differs, returns_in(records, now), now);
  }
  see_known(records, now);
  if (r.independent) miss_others(records, now);
  all_doubted_ = false;
  r.left_out = add_new(records, now, room);
  on_time(now);
  return r;
}

template <class Key>
void basic_evidence<Key>::see_known(const std::vector<Key>& records, time_point now) {
  for (member& m : members_) {
    const Key* const shown = find_in(records, m.where);
    if (shown == nullptr) continue;
    m.where = *shown;  // its attributes may be others now
    m.presence = presence::present;
    m.doubted = false;
    m.misses = 0;
    m.last_seen = now;
    ++m.seen;
  }
}

template <class Key>
void basic_evidence<Key>::miss_others(const std::vector<Key>& records, time_point now) {
  const auto shown = static_cast<std::uint32_t>(records.size());
  std::erase_if(members_, [&](member& m) {
    if (find_in(records, m.where)) return false;
    if (!rotation_.rotating()) {
      departed_.add(m.where, m.presence == presence::absent ? m.missing_since : now);
      return true;
    }
    if (m.presence == presence::present) {
      m.presence = presence::absent;
      m.missing_since = now;
      m.misses = 0;
      m.shown = shown;
    }
    ++m.misses;
    m.shown = std::min(m.shown, shown);
    return false;
  });
}

template <class Key>
std::uint32_t basic_evidence<Key>::add_new(const std::vector<Key>& records,
                                           time_point now,
                                           std::size_t room) {
  // Both are sorted: one pass, and the new ones go in by a merge.
  std::vector<member> added;
  std::uint32_t left_out = 0;
  auto known = members_.begin();
  for (const Key& k : records) {
    while (known != members_.end() && known->where < k) ++known;
    if (known != members_.end() && known->where == k) continue;
    if (members_.size() + added.size() >= room) {
      ++left_out;
      continue;
    }
    departed_.remove(k);
    member m;
    m.where = k;
    m.first_seen = now;
    m.last_seen = now;
    m.seen = 1;
    added.push_back(std::move(m));
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

template <class Key>
void basic_evidence<Key>::on_time(time_point now) {
  const std::size_t known = members_.size();  // before any of them goes
  std::erase_if(members_, [&](member& m) {
    if (m.presence != presence::absent) return false;
    if (now < after(m.missing_since, options_.absence_window)) return false;
    if (m.misses >= misses_needed(m.shown, known)) {
      departed_.add(m.where, m.missing_since);
      return true;
    }
    m.doubted = true;
    return false;
  });
}

template <class Key>
void basic_evidence<Key>::on_failure_at(const Key& where) {
  const auto found = std::find_if(
      members_.begin(), members_.end(), [&where](const member& m) { return m.where == where; });
  if (found == members_.end()) return;
  if (found->presence == presence::absent) {
    departed_.add(where, found->missing_since);
  } else if (!all_doubted_) {
    return;  // The last answer lists it: whether it works is the pool's business.
  }
  members_.erase(found);
}

template <class Key>
void basic_evidence<Key>::drop_all() noexcept {
  members_.clear();
  all_doubted_ = false;
}

template <class Key>
time_point basic_evidence<Key>::next_time() const noexcept {
  time_point next = time_point::max();
  for (const member& m : members_) {
    if (m.presence == presence::absent && !m.doubted) {
      next = std::min(next, after(m.missing_since, options_.absence_window));
    }
  }
  return next;
}

template class basic_evidence<address>;
template class basic_evidence<service>;
template class basic_evidence<endpoint>;

}  // namespace redial::inline REDIAL_ABI::detail
