// SPDX-License-Identifier: Apache-2.0
//
// Connections that end at the wrong moment, or do not end although nobody is there.
#include "connection_rows.hpp"
#include "row_worlds.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

void closed_without_a_byte() {
  http_row w;
  w.connect();
  EXPECT_FALSE(w.get().error);
  for (const auto how : {then::close, then::reset}) {
    w.server.next(raw_reply("", how));
    const http_result r = w.get();
    EXPECT_FALSE(r.error) << r.error.message();
    ASSERT_EQ(r.response.history.attempts.size(), 1U);
    EXPECT_EQ(r.response.history.attempts[0].error, errc::peer_closed);
  }
  // What may have been done is not done again.
  w.server.next(raw_reply("", then::close));
  EXPECT_EQ(w.post("x").error, errc::peer_closed);
}

void closed_while_idle() {
  http_row w;
  w.server.next(raw_reply(ok, then::close));
  w.connect();
  EXPECT_FALSE(w.get().error);
  ASSERT_TRUE(w.wait([&] { return w.client->connection_gauges().idle == 0; }));
  EXPECT_FALSE(w.post("x").error) << "nothing was sent on the dead one";
  EXPECT_EQ(w.server.requests().size(), 2U);
  EXPECT_EQ(w.client->counters().retries, 0U);
}

void reset_in_the_middle() {
  http_row w;
  w.server.always(raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then::reset));
  w.connect();
  const http_result r = w.get();
  EXPECT_EQ(r.error, errc::partial_response);
  EXPECT_EQ(w.server.requests().size(), 1U) << "not asked for again";
  EXPECT_EQ(w.client->connection_gauges().idle, 0U);
}

void peer_lost_power() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    http_row w;
    w.options.tcp.keep_alive_idle = w.options.tcp.keep_alive_interval = 1s;
    w.options.tcp.keep_alive_probes = 1;
    w.connect();
    w.expect_served(1);
    EXPECT_EQ(w.client->connection_gauges().idle, 1U);
    // Its end is there, and hears nothing any more.
    filter_packets_to("127.0.0.1", w.server.port(), packet_fate::drop);
    EXPECT_TRUE(w.wait([&] { return w.client->connection_gauges().idle == 0; }));
    EXPECT_TRUE(w.get("/", 300ms).error);
  });
}

void one_byte_at_a_time() {
  http_row w;
  raw_reply slow;
  slow.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"};
  for (int i = 0; i < 1000; ++i) slow.pieces.emplace_back("x");
  slow.between = 20ms;
  w.server.always(slow);
  w.connect();
  EXPECT_EQ(w.get("/", 300ms).error, errc::deadline_exceeded);
  EXPECT_TRUE(w.wait([&] { return w.server.open() == 0; }));
}

void bytes_while_idle() {
  http_row w;
  raw_reply stray;
  stray.pieces = {ok, "HTTP/1.1 500 Who asked\r\nContent-Length: 0\r\n\r\n"};
  stray.between = 50ms;
  w.server.next(stray);
  w.connect();
  EXPECT_EQ(w.get().response.status, 200);
  ASSERT_TRUE(w.wait([&] { return w.client->connection_gauges().idle == 0; }));
  EXPECT_EQ(w.post("x").response.status, 200);
  EXPECT_EQ(w.server.accepted(), 2U);
}

void nobody_reads() {
  http_row w;
  raw_reply mute("", then::keep);
  mute.before_body = true;
  mute.pieces = {"", ""};
  mute.between = 1h;
  w.server.always(mute);
  w.options.client.retry.max_attempts = 1;
  w.connect();
  http_request r("PUT", "/");
  r.body = std::string(20'000'000, 'x');
  EXPECT_EQ(w.send(std::move(r), 300ms).error, errc::deadline_exceeded);
  EXPECT_EQ(w.client->connection_gauges().leased, 0U);
}

// Small packets come through, large ones vanish.
void large_packets_vanish() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    http_row w;
    filter_packets_to("127.0.0.1", w.server.port(), packet_fate::drop, 1000);
    w.connect_both();
    for (int i = 0; i < 4; ++i) w.expect_served(1);
    for (int i = 0; i < 4; ++i) {
      http_request r("PUT", "/");
      r.body = std::string(100'000, 'x');
      const http_result got = w.send(std::move(r), 2s);
      EXPECT_FALSE(got.error) << got.error.message() << "\n" << got.response.history.text();
    }
    for (const auto& text : w.server.requests()) EXPECT_LT(text.size(), 1000U);
  });
}

// A NAT gateway of the cloud forgets flows after 350 s of silence.
void nat_forgets() {
  pool_row w;
  EXPECT_LT(w.options.idle_timeout, 350s);
  EXPECT_GT(w.options.max_lifetime, 0s);
  EXPECT_GT(w.options.lifetime_jitter, 0.0);
  w.start({"10.0.0.1"});
  w.take(5).clear();
  w.sim.advance(349s);
  for (const auto& peer : w.net->peers()) {
    EXPECT_GT(peer->number(), 5U) << "one that has rested for so long";
  }
}

}  // namespace

std::vector<fault_row> ending_rows() {
  return {
      {104, "closed_before_a_byte", closed_without_a_byte},
      {105, "closed_while_idle", closed_while_idle},
      {106, "reset_in_mid_response", reset_in_the_middle},
      {107, "half_open_peer", peer_lost_power},
      {108, "slow_loris_response", one_byte_at_a_time},
      {109, "bytes_while_idle", bytes_while_idle, "tickets of TLS: integration.net_tls"},
      {110, "zero_window", nobody_reads},
      {111, "mtu_black_hole", large_packets_vanish},
      {112, "nat_drops_idle_flows", nat_forgets, "in simulated time"},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
