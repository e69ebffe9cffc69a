// SPDX-License-Identifier: Apache-2.0

#include <redial/client/options.hpp>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace redial {

namespace {

using namespace std::chrono_literals;

std::string text_of(duration d) {
  if (d % 1s == 0s) return fmt::format("{} s", d / 1s);
  if (d % 1ms == 0ms) return fmt::format("{} ms", d / 1ms);
  return fmt::format("{} ns", d / 1ns);
}
std::string text_of(double d) { return fmt::format("{}", d); }
std::string text_of(std::uint32_t n) { return fmt::format("{}", n); }

// Written so that a NaN fails, too.
template <class Value>
void check(const char* name, Value value, Value low, Value high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(fmt::format(
      "{} is {}: must be from {} to {}", name, text_of(value), text_of(low), text_of(high)));
}

}  // namespace

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
  check<std::uint32_t>("retry_policy::max_attempts", p.max_attempts, 1, 100);
  check<duration>("retry_policy::delay", p.delay, 0s, 60s);
  check<double>("retry_policy::jitter", p.jitter, 0, 1);
  check<double>("retry_policy::budget_percent", p.budget_percent, 0, 100);
  check<double>("retry_policy::budget_per_second", p.budget_per_second, 0, 1'000'000);
  check<duration>("retry_policy::budget_window", p.budget_window, 100ms, 1h);
  check<duration>("retry_policy::reset_grace", p.reset_grace, 0s, 1h);
}

void validate(const client_options& o) {
  validate(o.pool);
  validate(o.retry);
  check<duration>("client_options::attempt_timeout", o.attempt_timeout, 0s, 24h);
  check<duration>("client_options::default_timeout", o.default_timeout, 1ms, 24h);
}

}  // namespace redial
