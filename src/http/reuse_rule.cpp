// SPDX-License-Identifier: Apache-2.0

#include "http/reuse_rule.hpp"

#include "http/grammar.hpp"

namespace redial::inline REDIAL_ABI::detail {

bool may_reuse(const exchange_end& e) noexcept {
  return e.request_complete && e.keep_alive && !e.ended_by_close && e.leftover == 0;
}

error_code check_head(const response_head& h) noexcept {
  if (h.status < 100 || h.status > 599 || h.status == 101) return errc::bad_response;
  if (h.transfer_encodings.empty()) return {};
  // RFC 9112 §6.1: an HTTP/1.0 message with a transfer coding has faulty framing. We asked for no
  // other coding, and cannot undo one.
  if (h.version < 11 || h.transfer_encodings.size() > 1 ||
      !same_name(h.transfer_encodings.front(), "chunked")) {
    return errc::bad_response;
  }
  return {};
}

response_meaning meaning_of(unsigned status, bool idempotent) noexcept {
  if (status == 421) return response_meaning::misdirected;
  return is_unwell(status) && idempotent ? response_meaning::unavailable : response_meaning::final;
}

}  // namespace redial::inline REDIAL_ABI::detail
