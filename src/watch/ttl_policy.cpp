// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 2181 section 8 (TTL range), RFC 2308 (negative TTL), RFC 8767 (serving stale).
// Constants: 10 % and 0.5 s spread the questions of many clients, yet keep the delay after a change
// small; a backoff is shortened by up to a fifth, never lengthened, so that its maximum is a bound.

#include "watch/ttl_policy.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

namespace {
constexpr duration latest_after_expiry = std::chrono::milliseconds{500};
}

duration effective_ttl(std::chrono::seconds ttl, const watch_options& options) noexcept {
  // Compared in seconds: a TTL of centuries does not fit a duration, in either direction.
  if (ttl <= std::chrono::seconds{0}) return options.ttl_floor;
  if (ttl >= std::chrono::ceil<std::chrono::seconds>(options.ttl_cap)) return options.ttl_cap;
  return std::clamp<duration>(ttl, options.ttl_floor, options.ttl_cap);
}

answer_times times_of(std::chrono::seconds ttl,
                      time_point now,
                      const watch_options& options,
                      random_source& random) noexcept {
  const duration kept = effective_ttl(ttl, options);
  answer_times times;
  times.fresh_until = after(now, kept);
  if (ttl > std::chrono::floor<std::chrono::seconds>(options.ttl_cap)) {
    // The cap governs: nobody else's copy ends now, so ask before ours does.
    times.may_ask = after(now, kept / 10 * 9);
    times.ask_again = after(now, random.between(kept / 10 * 9, kept));
  } else {
    // The TTL governs: a cache in between drops its copy at expiry, so ask just after.
    times.may_ask = times.fresh_until;
    times.ask_again =
        after(times.fresh_until, random.between({}, std::min(kept / 10, latest_after_expiry)));
  }
  return times;
}

duration backoff_after(unsigned failures,
                       const watch_options& options,
                       random_source& random) noexcept {
  duration wait = options.backoff_base;
  for (unsigned i = 1; i < failures && wait < options.backoff_max; ++i) {
    wait = wait > options.backoff_max / 2 ? options.backoff_max : wait * 2;
  }
  wait = std::min(wait, options.backoff_max);
  return random.between(wait / 5 * 4, wait);
}

}  // namespace redial::inline REDIAL_ABI::detail
