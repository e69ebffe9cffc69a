// SPDX-License-Identifier: Apache-2.0
//
// More work than there is room for, and endpoints that do not carry their share.
#include <redial/testing/dns_server.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

void mass_drain() {
  pool_row w;
  w.options.min_idle = 60;
  w.start({"10.0.0.1"});
  w.sim.advance(1s);
  ASSERT_EQ(w.open_now(), 60U);
  w.net->accept(ep("10.0.0.2"), 10ms);
  w.dns({"10.0.0.2"});
  std::uint32_t most = 0;
  const auto rush = [&](int ms) {
    for (int i = 0; i < ms; ++i) {
      w.sim.advance(1ms);
      most = std::max(most, w.pool->gauges().connecting);
    }
  };
  rush(100);
  const std::size_t a_tenth = w.options.spare_connects_per_second / 10;
  EXPECT_LE(w.net->counts(ep("10.0.0.2")).asked, w.options.max_warming + a_tenth) << "in all";
  rush(900);
  EXPECT_LE(most, w.options.max_warming) << "at once";
  EXPECT_EQ(w.net->counts(ep("10.0.0.2")).open, 60U);
  EXPECT_LE(w.feed->refreshes, 1);
}

void queue_is_full() {
  http_row w;
  w.server.always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
  w.options.client.pool.max_connections = 1;
  w.options.client.pool.queue_limit = 1;
  w.connect();
  const auto running = w.start(http_request("GET", "/"));
  ASSERT_TRUE(w.wait([&] { return !w.server.requests().empty(); }));
  const auto queued = w.start(http_request("GET", "/"));
  EXPECT_EQ(w.get().error, errc::queue_full) << "long before its deadline";
  EXPECT_EQ(running->completions + queued->completions, 0);
  // One that times out leaves no hole and gets nothing.
  pool_row p;
  p.options.max_connections = 1;
  p.start({"10.0.0.1"});
  auto held = p.take();
  const auto first = p.checkout(1s);
  const auto second = p.checkout(5s);
  p.sim.advance(1s);
  EXPECT_EQ(first->error, errc::checkout_timeout);
  held = {};
  p.sim.settle();
  EXPECT_FALSE(first->lease);
  EXPECT_TRUE(second->leased());
}

void free_at_the_moment_of_the_timeout() {
  pool_row w;
  w.options.max_connections = 1;
  w.start({"10.0.0.1"});
  auto held = w.take();
  // At the same instant as the timeout; the pool's own timer was armed later.
  w.sim.time()->call_at(w.sim.now() + 1s, [&] { held = {}; });
  const auto first = w.checkout(1s);
  const auto second = w.checkout(5s);
  w.sim.advance(1s);
  EXPECT_EQ(first->error, errc::checkout_timeout);
  EXPECT_TRUE(second->leased()) << "not lost";
}

void retry_storm() {
  http_row w;
  w.server.always(plain_reply(503));
  w.options.client.retry.budget_percent = 20;
  w.options.client.retry.budget_per_second = 0;
  w.connect();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(w.get().response.status, 503);
  EXPECT_LE(w.server.requests().size(), 121U);
  EXPECT_GT(w.client->counters().retries_denied, 0U);
}

void one_is_slow() {
  http_row w;
  raw_reply slow;
  slow.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok"};
  slow.between = 500ms;
  w.server.always(slow);
  w.connect_both();
  EXPECT_TRUE(w.wait([&] { return w.client->connection_gauges().endpoints_active == 2; }));
  int running = 0;
  int left = 200;
  const std::function<void()> next = [&] {
    if (left-- <= 0) return;
    ++running;
    w.client->async_get("/", [&](error_code ec, const auto&) {
      EXPECT_FALSE(ec) << ec.message();
      --running;
      next();
    });
  };
  for (int i = 0; i < 8; ++i) next();
  EXPECT_TRUE(w.wait([&] { return running == 0; }));
  EXPECT_GT(w.other.requests().size(), 3 * w.server.requests().size()) << "least loaded of two";
}

void all_of_them_fail() {
  http_row w;
  w.connect_both();
  w.expect_served(4);
  w.server.close();
  w.other.close();
  const http_result r = w.get("/", 2s);
  EXPECT_EQ(r.error, asio::error::connection_refused) << r.error.message() << "\n"
                                                      << r.response.history.text();
}

// Cloud Map counts an instance whose health nobody knows as healthy.
void in_dns_and_not_ready() {
  pool_row w;
  w.start({"10.0.0.1"});
  w.net->refuse(ep("10.0.0.2"));
  w.net->hang(ep("10.0.0.3"));
  w.dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(w.take().where(), ep("10.0.0.1"));
    w.sim.advance(100ms);
  }
  w.net->accept(ep("10.0.0.2"));
  w.sim.advance(15s);
  EXPECT_EQ(w.told(endpoint_change::active, "10.0.0.2"), 1U);
}

void ten_pools_on_one_name() {
  http_row w;
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.1"}, 60s);
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  const auto names = discovery::create(w.io.get_executor(), o);
  std::vector<std::unique_ptr<http_client>> all;
  int served = 0;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<http_client>(
        w.io.get_executor(), names, "http://api.test:" + std::to_string(w.server.port())));
    all.back()->async_get("/", [&](error_code ec, const auto&) { served += ec ? 0 : 1; });
  }
  EXPECT_TRUE(w.wait([&] { return served == 10; }));
  EXPECT_EQ(dns.queries("api.test", record_type::a), 1U);
  EXPECT_EQ(dns.queries("api.test", record_type::aaaa), 1U);
}

}  // namespace

std::vector<fault_row> load_rows() {
  return {
      {148, "mass_drain", mass_drain, "in simulated time"},
      {149, "queue_full", queue_is_full},
      {150, "free_at_the_timeout", free_at_the_moment_of_the_timeout, "in simulated time"},
      {151, "retry_storm", retry_storm},
      {152, "one_endpoint_slow", one_is_slow},
      {153, "all_endpoints_fail", all_of_them_fail},
      {154, "in_dns_and_not_ready", in_dns_and_not_ready, "in simulated time"},
      {155, "ten_pools_on_one_name", ten_pools_on_one_name},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
