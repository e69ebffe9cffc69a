// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a pool knows about one endpoint during one life.

#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/endpoints/balancing.hpp>

#include "endpoints/ejection.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace redial::inline REDIAL_ABI::detail {

struct pool_slot;

/// Presence as the pool acts on it: that of the snapshot, and what follows a departure.
enum class standing : std::uint8_t {
  present,
  absent,       ///< Leased like a present one.
  retained,     ///< Departed; still leased, its replacement is not proven yet.
  last_resort,  ///< Departed, and the time for a replacement is over; leased because nothing else
                ///< is.
  drained,      ///< No more leases.
};

enum class health : std::uint8_t {
  warming,      ///< Never proven in this life.
  active,       ///< A connection was opened and proven.
  ejected,      ///< Failed too often; comes back through warming. Leased in a panic only.
  quarantined,  ///< Somebody else answered there. Never leased; comes back through warming.
};

inline constexpr happening not_yet = std::numeric_limits<happening>::max();

/// One life of one endpoint. The address of an entry stays the same until it is released.
struct alignas(64) endpoint_entry {
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
  /// In place of a place among the idle ones: it may be leased, and another tier serves.
  static constexpr std::uint32_t standing_by = nowhere - 1;

  // What every choice reads; together in one cache line.
  std::uint32_t leases = 0;       ///< Leased and draining connections.
  std::uint32_t idle = 0;         ///< Connections on the idle list.
  pool_slot* idle_top = nullptr;  ///< Most recently returned one; only the pool looks inside.
  pool_slot* idle_bottom = nullptr;
  std::uint32_t usable_at = nowhere;      ///< Place among those that may be leased.
  std::uint32_t maybe_idle_at = nowhere;  ///< Place among those that may have an idle one.
  std::uint64_t id = 0;                   ///< Number of this life within its pool.
  std::uint32_t opening = 0;              ///< Connections being opened, that of a probe included.
  std::uint32_t overdue = 0;              ///< Of those opening, the ones that take too long.
  std::uint32_t connections = 0;          ///< All of them, opening ones included.
  standing presence = standing::present;
  health state = health::warming;
  bool doubted = false;
  bool suspect = false;                ///< A return must be looked at: it may clear its record.
  std::uint32_t serving_at = nowhere;  ///< Place among those that serve: of the serving tier.
  std::uint16_t priority = 0;          ///< As DNS says now; `where` says what it was at first.
  std::uint16_t weight = 0;            ///< The same.

  endpoint where;          ///< Never changes: who holds a lease reads it without the lock.
  std::uint64_t life = 0;  ///< As the snapshot numbers it.
  std::uint64_t hash = 0;  ///< Of `where`, for keys.

  std::uint32_t failures = 0;         ///< Connect failures since the last success.
  time_point not_before{};            ///< No connect earlier: backoff.
  time_point probe_at{};              ///< When it is tried again while a worse tier serves.
  bool counted_up = false;            ///< What its tier has counted it as.
  happening last_failure = 0;         ///< When the last connect failed, as an order.
  happening first_attempt = not_yet;  ///< When its first warming attempt ended.
  happening departure = 0;
  time_point departed_at{};
  std::uint64_t warming_order = 0;  ///< Its key in the warming queue; 0: not queued.
  time_point warming_due{};
  bool warming_again = false;  ///< It has failed before.
  bool warming_now = false;    ///< A warming attempt is under way.
  bool told_retained = false;

  health_record record;
  time_point known_since{};                      ///< When its life began for this pool.
  time_point missing_since = time_point::max();  ///< First snapshot without it, or as absent.
  time_point last_leased = time_point::min();    ///< Only kept while it is missing.
  error_code last_error;                         ///< Of the last connect that failed.

  [[nodiscard]] bool has_departed() const noexcept { return presence >= standing::retained; }
  [[nodiscard]] bool is_usable() const noexcept { return usable_at != nowhere; }
  [[nodiscard]] bool is_serving() const noexcept { return serving_at != nowhere; }
  [[nodiscard]] std::uint32_t load() const noexcept { return leases + opening; }
  /// Connections being opened that can be lent once they are open: a probe's cannot.
  [[nodiscard]] std::uint32_t coming() const noexcept {
    return opening - (record.probing ? 1U : 0U);
  }
};
static_assert(offsetof(endpoint_entry, where) == 64 || sizeof(void*) != 8);

/// Cannot serve just now: its last connect failed, and nothing that was opened before is left; or
/// it serves only because of a panic. The only judgement that moves calls to the next tier.
[[nodiscard]] inline bool is_down(const endpoint_entry& e) noexcept {
  return (e.failures > 0 && e.connections == e.opening) || e.state == health::ejected;
}

/// The pool's options that endpoints depend on (see `pool_options` for each).
struct endpoint_rules {
  endpoint_rules() = default;
  std::size_t max_warming = 8;
  duration warm_stagger = std::chrono::milliseconds{250};
  duration backoff_base = std::chrono::milliseconds{200};
  duration backoff_max = std::chrono::seconds{10};
  duration replacement_deadline = std::chrono::seconds{30};
  bool exclusive = false;
  bool identity_proven = false;

  balancing balance = balancing::least_loaded;
  std::shared_ptr<endpoint_chooser> chooser;
  std::size_t max_connections = std::numeric_limits<std::size_t>::max();
  ejection_rules ejection;
};

}  // namespace redial::inline REDIAL_ABI::detail
