// SPDX-License-Identifier: Apache-2.0
//
// Addresses that leave, return, belong to somebody else, or cannot be reached for a while.
#include <redial/net/identity.hpp>
#include <redial/testing/certificates.hpp>
#include <redial/testing/dns_server.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"
#include "support/backend_host.hpp"
#include "support/tls_server.hpp"

#include <csignal>

namespace redial::inline REDIAL_ABI::testing {
namespace {

void drained_while_requests_run() {
  told_row w;
  raw_reply slow;
  slow.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "o", "l", "d"};
  slow.between = 100ms;
  w.server.always(slow);
  std::vector<std::shared_ptr<http_result>> running;
  for (int i = 0; i < 5; ++i) running.push_back(w.start(http_request("GET", "/")));
  ASSERT_TRUE(w.wait([&] { return w.server.requests().size() == 5; }));
  w.set({&w.other});
  ASSERT_TRUE(w.wait([&] { return w.is_active(w.other); }));
  for (const auto& one : running) EXPECT_EQ(w.finish(one).response.body, "old");
  EXPECT_TRUE(w.wait([&] { return w.server.open() == 0; }));
  w.expect_served(5);
  EXPECT_EQ(w.server.requests().size(), 5U);
}

void returns_while_draining() {
  pool_row w;
  w.start({"10.0.0.1", "10.0.0.2"});
  std::vector<scripted_lease> held = w.take(6);
  std::set<std::uint64_t> old;
  for (const auto& peer : w.net->peers(ep("10.0.0.1"))) old.insert(peer->number());
  ASSERT_FALSE(old.empty());
  w.dns({"10.0.0.2"});
  w.sim.advance(1s);
  w.dns({"10.0.0.1", "10.0.0.2"});
  w.sim.advance(1s);
  held.clear();
  w.sim.advance(1s);
  for (const auto& peer : w.net->peers(ep("10.0.0.1"))) {
    EXPECT_FALSE(old.contains(peer->number())) << "of the former life";
  }
  const auto g = w.pool->gauges();
  EXPECT_EQ(g.endpoints_active, 2U);
  EXPECT_EQ(g.endpoints_departed, 0U);
}

void recycled_address_in_plaintext() {
  http_row w;
  w.server.always("HTTP/1.1 200 OK\r\nService: stranger\r\nContent-Length: 0\r\n\r\n");
  http_identity who;
  who.path = "/who";
  who.header = "Service";
  who.header_value = "api";
  w.options.tcp.identity = expect_http(who);
  w.connect();
  EXPECT_TRUE(w.get("/", 1s).error);
  EXPECT_TRUE(w.has_failed(errc::identity_mismatch));
  EXPECT_FALSE(w.server.requests().empty());
  for (const auto& text : w.server.requests()) EXPECT_EQ(text.rfind("GET /who ", 0), 0U) << text;
}

void recycled_address() {
  recycled_address_in_plaintext();
  certificate_authority ca;
  http_row w;
  tls_server stranger(w.io, ca.issue_for({"stranger.test"}));
  w.options.tls.ca_file = ca.ca_file();
  w.options.tls.server_name = "api.test";
  w.connect("https://127.0.0.1:" + std::to_string(stranger.port()));
  const http_result r = w.get("/", 1s);
  EXPECT_EQ(r.error, errc::tls_name_mismatch) << r.error.message();
  for (const auto& a : r.response.history.attempts) EXPECT_FALSE(a.sent);
  for (const auto& p : stranger.peers()) EXPECT_FALSE(p->is_shaken);
  stranger.close();
}

void all_replaced_at_once() {
  told_row w;
  w.expect_served(1);
  raw_http_server late(w.io);
  const auto port = late.port();
  late.close();  // not ready yet
  std::vector<sourced_endpoint> all{
      sourced_endpoint(endpoint(asio::ip::address_v4::loopback(), port))};
  w.source->set(target(w.text), all);
  EXPECT_TRUE(w.wait([&] { return w.has_failed(system_error(ECONNREFUSED)); }));
  w.expect_served(10);
  EXPECT_EQ(w.server.requests().size(), 11U) << "the old one serves";
  w.set({&w.other});
  EXPECT_TRUE(w.wait([&] { return w.is_active(w.other); }));
  w.expect_served(10);
  EXPECT_EQ(w.other.requests().size(), 10U);
}

void no_signal() {
  const auto old = std::signal(SIGPIPE, SIG_DFL);  // which would end this program
  http_row w;
  raw_reply gone("", then::reset);
  gone.before_body = true;
  w.server.always(gone);
  w.connect();
  for (int i = 0; i < 3; ++i) {
    http_request r("POST", "/");
    r.body = std::string(5'000'000, 'x');
    EXPECT_TRUE(w.send(std::move(r), 5s).error);
  }
  std::signal(SIGPIPE, old);
}

void interface_goes_and_comes() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    backend_host host(1);
    host.take_address("10.77.200.1");
    dns_server dns;
    dns.set("api.test", record_type::a, {"10.77.200.1"}, 60s);
    http_row w;
    discovery_options o;
    o.nameservers = {dns.address()};
    o.hosts_path = "";
    w.client.emplace(w.io.get_executor(),
                     discovery::create(w.io.get_executor(), o),
                     "http://api.test:" + std::to_string(backend_host::port),
                     w.options);
    w.expect_served(3);
    const auto asked = dns.queries("api.test", record_type::a);
    run_command("ip link set host1 down");
    const http_result r = w.get("/", 1s);
    EXPECT_TRUE(r.error) << "nobody can be reached";
    EXPECT_TRUE(w.wait([&] { return dns.queries("api.test", record_type::a) > asked; }))
        << "asked again, long before its time";
    run_command("ip link set host1 up && ip route replace 10.77.200.1/32 via 10.77.1.2");
    EXPECT_TRUE(w.wait([&] { return !w.get("/", 5s).error; }));
    w.client.reset();
  });
}

}  // namespace

std::vector<fault_row> moving_rows() {
  return {
      {113, "drained_while_requests_run", drained_while_requests_run},
      {114, "returns_while_draining", returns_while_draining, "in simulated time"},
      {115, "recycled_address", recycled_address, "under load: integration.namespaces"},
      {116, "whole_set_replaced", all_replaced_at_once},
      {117, "sigpipe", no_signal},
      {118, "interface_down_and_up", interface_goes_and_comes},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
