// SPDX-License-Identifier: Apache-2.0
#pragma once

// One place for a connection in a pool, and what is known about the connection in it.

#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/pool/lease.hpp>
#include <redial/ports/connector.hpp>

#include "endpoints/endpoint_entry.hpp"

#include <boost/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

class pool_state;

enum class slot_state : std::uint8_t {
  vacant,
  opening,
  idle,      ///< On its endpoint's idle list.
  checking,  ///< The pool is using it: arming its notice, or asking whether it is quiet.
  leased,
  draining,  ///< Leased, and closed when it comes back.
};
inline constexpr std::size_t slot_states = 6;

enum class opening_for : std::uint8_t {
  warming,
  demand,
  recovery,  ///< Of a tier that is down, while a worse one serves.
  probe,     ///< Closed again when it is open and checked.
};

/// Whether a connection can tell that its peer did something while it idled.
enum class watching : std::uint8_t { unknown, yes, no };

/// Why a connection is closed as soon as it is free; nothing: it is not.
using doom_reason = std::optional<close_reason>;

/// Guarded by the pool's lock, except that the holder of its lease reads `pool`, `connection`,
/// `home`, `number` and `leases`, which do not change during a lease, and writes `keep_until` and
/// `kept`.
struct alignas(64) pool_slot {
  // What checkout and return touch.
  slot_state state = slot_state::vacant;
  watching watch = watching::unknown;
  bool armed = false;          ///< Its notice is armed.
  bool listed = false;         ///< Among those whose notice is to be armed.
  bool observed = false;       ///< `observer` was set.
  bool retained = false;       ///< Was lent after its endpoint had left.
  bool kept = false;           ///< `keep_until` was set; its holder's own.
  std::uint32_t leases = 0;    ///< How often it was lent.
  pool_state* pool = nullptr;  ///< The one that it belongs to.
  endpoint_entry* home = nullptr;
  pool_slot* below = nullptr;  ///< On the idle list.
  time_point idle_since{};
  time_point expires_at{};                        ///< By `max_lifetime`.
  std::shared_ptr<pooled_connection> connection;  // its pointer is the last of the cache line

  pool_slot* above = nullptr;  ///< On the idle list; that of the top one is not used.
  static constexpr time_point::rep not_kept = time_point::min().time_since_epoch().count();
  std::atomic<time_point::rep> keep_until{not_kept};
  std::uint64_t number = 0;

  std::uint32_t swept = 0;  ///< `leases` at the last sweep.
  bool stirred = false;     ///< Its notice came while it was being armed.
  bool cancelled = false;   ///< Taken from its holder; closed already.
  bool overdue = false;     ///< Opening for so long that others are tried beside it.
  bool give_up = false;     ///< Its opening was abandoned before it could be cancelled.
  opening_for purpose = opening_for::demand;
  doom_reason doom;  ///< Closed for this reason when it comes back.
  time_point opening_since{};
  time_point open_by{};
  time_point opened_at{};
  happening opened = 0;
  std::uint64_t generation = 0;  ///< Of the pool when it was opened (see reset).
  time_point drain_end{};
  std::uint32_t draining_at = 0;  ///< Place among those that drain, if it is one of them.
  error_code cancelled_for;
  std::weak_ptr<lease_observer> observer;
  std::shared_ptr<connect_operation> operation;
  std::shared_ptr<idle_observer> watcher;

  // Before the lease ends, by who ends it.
  void forget_kept() noexcept {
    kept = false;
    keep_until.store(not_kept, std::memory_order_relaxed);
  }
  BOOST_NOINLINE void forget_observer() noexcept {
    observed = false;
    observer.reset();
  }
};
static_assert(offsetof(pool_slot, connection) == 64 - sizeof(void*) || sizeof(void*) != 8);

}  // namespace redial::inline REDIAL_ABI::detail
