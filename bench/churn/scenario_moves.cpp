// SPDX-License-Identifier: Apache-2.0
// Changes that somebody has planned.
#include "churn/script.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace redial::churn {

namespace {

using namespace std::chrono_literals;

// The old addresses die a second after redial must have left them, or 600 ms in the quick run.
scenario planned_move(bool quick, int ttl) {
  const auto allowed = std::min<std::int64_t>(std::max(ttl, 1), 10) * 1000 + 1000;
  const moment moved{8000, 1500};
  const moment dead{moved.full + allowed + 1000, 4100};
  script p(
      quick,
      fmt::format("planned_move_ttl_{}", ttl),
      // Before the TTL is over, where that is more than the cap: who keeps answers for so long
      // fails.
      fmt::format(
          "A name with TTL {} s moves to other addresses; the old ones end {:g} s later",
          ttl,
          static_cast<double>(quick ? dead.quick - moved.quick : dead.full - moved.full) / 1000),
      {dead.full + 8000, 6500});
  p.s.ttl = std::chrono::seconds{ttl};
  p.s.first = "AB";
  p.move(moved, "A, B", "C, D", "CD");
  p.kill(dead, "AB");
  return p.s;
}

scenario role_move(bool quick) {
  script p(quick,
           "role_move_ttl_0",
           "A role with one address and TTL 0 moves to another node, and back",
           {30'000, 8000});
  p.s.ttl = 0s;
  p.s.backends = 2;
  p.s.first = "A";
  p.move({8000, 1300}, "A", "B", "B");
  p.then({11'500, 3900}, "A has lost the role: 503", "A: 503", [](stage& w) {
    w.behave("A", manner::unavailable);
  });
  p.then({16'000, 4400}, "A has the role again", "A: 200", [](stage& w) {
    w.behave("A", manner::serve);
  });
  p.move({16'000, 4400}, "B", "A", "A");
  p.then({19'500, 7000}, "B has lost the role: 503", "B: 503", [](stage& w) {
    w.behave("B", manner::unavailable);
  });
  return p.s;
}

scenario load_spike(bool quick) {
  script p(quick,
           "load_spike",
           "Ten times the load, and DNS grows from 2 to 8 addresses",
           {30'000, 6500});
  p.s.backends = 8;
  p.s.first = "AB";
  // From a tenth of the usual rate to all of it: all clients share one machine.
  p.s.load = {{0s, 0.1}, {p.at({8000, 1500}), 1}, {p.at({22'000, 5000}), 0.1}};
  p.then({8000, 1500}, "Ten times the load", "load \u00d7 10", [](stage&) {});
  p.then({10'000, 2000}, "DNS adds C to H", "DNS: + C-H", [](stage& w) { w.point_to("ABCDEFGH"); });
  p.then({22'000, 5000}, "The load is as before", "load as before", [](stage&) {});
  return p.s;
}

}  // namespace

void add_moves(std::vector<scenario>& all, bool quick) {
  for (const int ttl : {5, 60, 0}) all.push_back(planned_move(quick, ttl));
  all.push_back(role_move(quick));
  all.push_back(load_spike(quick));
}

}  // namespace redial::churn
