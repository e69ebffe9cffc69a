// SPDX-License-Identifier: Apache-2.0
#pragma once

// What we believe about a name at one moment.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Whether an endpoint is still behind its name. Departed endpoints leave the snapshot.
enum class presence {
  present,  ///< In the last good answer, or a rotating name showed it recently enough.
  absent,   ///< Missing, without enough evidence that it has left.
};

/// What a source of the user's says about an endpoint besides where it is; keys are unique.
using endpoint_metadata = std::map<std::string, std::string>;

/// One endpoint, and what is believed about it.
struct snapshot_entry {
  snapshot_entry() = default;

  endpoint where;                                         ///< Which one.
  redial::presence presence = redial::presence::present;  ///< Whether it is still behind the name.
  /// Absent for at least `absence_window`: open connections go on serving, new ones are opened only
  /// where identity is proven.
  bool doubted = false;
  /// Differs when an endpoint departed and came back: a new life, whose connections are new.
  std::uint64_t life = 0;
  /// Null for endpoints from DNS. A change counts as one even if the new map is equal.
  std::shared_ptr<const endpoint_metadata> metadata;
};

/// An immutable statement about one name. Subscribers share it.
struct snapshot {
  snapshot() = default;

  std::string name;  ///< The target's canonical text.
  /// Grows by one with every publication of this name.
  std::uint64_t generation = 0;
  freshness state = freshness::unresolved;  ///< What the endpoints are worth.
  /// Sorted by endpoint. Empty while unresolved, and when the name is believed to be gone.
  std::vector<snapshot_entry> endpoints;
  /// True when answers show only a part of the endpoints (design: rotating name).
  bool rotating = false;
  /// Why there are no endpoints (`errc::name_gone`, `errc::name_not_found`, ...), or the last
  /// failed refresh. Clear when all is well.
  error_code error;
  /// True when `error` is definite: waiting longer will not help.
  bool definite = false;
  /// When the last good answer's effective TTL ends, as of this publication: an answer that changes
  /// nothing else publishes nothing.
  time_point fresh_until{};
};

using snapshot_ptr = std::shared_ptr<const snapshot>;  ///< Shared by all who were told it.

/// What a user of an endpoint saw, as evidence about its presence.
enum class endpoint_outcome {
  connected,         ///< A connection was opened.
  connect_refused,   ///< A connect failed for a reason that speaks against the address (not a
                     ///< timeout, not a local fault).
  connection_reset,  ///< An open connection was reset or closed before any byte of a response.
  timed_out,         ///< Connect or response took too long: asks for a refresh, proves nothing.
  moved,             ///< The peer says that it is not responsible any more: asks for a refresh.
};

}  // namespace redial::inline REDIAL_ABI
