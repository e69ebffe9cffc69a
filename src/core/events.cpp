// SPDX-License-Identifier: Apache-2.0
#include <redial/core/events.hpp>

namespace redial::inline REDIAL_ABI {

const char* to_string(freshness f) noexcept {
  switch (f) {
    case freshness::unresolved:
      return "unresolved";
    case freshness::fresh:
      return "fresh";
    case freshness::stale:
      return "stale";
    case freshness::expired:
      return "expired";
  }
  return "?";
}

const char* to_string(endpoint_change c) noexcept {
  switch (c) {
    case endpoint_change::added:
      return "added";
    case endpoint_change::absent:
      return "absent";
    case endpoint_change::doubted:
      return "doubted";
    case endpoint_change::returned:
      return "returned";
    case endpoint_change::departed:
      return "departed";
    case endpoint_change::warming:
      return "warming";
    case endpoint_change::active:
      return "active";
    case endpoint_change::warm_failed:
      return "warm_failed";
    case endpoint_change::ejected:
      return "ejected";
    case endpoint_change::quarantined:
      return "quarantined";
    case endpoint_change::retained:
      return "retained";
    case endpoint_change::drained:
      return "drained";
    case endpoint_change::recovered:
      return "recovered";
  }
  return "?";
}

const char* to_string(close_reason r) noexcept {
  switch (r) {
    case close_reason::idle:
      return "idle";
    case close_reason::lifetime:
      return "lifetime";
    case close_reason::departed:
      return "departed";
    case close_reason::drain_deadline:
      return "drain_deadline";
    case close_reason::error:
      return "error";
    case close_reason::spent:
      return "spent";
    case close_reason::poisoned:
      return "poisoned";
    case close_reason::moved:
      return "moved";
    case close_reason::peer_closed:
      return "peer_closed";
    case close_reason::unexpected_bytes:
      return "unexpected_bytes";
    case close_reason::endpoint_failed:
      return "endpoint_failed";
    case close_reason::reset:
      return "reset";
    case close_reason::abandoned:
      return "abandoned";
    case close_reason::shutdown:
      return "shutdown";
    case close_reason::ejected:
      return "ejected";
    case close_reason::quarantined:
      return "quarantined";
    case close_reason::probed:
      return "probed";
  }
  return "?";
}

const char* to_string(connection_change c) noexcept {
  switch (c) {
    case connection_change::opening:
      return "opening";
    case connection_change::opened:
      return "opened";
    case connection_change::failed:
      return "failed";
    case connection_change::closed:
      return "closed";
  }
  return "?";
}

const char* to_string(refresh_result r) noexcept {
  switch (r) {
    case refresh_result::changed:
      return "changed";
    case refresh_result::unchanged:
      return "unchanged";
    case refresh_result::stale:
      return "stale";
    case refresh_result::error:
      return "error";
  }
  return "?";
}

}  // namespace redial::inline REDIAL_ABI
