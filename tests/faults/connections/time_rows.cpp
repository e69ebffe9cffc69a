// SPDX-License-Identifier: Apache-2.0
//
// Clocks that jump, stand still, or were not looked at for a while.
#include <redial/net/asio_scheduler.hpp>
#include <redial/testing/dns_server.hpp>

#include "connection_rows.hpp"
#include "fake_clocks.hpp"
#include "row_worlds.hpp"

#include <functional>
#include <type_traits>

namespace redial::inline REDIAL_ABI::testing {
namespace {

/// A client of api.test, whose TTL is an hour and counts.
struct long_lived : http_row {
  explicit long_lived(duration cap = 1h) {
    dns.set("api.test", record_type::a, {"127.0.0.1"}, 3600s);
    dns.set("tick.test", record_type::a, {"127.0.0.1"}, 1s);
    discovery_options o;
    o.nameservers = {dns.address()};
    o.hosts_path = "";
    o.watch.ipv6 = false;
    o.watch.ttl_cap = cap;
    names = discovery::create(io.get_executor(), o);
    client.emplace(io.get_executor(), names, text("api.test"), options);
    expect_served(1);
    EXPECT_EQ(asked(), 1U);
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return "http://" + name + ":" + std::to_string(server.port());
  }
  [[nodiscard]] std::size_t asked() const { return dns.queries("api.test", record_type::a); }

  dns_server dns;
  std::shared_ptr<discovery> names;
};

void wall_clock_jumps() {
  long_lived w;
  for (const auto by : {1h, -2h, 24h * 365}) {
    const auto before = std::chrono::system_clock::now();
    move_wall_clock(by);
    const auto seen = std::chrono::system_clock::now() - before;
    ASSERT_TRUE(by > 0h ? seen >= by : seen < 0s) << "the clock of this program is not ours";
    w.expect_served(10);
  }
  EXPECT_EQ(w.asked(), 1U);
  EXPECT_EQ(w.client->connection_counters().opened, 1U);
  EXPECT_EQ(w.client->connection_counters().closed, 0U);
}

void machine_sleeps() {
  long_lived w;
  // Something that is looked at every second, while nothing happens to api.test for an hour.
  http_client ticking(w.io.get_executor(), w.names, w.text("tick.test"), w.options);
  sleep_machine(8h);
  EXPECT_TRUE(w.wait([&] { return w.asked() == 2; })) << "asked again after the sleep";
  w.expect_served(5);
  EXPECT_EQ(w.asked(), 2U) << "once";
}

void process_stopped() {
  long_lived w(10s);
  http_client ticking(w.io.get_executor(), w.names, w.text("tick.test"), w.options);
  EXPECT_TRUE(w.wait([&] { return w.dns.queries("tick.test", record_type::a) >= 1; }));
  stop_process(2min);  // 12 refreshes of it were missed
  EXPECT_TRUE(w.wait([&] { return w.asked() >= 2; }));
  w.expect_served(20);
  EXPECT_EQ(w.asked(), 2U) << "one for all that were missed";
}

struct ringing {
  explicit ringing(asio::io_context& io) : time(scheduler_of(io.get_executor())) {
    bell.owned_by(alive);
  }
  ~ringing() { time->disarm(bell); }
  void ring() {
    ++rung;
    on_ring();
  }

  std::shared_ptr<scheduler> time;
  std::shared_ptr<int> alive = std::make_shared<int>();
  std::function<void()> on_ring = [] {};
  int rung = 0;
  member_timer<ringing, &ringing::ring> bell{*this};
};

// All are due at once; the first one changes the plans of the others.
void timer_due_and_moved() {
  asio::io_context io;
  ringing first(io);
  ringing stopped(io);
  ringing put_off(io);
  const auto now = first.time->now();
  first.on_ring = [&] {
    stopped.time->disarm(stopped.bell);
    put_off.time->arm(put_off.bell, now + 1h);
  };
  first.time->arm(first.bell, now - 2s);
  stopped.time->arm(stopped.bell, now - 1s);
  put_off.time->arm(put_off.bell, now - 1s);
  EXPECT_TRUE(run_until(io, [&] { return first.rung > 0; }));
  for (int i = 0; i < 10; ++i) io.poll();
  EXPECT_EQ(stopped.rung + put_off.rung, 0);
  put_off.time->arm(put_off.bell, now);
  EXPECT_TRUE(run_until(io, [&] { return put_off.rung > 0; }));
  EXPECT_EQ(put_off.rung, 1);
}

template <class Counter>
constexpr bool wraps_like_a_number = std::is_unsigned_v<Counter> && sizeof(Counter) == 8;

void counters_wrap() {
  static_assert(wraps_like_a_number<decltype(dns_counters::queries)>);
  static_assert(wraps_like_a_number<decltype(pool_counters::checkouts)>);
  static_assert(wraps_like_a_number<decltype(client_counters::attempts)>);
  static_assert(wraps_like_a_number<decltype(snapshot::generation)>);
  static_assert(wraps_like_a_number<decltype(snapshot_entry::life)>);
  static_assert(wraps_like_a_number<decltype(tried_endpoint::id)>);
}

}  // namespace

std::vector<fault_row> time_rows() {
  return {
      {119, "wall_clock_jumps", wall_clock_jumps, "the program's own clocks are moved"},
      {120, "suspend_and_resume", machine_sleeps, "the program's own clocks are moved"},
      {121, "timer_late_by_minutes", process_stopped, "the program's own clocks are moved"},
      {122, "timer_queued_and_moved", timer_due_and_moved},
      {123, "counters_wrap", counters_wrap, "by their types: 64 bits, unsigned"},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
