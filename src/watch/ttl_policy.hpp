// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a TTL to two instants: until when an answer is fresh, and when to ask again.

#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>

#include "watch/random_source.hpp"

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {

struct answer_times {
  time_point fresh_until;
  time_point ask_again;
  /// Asking is of use from then on; `ask_again` is later by chance, to spread the questions.
  time_point may_ask;
};

/// `ttl` within [ttl_floor, ttl_cap]. Negative ones (a cast gone wrong below us) count as zero.
[[nodiscard]] duration effective_ttl(std::chrono::seconds ttl,
                                     const watch_options& options) noexcept;

[[nodiscard]] answer_times times_of(std::chrono::seconds ttl,
                                    time_point now,
                                    const watch_options& options,
                                    random_source& random) noexcept;

/// The wait after the `failures`th failure in a row (from 1).
[[nodiscard]] duration backoff_after(unsigned failures,
                                     const watch_options& options,
                                     random_source& random) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
