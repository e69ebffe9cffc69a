// SPDX-License-Identifier: Apache-2.0
#pragma once

// When an endpoint that is behind the name is not used for a while.

#include <redial/core/abi.hpp>
#include <redial/core/time.hpp>

#include <cstdint>
#include <memory>

namespace redial::inline REDIAL_ABI {

class health_probe;

/// Validated with `pool_options`.
///
/// A failure is a connect that failed, or a lease that ended `reset`, `timed_out`, `failed` or
/// `unwell`; never a fault of this machine (`condition::local_fault`). A connection that opens
/// makes up for failed connects, a lease that goes well for all failures.
struct health_options {
  health_options() = default;

  /// So many failures in a row eject an endpoint; after it came back, a single one until a lease
  /// went well. 0: never. 0 to 1000000.
  std::uint32_t consecutive_failures = 5;
  /// How long the first time; doubles each time up to `ejection_max`, and is forgotten when the
  /// endpoint has been back for `ejection_max`. It then comes back through warming: a new
  /// connection is proven before the first lease. Endpoints where somebody else answered
  /// (quarantined) are tried again on the same schedule. 1 ms to 24 h.
  duration ejection_base = std::chrono::seconds{5};
  duration ejection_max = std::chrono::seconds{300};  ///< Longest ejection. 1 ms to 24 h.
  /// Share by which these times vary, so that clients do not come back together. 0 to 1.
  double ejection_jitter = 0.1;
  /// Of the endpoints behind the name, at most max(1, this share) are ejected for failures of calls
  /// and connects at once; none when there is only one. 0: none. 0 to 100.
  std::uint32_t max_ejected_percent = 50;
  /// Panic: with a smaller share of healthy (active) endpoints, the ejected ones are leased again.
  /// Never those that were not proven yet, and never those where somebody else answered. 0: no
  /// panic. 0 to 100.
  std::uint32_t panic_threshold_percent = 50;

  /// The share of picks of an endpoint that comes in beside others grows linearly to its full size
  /// in this time, from a tenth. Zero: full at once. 0 to 24 h.
  duration slow_start{};

  /// Active probes: null for none. It must also pass before the first lease of an endpoint.
  std::shared_ptr<health_probe> probe;
  /// Between two probes of an endpoint, +- 10 %. 10 ms to 24 h.
  duration probe_interval = std::chrono::seconds{5};
  /// The probe's connection and check together; before the first lease the check alone. 1 ms to 1
  /// h.
  duration probe_timeout = std::chrono::seconds{2};
  /// Failed probes in a row that eject, whatever `max_ejected_percent` says. 1 to 1000.
  std::uint32_t unhealthy_after = 3;
  /// Passed probes in a row that end an ejection early, unless failed leases were its cause: there
  /// the probe does not see what is wrong. 1 to 1000.
  std::uint32_t healthy_after = 2;
};

}  // namespace redial::inline REDIAL_ABI
