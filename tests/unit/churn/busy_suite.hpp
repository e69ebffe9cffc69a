// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs as large as real ones, and as irregular as runs can be: every picture at its fullest.

#include "churn/record.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

namespace redial::churn::testing {

inline contestant_record busy_contestant(std::size_t number,
                                         std::size_t backends,
                                         std::size_t requests,
                                         std::mt19937_64& random) {
  contestant_record c;
  c.id = number == 0 ? "redial" : "client" + std::to_string(number);
  c.title = number == 0 ? "redial" : "client number " + std::to_string(number) + ", tuned";
  c.servings.resize(backends);
  for (std::uint64_t i = 0; i < requests; ++i) {
    request_record r;
    r.id = i;
    r.planned = r.sent = std::chrono::milliseconds{5 * i};
    // Mostly some milliseconds, now and then up to the deadline.
    const auto unit = static_cast<double>(random() % 100'000 + 1) / 100'000;
    const auto ms = std::min(2000.0, 2 / std::pow(unit, 0.6));
    r.done = r.planned + std::chrono::microseconds{static_cast<std::int64_t>(ms * 1000)};
    // A burst in the middle, and one in a hundred.
    r.ok = number == 0 || (random() % 100 != 0 && (i % 4000 < 3500 || i < 4000));
    r.attempts = 1;
    if (r.ok) {
      // In turn, mostly.
      const auto b = random() % 8 == 0 ? random() % backends : i % backends;
      r.backend = static_cast<int>(b);
      c.servings[b].push_back({i, r.planned + std::chrono::microseconds{300}});
    } else {
      r.error = "connection reset by peer";
    }
    c.requests.push_back(std::move(r));
  }
  c.connections = 100 * (number + 1);
  c.dns_queries = 50 * (number + 1);
  return c;
}

/// 200 requests/s. Half of the backends leave DNS in the middle.
inline run_record busy_run(std::string name,
                           std::size_t backends,
                           std::size_t contestants,
                           std::size_t requests,
                           std::uint64_t seed) {
  std::mt19937_64 random(seed);
  run_record run;
  auto& s = run.settings;
  s.scenario = std::move(name);
  s.title = "Half of the backends leave DNS, and nothing is as it was";
  s.length = std::chrono::milliseconds{5 * requests};
  s.rate = 200;
  s.deadline = std::chrono::seconds{2};
  s.in_flight_limit = 1000;
  s.ttl = std::chrono::seconds{60};
  s.ttl_cap = std::chrono::seconds{10};
  s.allowed_stale = std::chrono::seconds{11};
  s.seed = seed;
  s.facts = {{"Command", "redial-churn all"}, {"Machine", "2 x something"}};
  const duration middle = s.length / 2;
  for (std::size_t b = 0; b < backends; ++b) {
    const auto letter = static_cast<char>(b < 26 ? 'A' + b : 'a' + (b - 26) % 26);
    span there{duration{}, b % 2 == 0 ? duration::max() : middle};
    run.backends.push_back({std::string(1, letter),
                            "127.0.0." + std::to_string(b + 2) + ":8080",
                            {there},
                            {{duration{}, duration::max()}}});
  }
  run.events = {{middle, "DNS drops half of the backends", "DNS: half"},
                {middle + std::chrono::seconds{1}, "Nothing else happens", "nothing else"}};
  for (std::size_t i = 0; i < contestants; ++i)
    run.contestants.push_back(busy_contestant(i, backends, requests, random));
  return run;
}

}  // namespace redial::churn::testing
