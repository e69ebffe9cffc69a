// SPDX-License-Identifier: Apache-2.0
// Every library of the package is linked and used: the test kit's simulated DNS, the metrics' text.
#include <redial/metrics/metrics.hpp>
#include <redial/redial.hpp>
#include <redial/testing/dns_server.hpp>
#include <redial/testing/scripted_dns.hpp>

#include <iostream>

int main() {
  redial::testing::dns_server server;
  redial::metrics metrics;
  std::cout << (server.port() != 0 && !metrics.text().empty() ? "the kit works\n"
                                                              : "it does not\n");
}
