// SPDX-License-Identifier: Apache-2.0
#include "core/service_set.hpp"

#include <redial/core/host_name.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

bool is_root(const srv_record& r) { return r.target == "."; }

// The best of those with one target and port first.
bool comes_first(const srv_record& a, const srv_record& b) {
  return std::tie(a.target, a.port, a.priority, b.weight) <
         std::tie(b.target, b.port, b.priority, a.weight);
}

bool same_place(const srv_record& a, const srv_record& b) {
  return a.port == b.port && a.target == b.target;
}

}  // namespace

service_set judge_services(const std::vector<srv_record>& raw) {
  service_set set;
  set.no_service = !raw.empty() && std::ranges::all_of(raw, is_root);
  if (set.no_service) return set;
  for (const srv_record& r : raw) {
    const auto host = host_name::parse(r.target);
    if (r.port == 0 || !host || host->is_literal()) {
      ++set.dropped;
      continue;
    }
    set.usable.push_back(r);
    set.usable.back().target = host->text();
  }
  std::ranges::sort(set.usable, comes_first);
  // Not std::ranges::unique: clang 14 does not compile what that of libstdc++ 12 returns.
  const auto repeated = std::unique(set.usable.begin(), set.usable.end(), same_place);
  set.usable.erase(repeated, set.usable.end());
  return set;
}

}  // namespace redial::inline REDIAL_ABI::detail
