// SPDX-License-Identifier: Apache-2.0
// Sources and reasons:
//
// - 5 failures in a row, out of use for longer each time, at most half of all: what Envoy calls
//   outlier detection and gRPC copied (gRFC A50). Theirs grows by one base each time and shrinks by
//   one for each healthy interval. Ours doubles, because what failed right after a long outage will
//   not be well for being asked more often.
// - The growth is forgotten when an endpoint has been back for `max`. A shorter time would forget
//   between two failures of an endpoint that is asked seldom: at one lease in 10 s, 5 failures take
//   50 s. A longer one would hold this morning's deployment against it in the afternoon.
// - Who is back is on probation: its first failed lease ejects it again, its first good one clears
//   it. So a peer that accepts and never answers costs one call per return and not five.
// - Attempts of the pool to reach a better tier again are no failures: they hurt nobody, and the
//   schedule of ejection would keep a standby in use for minutes after the first choice is back.
// - Ejecting the only endpoint gains nothing: there is no better one.

#include "endpoints/ejection.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {
namespace {

void set_end(const ejection_rules& rules,
             health_record& r,
             time_point now,
             fast_random& random) noexcept {
  ++r.outages;
  const std::uint32_t doublings = std::min<std::uint32_t>(r.outages - 1, 30);
  const duration full =
      rules.base > rules.max / (1 << doublings) ? rules.max : rules.base * (1 << doublings);
  r.until = after(now, random.share(full, 1 - rules.jitter, 1 + rules.jitter));
}

}  // namespace

bool is_stranger(const error_code& why) noexcept {
  return why == errc::identity_mismatch || why == errc::tls_name_mismatch;
}

bool may_eject(const ejection_rules& rules, std::size_t all, std::size_t ejected) noexcept {
  if (all < 2 || rules.max_percent == 0) return false;
  return ejected < std::max<std::size_t>(1, all * rules.max_percent / 100);
}

bool is_panic(const ejection_rules& rules,
              std::size_t all,
              std::size_t healthy,
              std::size_t ejected) noexcept {
  return ejected > 0 && healthy * 100 < all * rules.panic_percent;
}

void begin_outage(const ejection_rules& rules,
                  health_record& r,
                  const error_code& why,
                  time_point now,
                  fast_random& random) noexcept {
  if (now >= after(r.back_since, rules.max)) r.outages = 0;
  r.why = why;
  r.probes_passed = 0;
  set_end(rules, r, now, random);
}

void prolong_outage(const ejection_rules& rules,
                    health_record& r,
                    const error_code& why,
                    time_point now,
                    fast_random& random) noexcept {
  r.why = why;
  set_end(rules, r, now, random);
}

void end_outage(const ejection_rules& rules, health_record& r) noexcept {
  r.until = {};
  r.why = {};
  r.refusals = 0;
  r.probes_failed = 0;
  r.failed_leases = std::max(rules.consecutive_failures, 1U) - 1;
  r.by_leases = false;
}

}  // namespace redial::inline REDIAL_ABI::detail
