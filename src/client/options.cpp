// SPDX-License-Identifier: Apache-2.0

#include <redial/client/options.hpp>

#include "core/option_range.hpp"

#include <chrono>

namespace redial::inline REDIAL_ABI {

using namespace std::chrono_literals;

retry_policy retry_policy::finagle() {
  retry_policy p;
  p.max_attempts = 4;
  p.first_at_once = false;
  p.delay = 200ms;
  p.jitter = 0;
  p.reset_on_failure = true;
  p.reset_grace = 2s;
  return p;
}

void validate(const retry_policy& p) {
  detail::check_count("retry_policy", "max_attempts", p.max_attempts, {1}, {100});
  detail::check_time("retry_policy", "delay", p.delay, {0s}, {60s});
  detail::check_number("retry_policy", "delay_factor", p.delay_factor, {1}, {10});
  detail::check_time("retry_policy", "delay_max", p.delay_max, {p.delay, "delay"}, {60s});
  detail::check_number("retry_policy", "jitter", p.jitter, {0}, {1});
  detail::check_number("retry_policy", "budget_percent", p.budget_percent, {0}, {100});
  detail::check_number("retry_policy", "budget_per_second", p.budget_per_second, {0}, {1'000'000});
  detail::check_time("retry_policy", "budget_window", p.budget_window, {100ms}, {1h});
  detail::check_time("retry_policy", "reset_grace", p.reset_grace, {0s}, {1h});
}

void validate(const hedge_policy& p) {
  detail::check_time("hedge_policy", "delay", p.delay, {1ms}, {60s});
  detail::check_number("hedge_policy", "percentile", p.percentile, {50}, {99.9});
  detail::check_count("hedge_policy", "min_samples", p.min_samples, {10}, {256});
  detail::check_number("hedge_policy", "max_percent", p.max_percent, {0}, {100});
}

void validate(const client_options& o) {
  validate(o.pool);
  validate(o.retry);
  validate(o.hedge);
  detail::check_time("client_options", "attempt_timeout", o.attempt_timeout, {0s}, {24h});
  detail::check_time("client_options", "default_timeout", o.default_timeout, {1ms}, {24h});
}

}  // namespace redial::inline REDIAL_ABI
