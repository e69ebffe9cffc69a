// SPDX-License-Identifier: Apache-2.0
#include <redial/watch/delta.hpp>

namespace redial::inline REDIAL_ABI {

namespace {

// Of two that are the same endpoint in the same life.
bool differ(const snapshot_entry& a, const snapshot_entry& b) noexcept {
  return a.presence != b.presence || a.doubted != b.doubted ||
         a.where.priority != b.where.priority || a.where.weight != b.where.weight ||
         a.metadata != b.metadata;
}

}  // namespace

endpoint_delta delta_between(const snapshot_ptr& before, const snapshot& after) {
  endpoint_delta d;
  if (!before) {
    d.added = after.endpoints;
    return d;
  }
  // Both are sorted by endpoint: one pass.
  auto old = before->endpoints.begin();
  const auto end = before->endpoints.end();
  for (const snapshot_entry& e : after.endpoints) {
    for (; old != end && old->where < e.where; ++old) d.removed.push_back(*old);
    if (old == end || e.where < old->where) {
      d.added.push_back(e);
    } else {
      if (old->life != e.life) {
        d.removed.push_back(*old);
        d.added.push_back(e);
      } else if (differ(*old, e)) {
        d.changed.push_back(e);
      }
      ++old;
    }
  }
  d.removed.insert(d.removed.end(), old, end);
  return d;
}

}  // namespace redial::inline REDIAL_ABI
