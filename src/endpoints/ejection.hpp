// SPDX-License-Identifier: Apache-2.0
#pragma once

// When an endpoint that is behind the name is taken out of use, and for how long.

#include <redial/core/error.hpp>
#include <redial/core/time.hpp>

#include "endpoints/fast_random.hpp"

#include <cstddef>
#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// Counts start at 1, so that "never" is before everything.
using happening = std::uint64_t;

/// See `health_options` for each.
struct ejection_rules {
  ejection_rules() = default;
  std::uint32_t consecutive_failures = 5;
  duration base = std::chrono::seconds{5};
  duration max = std::chrono::seconds{300};
  double jitter = 0.1;
  std::uint32_t max_percent = 50;
  std::uint32_t panic_percent = 50;
  std::uint32_t unhealthy_after = 3;
  std::uint32_t healthy_after = 2;
  duration slow_start{};
};

/// What is held against one endpoint, and in its favour.
struct health_record {
  std::uint32_t refusals = 0;       ///< Connects failed since one succeeded or a lease went well.
  std::uint32_t failed_leases = 0;  ///< Leases that ended badly since one went well.
  std::uint32_t outages = 0;  ///< Ejections and quarantines that count for the next one's time.
  std::uint32_t probes_passed = 0;  ///< In a row.
  std::uint32_t probes_failed = 0;  ///< In a row.
  bool by_leases = false;           ///< Ejected for what it did with open connections.
  bool probing = false;             ///< A probe is under way.
  bool ramping = false;             ///< In its slow start.
  happening last_reset = 0;         ///< When a reset counted last, as an order.
  time_point until{};               ///< Ejected or quarantined: not tried again earlier.
  time_point back_since{};          ///< When it became active.
  time_point next_probe{};
  error_code why;  ///< Of the last outage, or the last failure since then.
};

/// A code that says that somebody else answered.
[[nodiscard]] bool is_stranger(const error_code& why) noexcept;

/// Failures in a row. A connection that opens makes up for failed connects only: a peer that
/// accepts and never answers would else never be ejected. A lease that goes well makes up for all.
[[nodiscard]] inline std::uint32_t strikes(const health_record& r) noexcept {
  return r.refusals + r.failed_leases;
}

/// One more of `all` endpoints may be ejected while `ejected` are.
[[nodiscard]] bool may_eject(const ejection_rules& rules,
                             std::size_t all,
                             std::size_t ejected) noexcept;

/// So few are healthy that the ejected ones are the smaller risk.
[[nodiscard]] bool is_panic(const ejection_rules& rules,
                            std::size_t all,
                            std::size_t healthy,
                            std::size_t ejected) noexcept;

/// Begins an outage: sets when it may be tried again.
void begin_outage(const ejection_rules& rules,
                  health_record& r,
                  const error_code& why,
                  time_point now,
                  fast_random& random) noexcept;

/// It was tried during its outage, and failed: a longer one.
void prolong_outage(const ejection_rules& rules,
                    health_record& r,
                    const error_code& why,
                    time_point now,
                    fast_random& random) noexcept;

/// It is back, on probation: the first lease says whether for good.
void end_outage(const ejection_rules& rules, health_record& r) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
