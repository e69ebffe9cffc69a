// SPDX-License-Identifier: Apache-2.0
#pragma once

// How fresh, how long, how sure: what a discovery believes about names.

#include <redial/core/abi.hpp>
#include <redial/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace redial::inline REDIAL_ABI {

/// What a failed refresh does to the endpoints known so far.
enum class on_failure {
  keep,     ///< Serve the last good ones, ask again with backoff.
  believe,  ///< Take the failure as the truth: drop them.
};

/// What the answers to a question tell of a name's endpoints.
enum class membership {
  automatic,  ///< Complete until answers rotate; see `watch_options::membership`.
  complete,   ///< Every answer lists all endpoints.
  sampled,    ///< Every answer may list only some.
};

/// Rules for one name. Validated where it is used; `std::invalid_argument` names the option, the
/// value and the legal range.
struct watch_options {
  watch_options() = default;

  /// Lowest TTL honoured; also how often at most a name with TTL 0 is asked for. 10 ms to
  /// `ttl_cap`.
  duration ttl_floor = std::chrono::seconds{1};
  /// Highest TTL honoured. `ttl_floor` to 24 h. A load balancer's TTL is 60 s; ten seconds bound
  /// the time on an old address and cost six queries a minute.
  duration ttl_cap = std::chrono::seconds{10};
  /// After this long without a good answer the endpoints count as expired; `longest_duration`:
  /// never. At least `ttl_cap`. RFC 8767's 1 to 3 days suits a shared resolver; for a client a
  /// wrong address is worse than none after an hour.
  duration stale_limit = std::chrono::hours{1};
  /// First wait after a failed refresh; doubles up to `backoff_max`, with jitter. 10 ms to
  /// `backoff_max`.
  duration backoff_base = std::chrono::milliseconds{200};
  duration backoff_max = std::chrono::seconds{10};  ///< Longest such wait. 10 ms to 24 h.
  /// Forced refreshes of a name happen at most this often; one asked for earlier is put off to the
  /// end of the interval. 0 to 1 h.
  duration min_forced_refresh_interval = std::chrono::seconds{2};
  /// The first publication waits at most this long for the other address family. 0 to 10 s.
  duration first_family_wait = std::chrono::milliseconds{50};

  on_failure on_timeout = on_failure::keep;         ///< Nobody answered.
  on_failure on_server_failure = on_failure::keep;  ///< SERVFAIL, NOTIMP, FORMERR, an unknown code.
  on_failure on_refused = on_failure::keep;         ///< REFUSED, or nothing listens there.
  on_failure on_name_not_found = on_failure::keep;  ///< NXDOMAIN.
  /// NODATA in all families; an SRV record with the target "." too.
  on_failure on_no_data = on_failure::keep;
  /// A source of the user's that answers and knows no endpoint.
  on_failure on_empty_source = on_failure::keep;

  /// Whether an answer lists all endpoints. `automatic` believes so until an answer of exactly 8
  /// records differs from the one before, or an address comes back within `rotation_memory` (with
  /// one record per answer: three times). Say `complete` where DNS lists everything.
  redial::membership membership = redial::membership::automatic;
  /// How long an address of a rotating name must be missing before it may depart. 0 to 24 h.
  duration absence_window = std::chrono::seconds{30};
  /// An address that returns within this time shows that the name rotates, and departed addresses
  /// are remembered this long. 1 s to 24 h.
  duration rotation_memory = std::chrono::minutes{5};
  /// Without a return for this long the name is complete again. 1 s to 24 h.
  duration rotation_end = std::chrono::minutes{10};
  /// Endpoints kept per name; more are left out in a deterministic way, and counted. 1 to 65536.
  std::size_t max_endpoints = 4096;
  /// Distinct targets of an SRV name that are looked up; records of more are left out in a
  /// deterministic way, and counted. 1 to 4096.
  std::size_t max_srv_targets = 256;

  bool ipv4 = true;  ///< Ask for A records,
  bool ipv6 = true;  ///< At least one of the families must be on.

  /// Seed of the jitter. 0: seeded from the system's entropy.
  std::uint64_t seed = 0;
};

/// \throws std::invalid_argument naming the option, its value and the legal range.
REDIAL_API void validate(const watch_options& o);

}  // namespace redial::inline REDIAL_ABI
