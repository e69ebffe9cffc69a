// SPDX-License-Identifier: Apache-2.0
#include <redial/pool/options.hpp>

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
std::string text_of(std::size_t n) { return fmt::format("{}", n); }
std::string text_of(double share) { return fmt::format("{}", share); }

/// One end of a legal range; `name` when it is another option's value.
template <class Value>
struct bound {
  Value value;
  const char* name = nullptr;

  [[nodiscard]] std::string text() const {
    return name == nullptr ? text_of(value) : fmt::format("{} ({})", name, text_of(value));
  }
};

// Written so that a NaN is out of every range.
template <class Value>
void check(const char* name, Value value, bound<Value> low, bound<Value> high) {
  if (value >= low.value && value <= high.value) return;
  throw std::invalid_argument(fmt::format("pool_options::{} is {}: must be from {} to {}",
                                          name,
                                          text_of(value),
                                          low.text(),
                                          high.text()));
}

using count = bound<std::size_t>;
using time = bound<duration>;
using share = bound<double>;

void check_counts(const pool_options& o) {
  check("max_total_connections", o.max_total_connections, count{1}, count{1'000'000});
  check("max_connections", o.max_connections, count{1}, count{65535});
  check("max_connections",
        o.max_connections,
        count{1},
        count{o.max_total_connections, "max_total_connections"});
  check("min_idle", o.min_idle, count{0}, count{o.max_connections, "max_connections"});
  check("queue_limit", o.queue_limit, count{0}, count{1'000'000});
  check("max_warming", o.max_warming, count{1}, count{1024});
}

void check_times(const pool_options& o) {
  check("checkout_timeout", o.checkout_timeout, time{1ms}, time{longest_duration});
  check("connect_timeout", o.connect_timeout, time{1ms}, time{1h});
  check("idle_timeout", o.idle_timeout, time{0s}, time{longest_duration});
  check("max_lifetime", o.max_lifetime, time{0s}, time{longest_duration});
  check("lifetime_jitter", o.lifetime_jitter, share{0.0}, share{1.0});
  check("idle_check_after", o.idle_check_after, time{0s}, time{longest_duration});
  check("warm_stagger", o.warm_stagger, time{0s}, time{10s});
  check("warm_backoff_max", o.warm_backoff_max, time{1ms}, time{24h});
  check("warm_backoff_base",
        o.warm_backoff_base,
        time{1ms},
        time{o.warm_backoff_max, "warm_backoff_max"});
  check("replacement_deadline", o.replacement_deadline, time{0s}, time{1h});
  check("drain_deadline", o.drain_deadline, time{0s}, time{24h});
  check("min_reset_interval", o.min_reset_interval, time{0s}, time{1h});
}

}  // namespace

void validate(const pool_options& o) {
  check_counts(o);
  check_times(o);
}

}  // namespace redial
