// SPDX-License-Identifier: Apache-2.0
// Nodes that go in good order, and those that come back.
#include "churn/script.hpp"

namespace redial::churn {

namespace {

scenario rolling_restart(bool quick) {
  script p(quick,
           "rolling_restart",
           "Each of three backends is killed and is back on its address shortly after",
           {26'000, 6500});
  p.s.backends = 3;
  moment m{6000, 1200};
  for (const std::string letter : {"A", "B", "C"}) {
    p.kill(m, letter);
    p.then(
        {m.full + 400, m.quick + 400}, letter + " is back", letter + " back", [letter](stage& w) {
          w.start(letter);
        });
    m = {m.full + 6000, m.quick + 1500};
  }
  return p.s;
}

scenario clean_drain(bool quick) {
  script p(quick,
           "clean_drain",
           "A retired node ends its connections in good order (Connection: close), then itself",
           {30'000, 7000});
  p.s.http_faults = true;
  p.move({8000, 1500}, "A", "D", "DBC");
  p.then({9000, 1900}, "A ends each connection with its response", "A drains", [](stage& w) {
    w.behave("A", manner::drain);
  });
  p.kill({20'500, 4200}, "A");
  return p.s;
}

scenario not_ready(bool quick) {
  script p(quick,
           "not_ready",
           "New nodes are in DNS before they are ready: one refuses, one answers 503",
           {25'000, 7000});
  p.s.backends = 5;
  p.s.later = "D";
  p.then({0, 0}, "E is not ready: 503", "E: 503", [](stage& w) {
    w.behave("E", manner::unavailable);
  });
  p.then({6000, 1200}, "DNS adds D, which refuses, and E", "DNS: + D, E", [](stage& w) {
    w.point_to("ABCDE");
  });
  p.then({13'000, 3500}, "D and E are ready", "D, E ready", [](stage& w) {
    w.start("D");
    w.behave("E", manner::serve);
  });
  return p.s;
}

}  // namespace

void add_restarts(std::vector<scenario>& all, bool quick) {
  all.push_back(rolling_restart(quick));
  all.push_back(clean_drain(quick));
  all.push_back(not_ready(quick));
}

}  // namespace redial::churn
