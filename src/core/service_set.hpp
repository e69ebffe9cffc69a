// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which SRV records of one answer are believed. For real sources of answers and scripted ones.

#include <redial/core/answer.hpp>

#include <cstdint>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What is left of the SRV records of one owner.
struct service_set {
  std::vector<srv_record> usable;  ///< As `answer::services`.
  std::uint32_t dropped = 0;       ///< As `answer::dropped`.
  bool no_service = false;         ///< There are records, and the target of each is ".".
};

/// Judges records as they were read: targets in any case, with or without a trailing dot, "." for
/// the root, escaped as RFC 1035 §5.1 has it where a label holds odd bytes.
///
/// Of several with one target and port the one with the lowest priority stays, then the one with
/// the highest weight: an endpoint has one place in the order.
[[nodiscard]] REDIAL_API service_set judge_services(const std::vector<srv_record>& raw);

}  // namespace redial::inline REDIAL_ABI::detail
