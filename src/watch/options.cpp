// SPDX-License-Identifier: Apache-2.0

#include <redial/watch/options.hpp>

#include "core/option_range.hpp"

#include <chrono>
#include <stdexcept>

namespace redial::inline REDIAL_ABI {

void validate(const watch_options& o) {
  using namespace std::chrono_literals;
  constexpr auto owner = "watch_options";
  detail::check_time(owner, "ttl_cap", o.ttl_cap, {10ms}, {24h});
  detail::check_time(owner, "ttl_floor", o.ttl_floor, {10ms}, {o.ttl_cap, "ttl_cap"});
  detail::check_time(
      owner, "stale_limit", o.stale_limit, {o.ttl_cap, "ttl_cap"}, {duration::max()});
  detail::check_time(owner, "backoff_max", o.backoff_max, {10ms}, {24h});
  detail::check_time(owner, "backoff_base", o.backoff_base, {10ms}, {o.backoff_max, "backoff_max"});
  detail::check_time(
      owner, "min_forced_refresh_interval", o.min_forced_refresh_interval, {0s}, {1h});
  detail::check_time(owner, "first_family_wait", o.first_family_wait, {0s}, {10s});
  detail::check_time(owner, "absence_window", o.absence_window, {0s}, {24h});
  detail::check_time(owner, "rotation_memory", o.rotation_memory, {1s}, {24h});
  detail::check_time(owner, "rotation_end", o.rotation_end, {1s}, {24h});
  detail::check_count(owner, "max_endpoints", o.max_endpoints, {1}, {65536});
  detail::check_count(owner, "max_srv_targets", o.max_srv_targets, {1}, {4096});
  if (!o.ipv4 && !o.ipv6) {
    throw std::invalid_argument("watch_options::ipv4 and ipv6 are both off: one must be on");
  }
}

}  // namespace redial::inline REDIAL_ABI
