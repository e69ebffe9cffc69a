// SPDX-License-Identifier: Apache-2.0

// A new good answer with the same endpoints publishes nothing: pools would only compare and find
// nothing to do.

#include "watch/publisher.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

int badness(freshness f) noexcept {
  switch (f) {
    case freshness::fresh:
      return 0;
    case freshness::stale:
      return 1;
    case freshness::expired:
      return 2;
    case freshness::unresolved:
      return 3;
  }
  return 3;
}

// Equal as far as a subscriber is concerned; equality of endpoints leaves out their attributes.
bool same_entry(const snapshot_entry& a, const snapshot_entry& b) noexcept {
  return a.where == b.where && a.where.priority == b.where.priority &&
         a.where.weight == b.where.weight && a.presence == b.presence && a.doubted == b.doubted &&
         a.life == b.life && a.metadata == b.metadata;
}

bool looks_same(const snapshot& a, const snapshot& b) noexcept {
  return a.state == b.state && a.rotating == b.rotating && a.error == b.error &&
         a.definite == b.definite &&
         std::equal(a.endpoints.begin(),
                    a.endpoints.end(),
                    b.endpoints.begin(),
                    b.endpoints.end(),
                    same_entry);
}

void note_change(const snapshot_entry& was, const snapshot_entry& is, publication& p) {
  if (is.doubted && !was.doubted) {
    p.changes.push_back({is.where, endpoint_change::doubted});
  } else if (is.presence != was.presence) {
    const bool back = is.presence == presence::present;
    p.changes.push_back({is.where, back ? endpoint_change::returned : endpoint_change::absent});
  }
}

// Both are sorted: one pass. Gives each entry of `next` its life.
void compare(const std::vector<snapshot_entry>& before,
             std::vector<snapshot_entry>& next,
             std::uint64_t& lives,
             publication& p) {
  auto old = before.begin();
  const auto depart = [&p](const snapshot_entry& e) {
    p.changes.push_back({e.where, endpoint_change::departed});
    ++p.departed;
  };
  for (snapshot_entry& e : next) {
    for (; old != before.end() && old->where < e.where; ++old) depart(*old);
    if (old != before.end() && old->where == e.where) {
      e.life = old->life;
      note_change(*old, e, p);
      ++old;
    } else {
      e.life = ++lives;
      p.changes.push_back({e.where, endpoint_change::added});
      ++p.added;
    }
  }
  for (; old != before.end(); ++old) depart(*old);
}

}  // namespace

std::optional<publication> publisher::publish(snapshot next) {
  static const std::vector<snapshot_entry> none;
  publication p;
  compare(current_ ? current_->endpoints : none, next.endpoints, lives_, p);
  if (current_ && looks_same(*current_, next)) return std::nullopt;
  next.generation = current_ ? current_->generation + 1 : 1;
  current_ = std::make_shared<const snapshot>(std::move(next));
  p.what = current_;
  return p;
}

void sort_unique(std::vector<snapshot_entry>& entries) {
  const auto by_endpoint = [](const snapshot_entry& a, const snapshot_entry& b) {
    return a.where < b.where;
  };
  if (!std::is_sorted(entries.begin(), entries.end(), by_endpoint)) {
    std::stable_sort(entries.begin(), entries.end(), by_endpoint);
  }
  const auto last = std::unique(
      entries.begin(), entries.end(), [](const snapshot_entry& a, const snapshot_entry& b) {
        return a.where == b.where;
      });
  entries.erase(last, entries.end());
}

freshness worse(freshness a, freshness b) noexcept { return badness(a) < badness(b) ? b : a; }

}  // namespace redial::inline REDIAL_ABI::detail
