// SPDX-License-Identifier: Apache-2.0
#include <redial/pool/options.hpp>

#include "core/option_range.hpp"

#include <chrono>

namespace redial::inline REDIAL_ABI {
namespace {

using namespace std::chrono_literals;

constexpr auto owner = "pool_options";

void check_counts(const pool_options& o) {
  detail::check_count(owner, "max_total_connections", o.max_total_connections, {1}, {1'000'000});
  detail::check_count(owner, "max_connections", o.max_connections, {1}, {65535});
  detail::check_count(owner,
                      "max_connections",
                      o.max_connections,
                      {1},
                      {o.max_total_connections, "max_total_connections"});
  detail::check_count(owner, "min_idle", o.min_idle, {0}, {o.max_connections, "max_connections"});
  detail::check_count(owner, "queue_limit", o.queue_limit, {0}, {1'000'000});
  detail::check_count(owner, "max_warming", o.max_warming, {1}, {1024});
  detail::check_count(owner, "max_connecting", o.max_connecting, {1}, {1'000'000});
  detail::check_count(
      owner, "spare_connects_per_second", o.spare_connects_per_second, {1}, {1'000'000});
}

void check_times(const pool_options& o) {
  detail::check_time(owner, "checkout_timeout", o.checkout_timeout, {1ms}, {longest_duration});
  detail::check_time(owner, "connect_timeout", o.connect_timeout, {1ms}, {1h});
  detail::check_time(owner, "idle_timeout", o.idle_timeout, {0s}, {longest_duration});
  detail::check_time(owner, "max_lifetime", o.max_lifetime, {0s}, {longest_duration});
  detail::check_number(owner, "lifetime_jitter", o.lifetime_jitter, {0.0}, {1.0});
  detail::check_time(owner, "idle_check_after", o.idle_check_after, {0s}, {longest_duration});
  detail::check_time(owner, "warm_stagger", o.warm_stagger, {0s}, {10s});
  detail::check_time(owner, "warm_backoff_max", o.warm_backoff_max, {1ms}, {24h});
  detail::check_time(owner,
                     "warm_backoff_base",
                     o.warm_backoff_base,
                     {1ms},
                     {o.warm_backoff_max, "warm_backoff_max"});
  detail::check_time(owner, "replacement_deadline", o.replacement_deadline, {0s}, {1h});
  detail::check_time(owner, "drain_deadline", o.drain_deadline, {0s}, {24h});
  detail::check_time(owner, "min_reset_interval", o.min_reset_interval, {0s}, {1h});
}

void check_health(const health_options& h) {
  constexpr auto where = "health_options";
  detail::check_count(where, "consecutive_failures", h.consecutive_failures, {0}, {1'000'000});
  detail::check_time(where, "ejection_max", h.ejection_max, {1ms}, {24h});
  detail::check_time(
      where, "ejection_base", h.ejection_base, {1ms}, {h.ejection_max, "ejection_max"});
  detail::check_number(where, "ejection_jitter", h.ejection_jitter, {0.0}, {1.0});
  detail::check_count(where, "max_ejected_percent", h.max_ejected_percent, {0}, {100});
  detail::check_count(where, "panic_threshold_percent", h.panic_threshold_percent, {0}, {100});
  detail::check_time(where, "slow_start", h.slow_start, {0s}, {24h});
  detail::check_time(where, "probe_interval", h.probe_interval, {10ms}, {24h});
  detail::check_time(where, "probe_timeout", h.probe_timeout, {1ms}, {1h});
  detail::check_count(where, "unhealthy_after", h.unhealthy_after, {1}, {1000});
  detail::check_count(where, "healthy_after", h.healthy_after, {1}, {1000});
}

}  // namespace

void validate(const pool_options& o) {
  check_counts(o);
  check_times(o);
  check_health(o.health);
}

}  // namespace redial::inline REDIAL_ABI
