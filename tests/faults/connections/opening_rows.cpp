// SPDX-License-Identifier: Apache-2.0
//
// Connections that cannot be opened.
#include "connection_rows.hpp"
#include "row_worlds.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <cstdint>

namespace redial::inline REDIAL_ABI::testing {
namespace {

/// Servers on loopback addresses, one of which nothing is wrong with: 127.0.0.9.
struct farm_row : http_row {
  http_farm farm{io, {"127.0.0.2", "127.0.0.3", "127.0.0.9"}};

  /// A client of all `hosts`, at the farm's port.
  void connect_to(const std::vector<std::string>& hosts) {
    std::string text = "static://";
    for (const auto& h : hosts) text += h + ":" + std::to_string(farm.port()) + ",";
    text.pop_back();
    connect(text);
  }
};

void packets_vanish() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    farm_row w;
    filter_packets_to("127.0.0.2", w.farm.port(), packet_fate::drop);
    w.options.client.pool.connect_timeout = 300ms;
    w.connect_to({"127.0.0.2", "127.0.0.9"});
    w.expect_served(10);
    EXPECT_TRUE(w.wait([&] { return w.has_failed(errc::connect_timeout, "127.0.0.2"); }));
    EXPECT_EQ(w.farm.at("127.0.0.2").accepted, 0U);
    // The packets come through again, and it is used.
    filter_no_packets();
    EXPECT_TRUE(w.wait([&] { return w.farm.at("127.0.0.2").accepted > 0; }));
  });
}

void packets_are_rejected() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    farm_row w;
    filter_packets_to("127.0.0.2", w.farm.port(), packet_fate::reset);
    filter_packets_to("127.0.0.3", w.farm.port(), packet_fate::unreachable);
    w.options.client.pool.warm_stagger = 10s;  // each failure begins the next attempt
    w.connect_to({"127.0.0.2", "127.0.0.3", "127.0.0.9"});
    w.expect_served(10, 9s);
    EXPECT_TRUE(w.has_failed(system_error(ECONNREFUSED), "127.0.0.2")) << w.events->trace();
    EXPECT_TRUE(w.has_failed(system_error(EHOSTUNREACH), "127.0.0.3")) << w.events->trace();
  });
}

void no_route() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    run_command(
        "ip route add unreachable 198.51.100.1 && ip route add blackhole 198.51.100.2 && "
        "ip route add prohibit 198.51.100.3");
    farm_row w;
    w.options.client.pool.warm_stagger = 10s;
    w.connect_to({"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "127.0.0.9"});
    EXPECT_TRUE(w.wait([&] { return w.client->connection_gauges().endpoints_active == 1; }));
    w.expect_served(10, 9s);
    const auto fails = [&](int number, const char* where) {
      return w.wait([&] { return w.has_failed(system_error(number), where); });
    };
    EXPECT_TRUE(fails(EHOSTUNREACH, "198.51.100.1"));
    EXPECT_TRUE(fails(EINVAL, "198.51.100.2"));
    EXPECT_TRUE(fails(EACCES, "198.51.100.3"));
    EXPECT_TRUE(fails(ENETUNREACH, "198.51.100.4"));
  });
}

constexpr const char* port_range = "/proc/sys/net/ipv4/ip_local_port_range";

void no_ports_left() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    http_row w;
    set_system_value(port_range, "20000 20003");
    w.server.always(raw_reply("", then::hold));
    w.options.client.retry.max_attempts = 1;
    w.connect();
    std::vector<std::shared_ptr<http_result>> all;
    for (int i = 0; i < 6; ++i) all.push_back(w.start(http_request("GET", "/"), 2s));
    EXPECT_TRUE(w.wait([&] { return w.has_failed(system_error(EADDRNOTAVAIL)); }));
    EXPECT_TRUE(w.wait([&] { return w.server.accepted() == 4; }));
    EXPECT_EQ(system_error(EADDRNOTAVAIL), condition::local_fault);
    EXPECT_EQ(w.client->connection_gauges().endpoints_active, 1U) << "not the endpoint's fault";
    for (const auto& one : all) EXPECT_TRUE(w.finish(one).error) << "the server is mute";
    // Ports are there again.
    set_system_value(port_range, "30000 40000");
    w.server.always(plain_reply(200));
    EXPECT_EQ(w.get().response.status, 200);
  });
}

void no_descriptors_left() {
  http_row w;
  w.connect();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  const auto early = w.start(http_request("GET", "/"), 20s);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool failed = w.wait([&] { return w.has_failed(system_error(EMFILE)); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(failed);
  EXPECT_EQ(system_error(EMFILE), condition::local_fault);
  // Whoever waited may be told of the fault; the next one is served.
  const http_result first = w.finish(early);
  EXPECT_TRUE(!first.error || first.error == condition::local_fault) << first.error.message();
  EXPECT_EQ(w.get().response.status, 200);
}

void no_memory_for_buffers() {
  for (const int number : {ENOBUFS, ENOMEM}) {
    pool_row w;
    w.net->fail(ep("10.0.0.1"), system_error(number));
    w.start({"10.0.0.1"});
    const auto patient = w.checkout(30s);
    w.sim.advance(5s);
    EXPECT_TRUE(w.feed->reports.empty()) << "nothing said about the address";
    EXPECT_EQ(w.told(endpoint_change::ejected), 0U);
    EXPECT_LE(w.net->counts().asked, 10U) << "with backoff";
    EXPECT_EQ(w.pool->last_connect_error(), system_error(number));
    w.net->accept(ep("10.0.0.1"));
    w.sim.advance(20s);
    EXPECT_EQ(w.take().where(), ep("10.0.0.1"));
  }
}

void without_ipv6() {
  REDIAL_PASSES_IN_OWN_NETWORK([] {
    switch_ipv6_off();
    farm_row w;
    w.options.client.pool.warm_stagger = 10s;
    w.connect_to({"[::1]", "127.0.0.9"});
    w.expect_served(5, 9s);
    EXPECT_TRUE(w.wait([&] {
      return w.has_failed(system_error(EADDRNOTAVAIL), "[::1]") ||
             w.has_failed(system_error(ENETUNREACH), "[::1]") ||
             w.has_failed(system_error(EAFNOSUPPORT), "[::1]");
    }));
  });
}

}  // namespace

std::vector<fault_row> opening_rows() {
  return {
      {97, "syn_dropped", packets_vanish},
      {98, "connect_rejected", packets_are_rejected},
      {99, "no_route", no_route},
      {100, "local_ports_used_up", no_ports_left},
      {101, "descriptors_used_up", no_descriptors_left},
      {102, "no_buffers", no_memory_for_buffers, "in simulated time"},
      {103, "ipv6_switched_off", without_ipv6},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
