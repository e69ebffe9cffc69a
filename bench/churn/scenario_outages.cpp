// SPDX-License-Identifier: Apache-2.0
// The name server fails. A backend restarts meanwhile, for those who only live on open connections.
#include "churn/script.hpp"

namespace redial::churn {

namespace {

struct outage {
  const char* name;
  const char* does;  // with "DNS" before it
  dns_fault fault;
};

scenario dns_outage(bool quick, const outage& o) {
  script p(
      quick, o.name, std::string("DNS ") + o.does + " while a backend restarts", {32'000, 7500});
  p.then({6000, 1000},
         std::string("DNS ") + o.does,
         std::string("DNS ") + o.does,
         [fault = o.fault](stage& w) { w.dns(fault); });
  p.kill({10'000, 2200}, "B");
  p.then({14'000, 3200}, "B is back", "B back", [](stage& w) { w.start("B"); });
  p.then(
      {20'000, 4700}, "DNS answers again", "DNS answers", [](stage& w) { w.dns(dns_fault::none); });
  p.then({22'000, 5200}, "DNS adds D", "DNS: + D", [](stage& w) { w.point_to("ABCD"); });
  p.s.dns_faults = true;
  return p.s;
}

}  // namespace

void add_outages(std::vector<scenario>& all, bool quick) {
  constexpr outage outages[] = {
      {"dns_silent", "goes silent", dns_fault::silent},
      {"dns_servfail", "answers SERVFAIL", dns_fault::servfail},
      {"dns_nxdomain", "denies the name", dns_fault::nxdomain},
      {"dns_empty", "answers without addresses", dns_fault::empty},
  };
  for (const auto& o : outages) all.push_back(dns_outage(quick, o));
}

}  // namespace redial::churn
