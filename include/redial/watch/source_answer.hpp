// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a source of endpoints other than DNS says about a target.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/watch/snapshot.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// One endpoint of a source's answer.
struct sourced_endpoint {
  sourced_endpoint() = default;
  /// Healthy, without metadata.
  explicit sourced_endpoint(endpoint e) : where(std::move(e)) {}

  /// Port 0: the target's. Priority and weight mean what they mean in SRV records.
  endpoint where;
  /// Unhealthy ones are left out, unless all are: then the health is not believed and all count.
  bool healthy = true;
  /// For `snapshot_entry::metadata`; redial itself does not look at it.
  endpoint_metadata metadata;
};

/// One answer: all endpoints of the target, or why there are none.
struct source_answer {
  source_answer() = default;

  /// `records` with endpoints; `no_data` (or `records` without any) when the source knows none;
  /// `name_not_found` when it does not know the target; anything else is a failure.
  answer_outcome outcome = answer_outcome::records;
  std::vector<sourced_endpoint> endpoints;  ///< All that the target has.
  /// How long it is good; within `ttl_floor` and `ttl_cap`, as a record's.
  std::chrono::seconds ttl{10};
  /// The failure's own code; clear: the usual one of the outcome.
  error_code error;
};

}  // namespace redial::inline REDIAL_ABI
