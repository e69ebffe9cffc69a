// SPDX-License-Identifier: Apache-2.0
#pragma once

// Addresses that a name may not lead to, whoever says so in DNS. Pure.

#include <redial/core/address_range.hpp>
#include <redial/core/answer.hpp>

#include <algorithm>
#include <vector>

namespace redial::detail {

/// Takes out of `received` what lies in one of `denied`, and counts it as dropped. When nothing is
/// left the answer is `no_data` with the TTL it had.
inline void take_denied_out(answer& received, const std::vector<address_range>& denied) {
  const auto is_denied = [&](const address& a) {
    return std::ranges::any_of(denied, [&](const address_range& r) { return r.contains(a); });
  };
  const auto gone = std::erase_if(received.addresses, is_denied);
  if (gone == 0) return;
  received.dropped += static_cast<std::uint32_t>(gone);
  if (!received.addresses.empty()) return;
  received.outcome = answer_outcome::no_data;
  received.error = errc::no_data;
}

}  // namespace redial::detail
