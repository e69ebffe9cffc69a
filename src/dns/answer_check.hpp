// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the bytes of a DNS response to a checked answer. Pure: no state, no I/O.

#include <redial/core/answer.hpp>

#include <cstdint>
#include <span>

namespace redial::inline REDIAL_ABI::detail {

/// Reads `message` as the response to `asked`.
///
/// Trusts nothing: QR, opcode, the question section, class, and the owner of every record are
/// checked, the CNAME chain is followed by name and not by order. Whatever does not hold together
/// is `answer_outcome::malformed` with `errc::dns_bad_answer`, so is one SRV target that cannot be
/// read. Only the answer section counts: addresses in the additional section are ignored.
///
/// \par Cost Bounded by the size of the message, also for compression pointers made to loop.
/// \throws std::bad_alloc
[[nodiscard]] answer check_answer(question asked, std::span<const std::uint8_t> message);

}  // namespace redial::inline REDIAL_ABI::detail
