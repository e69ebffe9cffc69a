// SPDX-License-Identifier: Apache-2.0
// Names that are more than an authority's complete answer: samples, a cache, SRV, the hosts file.
#include "churn/script.hpp"

namespace redial::churn {

namespace {

using namespace std::chrono_literals;

scenario sampled_answers(bool quick) {
  script p(quick,
           "sampled_answers",
           "Each answer holds 8 of 50 addresses; ten of them die and leave DNS 5 s later",
           {36'000, 8500});
  p.s.backends = 5;
  p.s.addresses_each = 10;
  p.s.first = "ABCDE";
  p.s.sample = 8;
  p.kill({18'000, 4000}, "E");
  p.then(
      {23'000, 5500}, "DNS drops the ten of E", "DNS: - E", [](stage& w) { w.point_to("ABCD"); });
  return p.s;
}

// A change is seen when the cache drops its copy; it says whole seconds, so a second is added, and
// one for the proof of a replacement.
scenario behind_cache(bool quick) {
  script p(quick,
           "behind_cache",
           quick ? "A name with TTL 4 s behind Unbound changes in two steps"
                 : "A name with TTL 60 s behind Unbound changes in two steps",
           {80'000, 10'000});
  p.s.behind_cache = true;
  p.s.ttl = quick ? 4s : 60s;
  p.s.stale_limit = p.s.ttl + 2s;
  p.s.backends = 5;
  p.move({5000, 1000}, "A", "D", "DBC");
  p.move({10'000, 2500}, "B", "E", "DEC");
  p.kill({73'000, 9000}, "AB");
  return p.s;
}

// A, B and C are replaced one after the other on their own machines, by D, E and F on other ports.
scenario srv_ports(bool quick) {
  script p(quick,
           "srv_ports",
           "Backends move to other ports of the same addresses, and SRV records say so",
           {32'000, 8000});
  p.s.srv = true;
  p.s.ttl = 5s;
  p.s.machines = 3;
  p.s.backends = 6;
  p.move({6000, 1200}, "A", "D", "DBC");
  p.move({10'000, 2400}, "B", "E", "DEC");
  p.kill({14'000, 4000}, "A");
  p.move({14'000, 4000}, "C", "F", "DEF");
  p.kill({18'000, 5200}, "B");
  p.kill({22'000, 7000}, "C");
  return p.s;
}

// Redial looks each second, and believes a removal after 5 s; a second for what is read meanwhile,
// and one for the proof of a replacement.
scenario hosts_file(bool quick) {
  script p(
      quick, "hosts_file", "The hosts file is written anew with other addresses", {28'000, 11'000});
  p.s.in_hosts_file = true;
  p.s.first = "AB";
  p.s.stale_limit = 8s;
  p.then({8000, 1000},
         "The hosts file moves from A, B to C, D",
         "hosts: A, B \u2192 C, D",
         [](stage& w) { w.point_to("CD"); });
  p.kill({17'000, 9500}, "AB");
  return p.s;
}

}  // namespace

void add_other_sources(std::vector<scenario>& all, bool quick) {
  all.push_back(sampled_answers(quick));
  all.push_back(behind_cache(quick));
  all.push_back(srv_ports(quick));
  all.push_back(hosts_file(quick));
}

}  // namespace redial::churn
