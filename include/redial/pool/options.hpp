// SPDX-License-Identifier: Apache-2.0
#pragma once

// Limits and times of a pool.

#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/endpoints/balancing.hpp>
#include <redial/pool/health_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace redial::inline REDIAL_ABI {

/// Validated when a pool is constructed; `std::invalid_argument` names the option, the value and
/// the legal range.
struct pool_options {
  pool_options() = default;

  /// Connections per endpoint, connecting ones included. 1 to 65535, at most
  /// `max_total_connections`.
  std::size_t max_connections = 64;
  /// Connections in the whole pool. 1 to 1000000.
  std::size_t max_total_connections = 1024;
  /// Idle connections kept open per endpoint without demand, from the first answer on and for
  /// every endpoint that comes later: preconnect. 0 to `max_connections`. An active endpoint's
  /// first connection counts.
  std::size_t min_idle = 0;
  /// Callers that may wait. 0: fail at once with `errc::queue_full` when nothing is idle.
  std::size_t queue_limit = 1024;
  /// How long `async_checkout` waits when its caller gives no deadline. 1 ms to 1 year.
  duration checkout_timeout = std::chrono::seconds{5};
  /// TCP, TLS and identity together. 1 ms to 1 h. May exceed `checkout_timeout`: connects belong to
  /// the pool, not to who waits.
  duration connect_timeout = std::chrono::seconds{3};
  /// How long a connection may rest. Keep it below the server's limit (a load balancer's is 60 s).
  /// Zero: never closed for resting.
  duration idle_timeout = std::chrono::seconds{50};
  /// Age at which a connection is closed when it next rests, +- `lifetime_jitter`. Zero: no limit.
  duration max_lifetime = std::chrono::hours{1};
  /// Share of `max_lifetime` by which it varies, so that connections opened together do not close
  /// together. 0 to 1.
  double lifetime_jitter = 0.1;
  /// Connections that cannot watch themselves are asked `quiet()` at checkout after resting longer.
  duration idle_check_after = std::chrono::seconds{1};

  /// Endpoints whose first connection is being opened at once. 1 to 1024.
  std::size_t max_warming = 8;
  /// At a cold start, time between the first attempts of two endpoints (RFC 8305 §5). 0 to 10 s.
  duration warm_stagger = std::chrono::milliseconds{250};
  /// First wait before a failed warming, or a tier that is down while another one serves, is tried
  /// again; doubles up to `warm_backoff_max`, with jitter.
  duration warm_backoff_base = std::chrono::milliseconds{200};
  duration warm_backoff_max = std::chrono::seconds{10};  ///< Longest such wait. 1 ms to 24 h.

  /// Make before break: departed endpoints are leased at most this long while their replacements
  /// are not proven. 0 to 1 h.
  duration replacement_deadline = std::chrono::seconds{30};
  /// A leased connection of a drained endpoint is cancelled this long after the drain began, or at
  /// its call's own deadline if that is later. 0 to 24 h.
  duration drain_deadline = std::chrono::seconds{30};
  /// A departed endpoint never serves, not even when nothing else is left: for databases, where the
  /// old primary must not be written to. Calls then fail with `errc::no_usable_endpoint`.
  bool exclusive = false;
  /// New connections prove who answers (TLS, an identity check): doubted endpoints may be connected
  /// to. `make_tcp_client`, `make_tls_client` and `http_client` set it when that is so.
  bool identity_proven = false;

  /// Which endpoint serves next.
  balancing balance = balancing::least_loaded;
  /// Decides instead of `balance`. Null: nobody does.
  std::shared_ptr<endpoint_chooser> chooser;

  /// Whole-pool resets happen at most this often. 0 to 1 h.
  duration min_reset_interval = std::chrono::seconds{2};

  /// Connections being opened at once in the whole pool, for whatever purpose. The default is what
  /// the queue of one listener held before Linux 5.4 (SOMAXCONN). While all are taken and callers
  /// wait, those that take longer than `warm_stagger` keep three quarters of them at most, if
  /// another endpoint can be tried: the youngest fail as at `connect_timeout`. 1 to 1000000.
  std::size_t max_connecting = 128;
  /// Connections opened per second to keep `min_idle`, `max_warming` of them at once: after a mass
  /// drain they come back spread out, with jitter. Those that callers wait for, and the first one
  /// of an endpoint, are not counted. 1 to 1000000.
  std::size_t spare_connects_per_second = 100;

  /// When endpoints are not used for a while.
  health_options health;

  /// Seed of choice and jitter. 0: from the system's entropy.
  std::uint64_t seed = 0;
  /// May be null.
  std::shared_ptr<event_listener> listener;
};

/// \throws std::invalid_argument naming the option, its value and the legal range.
REDIAL_API void validate(const pool_options& o);

}  // namespace redial::inline REDIAL_ABI
