// SPDX-License-Identifier: Apache-2.0

// What a name_watch says when it is asked why.

#include "watch/name_watch.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

void name_watch::explain_hosts(explanation& e, std::uint16_t port, time_point now) const {
  set_explanation lines;
  lines.what = "hosts file, " + name_;
  lines.origin = endpoint_origin::hosts;
  lines.state = hosts_->rule() ? freshness::fresh : freshness::stale;
  lines.fresh_until = hosts_->gone_since;
  e.sets.push_back(std::move(lines));
  for (const address& a : hosts_->addresses) {
    endpoint_explanation one;
    one.where = endpoint{a, port};
    one.origin = endpoint_origin::hosts;
    one.first_seen = hosts_->since;
    one.last_seen = hosts_->rule() ? now : hosts_->gone_since;
    one.why = "in the hosts file";
    if (!hosts_->rule()) {
      one.why = "was in the hosts file; DNS has named no address since";
      one.doubted = hosts_->doubted;
      one.presence = hosts_->doubted ? presence::absent : presence::present;
      one.next = "departs when DNS names others, or none for long enough";
      one.next_at = hosts_drain_at();
    }
    e.endpoints.push_back(std::move(one));
  }
}

void name_watch::explain(explanation& e, std::uint16_t port, time_point now) const {
  if (hosts_) explain_hosts(e, port, now);
  if (hosts_rule()) return;
  for (const family& f : families_) {
    set_explanation set = f.set.explain(now);
    set.what = std::string(to_string(f.type)) + " " + name_;
    set.origin = endpoint_origin::dns;
    if (paused_) set.next_refresh = time_point::max();
    e.sets.push_back(std::move(set));
    if (hosts_) continue;  // DNS is not believed yet
    for (const member& m : f.set.members().members()) {
      endpoint_explanation one = f.set.explain(m, now);
      one.where = endpoint{m.where, port};
      one.origin = endpoint_origin::dns;
      e.endpoints.push_back(std::move(one));
    }
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
