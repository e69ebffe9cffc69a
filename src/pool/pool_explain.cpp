// SPDX-License-Identifier: Apache-2.0
#include "pool/pool_explain.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

// `reason` and `outlook` read the entry as the pool does: a drained one first, then its health,
// then its presence. A new state of either finds its place by the compiler's warning.

namespace redial::inline REDIAL_ABI::detail {
namespace {

endpoint_standing of(standing s) noexcept {
  switch (s) {
    case standing::present:
      return endpoint_standing::present;
    case standing::absent:
      return endpoint_standing::absent;
    case standing::retained:
      return endpoint_standing::retained;
    case standing::last_resort:
      return endpoint_standing::last_resort;
    case standing::drained:
      return endpoint_standing::drained;
  }
  return endpoint_standing::present;
}

endpoint_health of(health h) noexcept {
  switch (h) {
    case health::warming:
      return endpoint_health::warming;
    case health::active:
      return endpoint_health::active;
    case health::ejected:
      return endpoint_health::ejected;
    case health::quarantined:
      return endpoint_health::quarantined;
  }
  return endpoint_health::warming;
}

struct outlook {
  std::string what;
  time_point at = time_point::max();
};

struct reader {
  const endpoint_table& table;
  const pool_options& options;
  time_point now;

  [[nodiscard]] std::string reason(const endpoint_entry& e) const {
    if (e.presence == standing::drained) return "it has left, and takes no more leases";
    switch (e.state) {
      case health::warming:
        if (!table.may_connect(e)) return "doubted, and nothing proves who answers there";
        return e.failures > 0 ? "its warming attempts failed" : "not proven yet";
      case health::ejected:
        return (e.is_usable() ? "in use although ejected, since too few are healthy: "
                              : "failed too often: ") +
               e.record.why.message();
      case health::quarantined:
        return "somebody else answered there: " + e.record.why.message();
      case health::active:
        break;
    }
    return reason_if_active(e);
  }

  [[nodiscard]] static std::string reason_if_active(const endpoint_entry& e) {
    if (e.presence == standing::retained) return "it has left, and no replacement is proven yet";
    if (e.presence == standing::last_resort) return "it has left, and nothing else serves";
    if (!e.is_usable()) return "proven, and not leased now";
    if (!e.is_serving()) return "proven, and a better tier serves";
    if (is_down(e)) return "proven earlier, and its last connect failed";
    return e.presence == standing::absent ? "proven, and not known to have left" : "proven";
  }

  [[nodiscard]] outlook expected(const endpoint_entry& e) const {
    if (e.presence == standing::drained) return {"forgotten with its last connection"};
    if (e.presence == standing::retained) {
      return {"drained when a replacement is proven, at the latest if another one serves",
              after(e.departed_at, options.replacement_deadline)};
    }
    if (e.presence == standing::last_resort) {
      return {"drained when another one is proven, or its own connect fails"};
    }
    if (e.state != health::active && e.record.until > now) return {"warmed again", e.record.until};
    if (e.state != health::active) return warming_outlook(e);
    if (e.not_before > now) return {"may be connected to again", e.not_before};
    return {};
  }

  [[nodiscard]] outlook warming_outlook(const endpoint_entry& e) const {
    if (!table.may_connect(e)) return {"warmed when an answer shows it again"};
    if (e.opening > 0) return {"leased when its first connection is open"};
    if (e.warming_order == 0) return {};
    if (e.warming_due > now) return {"warmed", e.warming_due};
    return {"warmed when its turn comes"};
  }

  [[nodiscard]] pooled_endpoint_explanation about(const endpoint_entry& e) const {
    pooled_endpoint_explanation x;
    x.where = e.where;
    x.where.priority = e.priority;
    x.where.weight = e.weight;
    x.standing = of(e.presence);
    x.health = of(e.state);
    x.doubted = e.doubted;
    x.leasable = e.is_usable();
    x.serving = e.is_serving();
    x.known_since = e.known_since;
    x.missing_since = e.missing_since;
    if (e.last_leased >= e.missing_since) x.last_leased = e.last_leased;
    x.opening = e.opening;
    x.idle = e.idle;
    x.failures = e.failures;
    x.strikes = strikes(e.record);
    x.last_error = e.last_error;
    x.why = reason(e);
    outlook o = expected(e);
    x.next = std::move(o.what);
    x.next_at = o.at;
    return x;
  }
};

// The entry counts leased and draining ones together, and those being looked after not at all.
void count(pooled_endpoint_explanation& x, const pool_slot& s) {
  if (s.state == slot_state::checking) ++x.idle;
  if (s.state == slot_state::leased) ++x.leased;
  if (s.state != slot_state::draining) return;
  const time_point kept{duration{s.keep_until.load(std::memory_order_relaxed)}};
  x.next = "what is still leased is cancelled";
  x.next_at = x.draining == 0 ? time_point::max() : x.next_at;
  x.next_at = std::min(x.next_at, std::max(s.drain_end, kept));
  ++x.draining;
}

}  // namespace

pool_explanation explain(pool_core& core, const pool_options& o, time_point now) {
  pool_explanation x;
  x.now = now;
  x.closed = core.is_closed();
  x.gauges = core.gauges();
  x.last_error = core.last_connect_error();
  const reader read{core.table(), o, now};
  std::unordered_map<const endpoint_entry*, std::size_t> places;
  for (const auto* some : {&core.table().current(), &core.table().departed()}) {
    for (const endpoint_entry* e : *some) {
      places.emplace(e, x.endpoints.size());
      x.endpoints.push_back(read.about(*e));
    }
  }
  for (const pool_slot& s : core.slots()) {
    const auto at = places.find(s.home);
    if (at != places.end()) count(x.endpoints[at->second], s);
  }
  return x;
}

}  // namespace redial::inline REDIAL_ABI::detail
