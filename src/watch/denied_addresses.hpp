// SPDX-License-Identifier: Apache-2.0
#pragma once

// Addresses that a name may not lead to, whoever says so in DNS. Pure.

#include <redial/core/address_range.hpp>
#include <redial/core/answer.hpp>
#include <redial/watch/snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

[[nodiscard]] inline bool is_denied(const address& a, const std::vector<address_range>& denied) {
  return std::ranges::any_of(denied, [&](const address_range& r) { return r.contains(a); });
}

/// Takes out of `received` what lies in one of `denied`, and counts it as dropped. When nothing is
/// left the answer is `no_data` with the TTL it had.
inline void take_denied_out(answer& received, const std::vector<address_range>& denied) {
  const auto gone =
      std::erase_if(received.addresses, [&](const address& a) { return is_denied(a, denied); });
  if (gone == 0) return;
  received.dropped += static_cast<std::uint32_t>(gone);
  if (!received.addresses.empty()) return;
  received.outcome = answer_outcome::no_data;
  received.error = errc::no_data;
}

/// The same for what is known about a host that an answer has named: the hosts file's addresses,
/// and those of `localhost`. Adds to `dropped`.
[[nodiscard]] inline snapshot_ptr without_denied(snapshot_ptr of_host,
                                                 const std::vector<address_range>& denied,
                                                 std::uint32_t& dropped) {
  if (denied.empty() || of_host == nullptr) return of_host;
  auto cut = std::make_shared<snapshot>(*of_host);
  const auto gone = std::erase_if(
      cut->endpoints, [&](const snapshot_entry& e) { return is_denied(e.where.addr, denied); });
  if (gone == 0) return of_host;
  dropped += static_cast<std::uint32_t>(gone);
  if (cut->endpoints.empty()) {
    cut->error = errc::no_data;
    cut->definite = true;
  }
  return cut;
}

}  // namespace redial::inline REDIAL_ABI::detail
