// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counters by layer, as copied snapshots. Monotonic from an object's construction; 64 bit, so they
// do not wrap in practice and wrap to zero in theory.

#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>

#include <array>
#include <cstdint>

namespace redial::inline REDIAL_ABI {

/// Of a discovery (all its names).
struct dns_counters {
  std::uint64_t queries = 0;    ///< Questions sent, one per (name, type) and refresh.
  std::uint64_t coalesced = 0;  ///< Requests that joined a question already in flight.
  std::uint64_t answers = 0;    ///< Definite answers.
  std::uint64_t failures = 0;   ///< Timeouts, SERVFAIL, REFUSED, malformed and the like.
  std::uint64_t forced = 0;     ///< Refreshes asked for by a failure or by the user.
  std::uint64_t forced_deferred =
      0;  ///< Those put off to the end of `min_forced_refresh_interval`.
  std::uint64_t channel_rebuilds = 0;  ///< Resolver channels built anew because they misbehaved.
  /// Unspecified, multicast, broadcast, denied (`denied_addresses`), over `max_endpoints`.
  std::uint64_t dropped_records = 0;

  /// What answers came to, failures included (see `refresh_result`). One per question: a refresh of
  /// a name asks for IPv4 and for IPv6.
  std::uint64_t refreshes_changed = 0;
  std::uint64_t refreshes_unchanged = 0;  ///< `refresh_result::unchanged`
  std::uint64_t refreshes_stale = 0;      ///< `refresh_result::stale`
  std::uint64_t refreshes_error = 0;      ///< `refresh_result::error`
};

/// Of one pool.
struct pool_counters {
  std::uint64_t checkouts = 0;       ///< Leases handed out.
  std::uint64_t checkouts_idle = 0;  ///< Of those, the ones that found an idle connection at once.
  std::uint64_t checkout_timeouts = 0;  ///< Checkouts whose time ran out.
  std::uint64_t queue_rejections = 0;   ///< `errc::queue_full`.
  std::uint64_t connects = 0;           ///< Connection attempts started.
  std::uint64_t connect_failures = 0;   ///< Of the attempts, those that failed.
  std::uint64_t opened = 0;             ///< Connections opened.
  std::uint64_t closed = 0;             ///< Connections closed, for whatever reason.
  std::uint64_t resets = 0;             ///< Whole-pool resets.
  std::uint64_t resets_suppressed = 0;  ///< Resets that came too soon after another one.
  std::uint64_t retained_leases =
      0;  ///< Leases on a departed endpoint because nothing else was proven.

  std::uint64_t ejections = 0;    ///< Endpoints taken out of use for their failures.
  std::uint64_t quarantines = 0;  ///< Endpoints taken out of use because somebody else answered.
  std::uint64_t panics = 0;       ///< Times that ejected endpoints were leased for want of others.
  std::uint64_t probes = 0;       ///< Health probes begun, those of warming not counted.
  std::uint64_t probe_failures = 0;  ///< Of the probes, those that failed.
  /// `closed` by `close_reason`, as index.
  std::array<std::uint64_t, close_reason_count> closed_by{};
  /// What became of endpoints, as this pool saw it; by `endpoint_change`, as index.
  std::array<std::uint64_t, endpoint_change_count> changes{};
};

/// What a pool holds at this moment.
struct pool_gauges {
  std::uint32_t connecting = 0;          ///< Connections being opened.
  std::uint32_t idle = 0;                ///< Open, and free to be lent.
  std::uint32_t leased = 0;              ///< In use.
  std::uint32_t draining = 0;            ///< Leased connections that close when they come back.
  std::uint32_t waiting = 0;             ///< Callers in the queue.
  std::uint32_t endpoints_active = 0;    ///< Proven ones behind the name.
  std::uint32_t endpoints_warming = 0;   ///< Not proven yet.
  std::uint32_t endpoints_departed = 0;  ///< Departed ones that still hold a connection or a lease.

  std::uint32_t endpoints_ejected = 0;      ///< Out of use for their failures.
  std::uint32_t endpoints_quarantined = 0;  ///< Out of use because somebody else answered.
};

/// Of one client.
struct client_counters {
  std::uint64_t calls = 0;           ///< Calls begun.
  std::uint64_t failed_calls = 0;    ///< Calls that ended with an error.
  std::uint64_t attempts = 0;        ///< Attempts of the calls that have ended.
  std::uint64_t retries = 0;         ///< Attempts after the first.
  std::uint64_t retries_denied = 0;  ///< A retry was wanted and the budget was spent.

  std::uint64_t hedges = 0;  ///< Second attempts started beside a slow first one; no retries.
};

}  // namespace redial::inline REDIAL_ABI
