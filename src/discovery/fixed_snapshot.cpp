// SPDX-License-Identifier: Apache-2.0

#include "discovery/fixed_snapshot.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

snapshot_ptr fixed_snapshot(const target& t, const watch_options& options) {
  // Only for a name is the family ours to choose: whoever writes an address means that address.
  const bool is_name = t.scheme() != target_scheme::static_list && !t.host().is_literal();
  std::vector<endpoint> all = t.fixed_endpoints();
  if (is_name) {
    std::erase_if(all, [&options](const endpoint& e) {
      return e.addr.is_v4() ? !options.ipv4 : !options.ipv6;
    });
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());

  auto s = std::make_shared<snapshot>();
  s->name = t.host().text();
  s->generation = 1;
  s->state = freshness::fresh;
  s->fresh_until = time_point::max();
  for (endpoint& e : all) {
    snapshot_entry entry;
    entry.where = std::move(e);
    entry.life = 1;
    s->endpoints.push_back(std::move(entry));
  }
  return s;
}

void explain_fixed(const target& t, const watch_options& options, explanation& e) {
  const snapshot_ptr s = fixed_snapshot(t, options);
  e.state = s->state;
  e.generation = s->generation;
  for (const snapshot_entry& entry : s->endpoints) {
    endpoint_explanation one;
    one.where = entry.where;
    one.origin = endpoint_origin::fixed;
    one.why = "part of the target";
    one.first_seen = e.now;
    one.last_seen = e.now;
    e.endpoints.push_back(std::move(one));
  }
}

snapshot_ptr closed_snapshot(const std::string& name) {
  auto s = std::make_shared<snapshot>();
  s->name = name;
  s->generation = 1;
  s->error = errc::closed;
  s->definite = true;
  return s;
}

}  // namespace redial::inline REDIAL_ABI::detail
