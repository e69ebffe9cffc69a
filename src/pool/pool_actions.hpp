// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the pool's machine asks its driver to do once the lock is released.

#include <redial/core/events.hpp>
#include <redial/pool/lease.hpp>
#include <redial/ports/connector.hpp>
#include <redial/watch/snapshot.hpp>

#include "pool/pool_slot.hpp"
#include "pool/waiter_queue.hpp"

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Events with what they refer to, so that they can be told later.
struct endpoint_news {
  endpoint where;
  endpoint_change change{};
  error_code error;
};
struct connection_news {
  endpoint where;
  std::uint64_t connection = 0;
  connection_change change{};
  close_reason reason{};
  error_code error;
  duration elapsed{};
};
struct reset_news {
  bool suppressed = false;
  error_code cause;
};
struct panic_news {
  bool begun = false;
  std::uint32_t healthy = 0;
  std::uint32_t endpoints = 0;
};
struct checkout_news {
  error_code error;
  duration waited{};
};
using pool_news =
    std::variant<endpoint_news, connection_news, reset_news, panic_news, checkout_news>;

/// So that the next `push_back` does not throw: first the room, then the change.
template <class T>
void room_for_one_more(std::vector<T>& in) {
  if (in.size() == in.capacity()) in.reserve(in.empty() ? 4 : 2 * in.size());
}

struct pool_actions {
  struct opening {
    pool_slot* slot = nullptr;
    std::uint64_t number = 0;
    endpoint where;
    time_point deadline{};
    bool checked = false;  ///< By the health probe, before it counts as open.
  };
  /// A caller's wait is over: with a lease of `slot`, or with `error`.
  struct served {
    ticket who = 0;
    error_code error;
    pool_slot* slot = nullptr;
  };
  /// Tell the holder, then close.
  struct cancelled_lease {
    std::shared_ptr<pooled_connection> connection;
    std::weak_ptr<lease_observer> observer;
    error_code why;
  };
  /// Arm its notice, on its executor; the slot is `checking` meanwhile.
  struct watch {
    pool_slot* slot = nullptr;
    std::uint64_t number = 0;
    std::shared_ptr<pooled_connection> connection;
    std::weak_ptr<idle_observer> observer;
  };
  struct report {
    endpoint where;
    endpoint_outcome outcome{};
    bool last_usable = false;
  };

  std::vector<served> waits_over;
  std::vector<cancelled_lease> leases_cancelled;
  std::vector<std::shared_ptr<pooled_connection>> to_close;
  /// As `to_close`: the one that a checkout found dead, where there may be no memory for a list.
  std::shared_ptr<pooled_connection> found_dead;
  /// Closed already by whoever cancelled the lease; the last reference goes outside the lock.
  std::vector<std::shared_ptr<pooled_connection>> to_drop;
  std::vector<std::shared_ptr<connect_operation>> to_cancel;
  std::vector<watch> watches;
  std::vector<opening> openings;
  std::vector<report> reports;
  bool refresh = false;
  std::vector<pool_news> news;
};

}  // namespace redial::inline REDIAL_ABI::detail
