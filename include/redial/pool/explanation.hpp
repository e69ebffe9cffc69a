// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a pool uses the endpoints it uses.

#include <redial/core/abi.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Presence, as a pool acts on it: that of the snapshot, and what follows a departure.
enum class endpoint_standing {
  present,      ///< Behind the name.
  absent,       ///< Missing from the last answers of a rotating name; leased as before.
  retained,     ///< Departed; leased until its replacement is proven.
  last_resort,  ///< Departed, and no replacement came in time; leased because nothing else is.
  drained,      ///< No more leases; goes with its last connection.
};

/// Whether a pool uses an endpoint.
enum class endpoint_health {
  warming,      ///< Not proven yet: no leases.
  active,       ///< Proven.
  ejected,      ///< Failed too often; comes back through warming.
  quarantined,  ///< Somebody else answered there.
};

/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(endpoint_standing s) noexcept;
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(endpoint_health h) noexcept;

/// One endpoint of a pool.
struct pooled_endpoint_explanation {
  pooled_endpoint_explanation() = default;

  endpoint where;  ///< Priority and weight as DNS says now.
  /// Whether it is behind the name, as this pool acts on it.
  endpoint_standing standing = endpoint_standing::present;
  endpoint_health health = endpoint_health::warming;  ///< Whether it is proven.
  bool doubted = false;      ///< Missing for long: new connections only where identity is proven.
  bool leasable = false;     ///< May be leased, now or when a better tier fails.
  bool serving = false;      ///< Of the tier that calls go to now.
  time_point known_since{};  ///< First snapshot with it, in this life of it.
  /// First snapshot without it, or with it as absent; `time_point::max()`: not missing.
  time_point missing_since = time_point::max();
  /// The last lease that began after that; `time_point::min()`: none did.
  time_point last_leased = time_point::min();

  std::uint32_t opening = 0;   ///< Connections being opened,
  std::uint32_t idle = 0;      ///< free to be lent,
  std::uint32_t leased = 0;    ///< in use,
  std::uint32_t draining = 0;  ///< and in use for the last time.

  std::uint32_t failures = 0;  ///< Connect failures in a row, up to now.
  error_code last_error;       ///< Of the last connect that failed; also when others followed.
  std::uint32_t strikes = 0;   ///< Failures in a row of connects and leases; too many eject it.

  std::string why;                         ///< In words: why it is leased, or not.
  std::string next;                        ///< In words: what would change that; with `next_at`.
  time_point next_at = time_point::max();  ///< The instant of `next`, when time decides.
};

/// Everything about one pool, at one instant.
struct pool_explanation {
  pool_explanation() = default;

  std::string name;       ///< The target's canonical text.
  time_point now{};       ///< When this was true, by the pool's clock.
  bool closed = false;    ///< Nothing is lent any more.
  pool_gauges gauges;     ///< What it holds.
  error_code last_error;  ///< Of the last connect of all; clear after a success.
  /// Those behind the name, then those that have left and still hold something.
  std::vector<pooled_endpoint_explanation> endpoints;
};

/// Several lines of text; instants as seconds from `now`.
[[nodiscard]] REDIAL_API std::string to_string(const pool_explanation& e);

}  // namespace redial::inline REDIAL_ABI
