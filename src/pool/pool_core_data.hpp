// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the machine of a pool remembers.

#include <redial/core/histogram.hpp>
#include <redial/pool/options.hpp>
#include <redial/pool/pool.hpp>

#include "endpoints/endpoint_table.hpp"
#include "pool/connect_pace.hpp"
#include "pool/drain_plan.hpp"
#include "pool/idle_list.hpp"
#include "pool/pool_slot.hpp"
#include "pool/waiter_queue.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// No rules of its own: those are `pool_core`'s, which alone reads and writes it.
class pool_core_data {
 protected:
  pool_core_data(const pool_options& options, std::uint64_t seed, pool_state* owner);

  static constexpr time_point never = time_point::max();

  // Of the hot path: what it writes is in one cache line.
  alignas(64) std::array<std::uint32_t, slot_states> counts_{};
  bool idle_limited_ = false;  // by idle_timeout
  bool eager_ = false;         // somebody waits for what comes back
  bool active_ = false;        // something came back since the last tick
  bool refill_ = false;        // min_idle may not be met
  bool closed_ = false;
  std::uint64_t found_idle_ = 0;  // leases to callers who did not wait
  time_point coarse_now_{};
  time_point tick_at_ = never;   // keeps coarse_now_ fresh while connections come and go
  time_point sweep_at_ = never;  // arms notices
  time_point scan_at_ = never;   // closes what has rested or lived too long

  pool_options options_;
  pool_state* owner_;
  duration tick_interval_;
  duration overdue_after_;
  std::uint64_t served_ = 0;  // leases to waiting callers
  pool_counters counters_;    // but for the checkouts
  endpoint_table table_;
  std::deque<pool_slot> slots_;
  std::vector<pool_slot*> vacant_;
  std::vector<pool_slot*> opening_;    // oldest first
  std::vector<pool_slot*> draining_;   // not cancelled yet; without order
  time_point drains_at_ = never;       // none of their deadlines is earlier
  std::vector<pool_slot*> unwatched_;  // room for every slot
  waiter_queue waiters_;
  drain_plan drain_;
  fast_random jitter_;
  connect_pace spares_pace_;
  time_point spares_at_ = never;  // when the next spare may be opened
  time_point probes_at_ = never;
  std::size_t probing_ = 0;  // probes under way
  std::uint64_t numbers_ = 0;
  std::uint64_t generation_ = 0;
  bool renewing_ = false;  // a reset waits for its first new connection
  bool ever_reset_ = false;
  time_point last_reset_{};
  bool short_of_room_ = false;  // something must be opened and a limit is in the way
  time_point backoff_end_ = never;
  time_point recovery_at_ = never;  // when a better tier is tried again
  error_code last_error_;
  error_code refusal_;  // the last one that was not this machine's fault
  pool_histograms histograms_;
};

}  // namespace redial::inline REDIAL_ABI::detail
