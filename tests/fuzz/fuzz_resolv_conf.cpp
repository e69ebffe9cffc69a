// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a resolv.conf, and as the address of one server.
#include "check.hpp"
#include "dns/resolv_conf.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace redial;
using detail::nameserver;
using detail::resolv_conf;
using fuzz::demand;

void check_server(const nameserver& server) {
  demand(server.port != 0, "a server has a port");
  const auto again = detail::parse_nameserver(detail::to_string(server));
  demand(again && *again == server, "a server's text means the same");
}

void check_promises(const resolv_conf& conf) {
  const auto& servers = conf.servers;
  demand(servers.size() <= resolv_conf::most_servers, "servers are bounded");
  for (auto one = servers.begin(); one != servers.end(); ++one) {
    check_server(*one);
    demand(std::find(servers.begin(), one, *one) == one, "each server comes once");
  }
  demand(conf.timeout >= 0 && conf.timeout <= 30, "the timeout is in its range or not said");
  demand(conf.attempts >= 0 && conf.attempts <= 5, "so are the attempts");
}

// One bad line must not cost the good ones, before it or after it.
void check_good_lines(const std::string& text) {
  const auto wanted = detail::parse_nameserver("192.0.2.53").value();
  const std::string good = "nameserver 192.0.2.53\noptions timeout:7 rotate\n";
  const auto before = detail::parse_resolv_conf(good + text);
  demand(!before.servers.empty() && before.servers.front() == wanted, "the first server is first");
  demand(before.rotate, "an option is not taken back");
  const auto after = detail::parse_resolv_conf(text + "\n" + good);
  demand(after.timeout == 7, "the last word on an option holds");
  demand(after.servers.size() == resolv_conf::most_servers ||
             std::ranges::count(after.servers, wanted) == 1,
         "a bad line costs no good one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_promises(detail::parse_resolv_conf(text));
  check_good_lines(text);
  if (const auto one = detail::parse_nameserver(text)) check_server(*one);
  return 0;
}
