// SPDX-License-Identifier: Apache-2.0
// Nodes that end without a plan, and who has their addresses then.
#include "churn/script.hpp"

namespace redial::churn {

namespace {

scenario unplanned_death(bool quick) {
  script p(quick,
           "unplanned_death",
           "A machine vanishes from the network; DNS follows 5 s later",
           {26'000, 7000});
  p.s.filters_packets = true;
  p.suddenly({8000, 1500}, "A vanishes", "A vanishes", [](stage& w) { w.black_hole("A", true); });
  p.move({13'000, 3500}, "A", "D", "DBC");
  return p.s;
}

scenario death_with_reset(bool quick) {
  script p(quick,
           "death_with_reset",
           "A process dies, its connections are reset, its port refuses; DNS follows 5 s later",
           {26'000, 7000});
  p.s.http_faults = true;
  p.suddenly(
      {8000, 1500}, "A dies with a reset", "A reset", [](stage& w) { w.reset_and_kill("A"); });
  p.move({13'000, 3500}, "A", "D", "DBC");
  return p.s;
}

scenario retired_and_hangs(bool quick) {
  script p(quick,
           "retired_and_hangs",
           "A node that has left DNS serves for a while, then hangs",
           {26'000, 7000});
  p.move({6000, 1200}, "A", "D", "DBC");
  p.then({10'000, 2000}, "A hangs", "A hangs", [](stage& w) { w.behave("A", manner::mute); });
  return p.s;
}

scenario elastic_address(bool quick) {
  script p(quick,
           "elastic_address",
           "An address goes silent, then belongs to another node that resets old connections",
           {26'000, 7500});
  p.s.machines = 3;  // D is on A's
  p.s.later = "D";
  p.s.filters_packets = true;
  p.suddenly({8000, 1500}, "A goes silent", "A silent", [](stage& w) { w.black_hole("A", true); });
  p.then({13'000, 3500}, "Its address belongs to D", "address: A \u2192 D", [](stage& w) {
    w.reset_and_kill("A");  // which nobody hears
    w.start("D");
    w.point_to("DBC");
    w.black_hole("D", false);
  });
  return p.s;
}

// The stranger is E, on A's address; D replaces A.
scenario recycled_address(bool quick, bool tls) {
  script p(
      quick,
      tls ? "recycled_address_tls" : "recycled_address_plain",
      tls ? "An address goes to a stranger (TLS); DNS follows 5 s later"
          : "An address goes to a stranger (plaintext with an identity); DNS follows 5 s later",
      {26'000, 7000});
  p.s.backends = 5;
  p.s.machines = 4;
  p.s.later = "E";
  p.s.strangers = "E";
  p.s.tls = tls;
  p.s.identity = !tls;
  // A second at a tenth of the rate: else what is measured is the handshakes of all clients' first
  // connections at once, which a small machine does not survive.
  if (tls) p.s.load = {{duration::zero(), 0.1}, {std::chrono::seconds{1}, 1}};
  p.suddenly(
      {8000, 1500}, "A ends; stranger E has its address", "A \u2192 stranger E", [](stage& w) {
        w.kill("A");
        w.start("E");
      });
  p.move({13'000, 3500}, "A", "D", "DBC");
  return p.s;
}

}  // namespace

void add_deaths(std::vector<scenario>& all, bool quick) {
  all.push_back(unplanned_death(quick));
  all.push_back(death_with_reset(quick));
  all.push_back(retired_and_hangs(quick));
  all.push_back(elastic_address(quick));
  for (const bool tls : {false, true}) all.push_back(recycled_address(quick, tls));
}

}  // namespace redial::churn
