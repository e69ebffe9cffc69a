// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a caller says about the endpoints that have failed it.

#include <redial/core/abi.hpp>

#include "endpoints/endpoint_entry.hpp"
#include "pool/waiter_queue.hpp"

#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// When the endpoint failed this caller last; null when the caller has not tried it.
[[nodiscard]] inline const tried_endpoint* last_try(const tries& tried, std::uint64_t id) noexcept {
  const tried_endpoint* last = nullptr;
  for (const tried_endpoint& t : tried) {
    if (t.id == id && (last == nullptr || t.failed_at > last->failed_at)) last = &t;
  }
  return last;
}

/// The caller has not tried it.
[[nodiscard]] inline bool wants(const tries& tried, const endpoint_entry& e) noexcept {
  return last_try(tried, e.id) == nullptr;
}

}  // namespace redial::inline REDIAL_ABI::detail
