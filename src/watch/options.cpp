// SPDX-License-Identifier: Apache-2.0

#include <redial/watch/options.hpp>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace redial {

namespace {

using namespace std::chrono_literals;

std::string text_of(duration d) {
  if (d >= longest_duration) return "no limit";
  if (d % 1s == 0s) return fmt::format("{} s", d / 1s);
  if (d % 1ms == 0ms) return fmt::format("{} ms", d / 1ms);
  return fmt::format("{} ns", d / 1ns);
}

struct bound {
  duration value;
  const char* name = nullptr;  // of the other option, when the bound is one

  [[nodiscard]] std::string text() const {
    return name == nullptr ? text_of(value) : fmt::format("{} ({})", name, text_of(value));
  }
};

void check(const char* name, duration value, bound low, bound high) {
  if (value >= low.value && value <= high.value) return;
  throw std::invalid_argument(fmt::format("watch_options::{} is {}: must be from {} to {}",
                                          name,
                                          text_of(value),
                                          low.text(),
                                          high.text()));
}

}  // namespace

void validate(const watch_options& o) {
  check("ttl_cap", o.ttl_cap, {10ms}, {24h});
  check("ttl_floor", o.ttl_floor, {10ms}, {o.ttl_cap, "ttl_cap"});
  check("stale_limit", o.stale_limit, {o.ttl_cap, "ttl_cap"}, {duration::max()});
  check("backoff_max", o.backoff_max, {10ms}, {24h});
  check("backoff_base", o.backoff_base, {10ms}, {o.backoff_max, "backoff_max"});
  check("min_forced_refresh_interval", o.min_forced_refresh_interval, {0s}, {1h});
  check("first_family_wait", o.first_family_wait, {0s}, {10s});
  check("absence_window", o.absence_window, {0s}, {24h});
  check("rotation_memory", o.rotation_memory, {1s}, {24h});
  check("rotation_end", o.rotation_end, {1s}, {24h});
  if (o.max_endpoints < 1 || o.max_endpoints > 65536) {
    throw std::invalid_argument(fmt::format(
        "watch_options::max_endpoints is {}: must be from 1 to 65536", o.max_endpoints));
  }
  if (!o.ipv4 && !o.ipv6) {
    throw std::invalid_argument("watch_options::ipv4 and ipv6 are both off: one must be on");
  }
}

}  // namespace redial
