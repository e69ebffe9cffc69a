// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small run made up by hand: 10 s, two backends, a move from A to B after 2 s.

#include "churn/record.hpp"

namespace redial::churn::testing {

inline duration ms(std::int64_t n) { return std::chrono::milliseconds{n}; }

inline request_record answered(std::uint64_t id, std::int64_t at, int backend) {
  request_record r;
  r.id = id;
  r.planned = ms(at);
  r.sent = ms(at);
  r.done = ms(at + 20);
  r.ok = true;
  r.attempts = 1;
  r.backend = backend;
  return r;
}

inline request_record failed(std::uint64_t id, std::int64_t at, std::string why) {
  auto r = answered(id, at, -1);
  r.ok = false;
  r.error = std::move(why);
  return r;
}

inline run_record synthetic_run() {
  run_record run;
  run.settings.scenario = "synthetic";
  run.settings.length = ms(10'000);
  run.settings.rate = 1;
  run.settings.deadline = ms(2000);
  run.settings.in_flight_limit = 10;
  run.settings.ttl = ms(60'000);
  run.settings.ttl_cap = ms(1000);
  run.settings.allowed_stale = ms(2000);
  run.settings.seed = 7;
  run.settings.facts = {{"Machine", "a <fast> one & \"quiet\""}};
  run.backends = {{"A", "127.0.0.2:1", {{ms(0), ms(2000)}}, {{ms(0), ms(5000)}}},
                  {"B", "127.0.0.3:1", {{ms(2000), duration::max()}}, {{ms(0), duration::max()}}}};
  run.events = {{ms(2000), "DNS moves from A to B", "A \u2192 B"},
                {ms(5000), "A is <killed>", "A killed"}};
  run.dns_silent = {{ms(6000), ms(7000)}};

  contestant_record c;
  c.id = "redial";
  c.title = "redial";
  c.servings.resize(2);
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto at = static_cast<std::int64_t>(i) * 1000;
    const int backend = at < 3000 ? 0 : 1;
    c.requests.push_back(answered(i, at, backend));
    c.servings[static_cast<std::size_t>(backend)].push_back({i, ms(at + 1)});
  }
  c.connections = 2;
  c.dns_queries = 20;
  run.contestants.push_back(c);

  c.id = "plain";
  c.title = "plain <client>";
  c.requests[5] = failed(5, 5000, "read: \"end\" & <nothing>");
  run.contestants.push_back(c);
  return run;
}

}  // namespace redial::churn::testing
