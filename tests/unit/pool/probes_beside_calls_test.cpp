// SPDX-License-Identifier: Apache-2.0
// Probes use connections of their own, and nobody else's place.

#include <redial/pool/health_probe.hpp>

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct ProbesBesideCalls : PoolWorld {
  ProbesBesideCalls() {
    options.health.probe = tcp_probe();
    options.health.unhealthy_after = 1000;
    options.idle_timeout = 0s;
    options.balance = balancing::consistent_hash;
  }
  /// Eight endpoints; of six of them whatever is opened from now on hangs.
  void start_with_silent_ones() {
    options.health.probe_interval = 10ms;
    start(all);
    sim.advance(3s);
    ASSERT_EQ(pool->gauges().endpoints_active, 8U);
    for (std::size_t i = 2; i < all.size(); ++i) net->hang(ep(all[i]));
    sim.advance(100ms);
  }
  checkout_options by_key(std::uint64_t key) {
    checkout_options o(sim.now() + 10s);
    o.key = key;
    return o;
  }
  std::uint64_t key_of(const std::string& where) {
    for (std::uint64_t key = 0; key < 1000; ++key) {
      const auto w = checkout(by_key(key));
      sim.settle();
      if (w->leased() && std::exchange(w->lease, {}).where() == ep(where)) return key;
    }
    ADD_FAILURE() << "no key leads to " << where;
    return 0;
  }
  const std::vector<std::string> all{"10.0.0.1",
                                     "10.0.0.2",
                                     "10.0.0.3",
                                     "10.0.0.4",
                                     "10.0.0.5",
                                     "10.0.0.6",
                                     "10.0.0.7",
                                     "10.0.0.8"};
};

TEST_F(ProbesBesideCalls, OneUnderWayIsNoSpare) {
  options.min_idle = 1;
  start({"10.0.0.1"});
  net->accept(ep("10.0.0.1"), 100ms);
  ASSERT_TRUE(sim.run_until([&] { return pool->gauges().connecting == 1; }, 10s));
  ASSERT_EQ(pool->gauges().idle, 1U);
  net->hang_up(ep("10.0.0.1"));
  sim.advance(1s);
  EXPECT_EQ(pool->gauges().idle, 1U);
}

TEST_F(ProbesBesideCalls, NobodyWaitsForWhatAProbeOpens) {
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(1s);
  const auto key = key_of("10.0.0.1");
  net->hang(ep("10.0.0.1"));
  net->hang_up(ep("10.0.0.1"));
  ASSERT_TRUE(sim.run_until([&] { return pool->gauges().connecting == 1; }, 10s));
  const auto w = checkout(by_key(key));
  sim.advance(400ms);
  ASSERT_TRUE(w->leased()) << "its endpoint is slow, so the key's next one serves";
  EXPECT_EQ(w->lease.where(), ep("10.0.0.2"));
}

TEST_F(ProbesBesideCalls, SilentOnesKeepNobodyFromSpares) {
  options.min_idle = 1;
  options.max_warming = 2;
  start_with_silent_ones();
  ASSERT_EQ(pool->gauges().idle, 8U);
  net->hang_up(ep("10.0.0.1"));
  sim.advance(500ms);
  EXPECT_EQ(pool->gauges().idle, 8U);
}

TEST_F(ProbesBesideCalls, SilentOnesKeepNobodyFromConnecting) {
  options.max_connecting = 4;
  start_with_silent_ones();
  const auto key = key_of("10.0.0.1");
  const auto first = checkout(by_key(key));
  const auto second = checkout(by_key(key));
  sim.advance(1ms);
  EXPECT_TRUE(first->leased());
  EXPECT_TRUE(second->leased());
  EXPECT_GT(pool->gauges().connecting, 0U);
}

TEST_F(ProbesBesideCalls, SilentOnesKeepNoBetterTierDown) {
  options.max_warming = 2;
  options.health.probe_interval = 10ms;
  start();
  auto s = answer_of(all);
  for (auto& e : s.endpoints) e.where.priority = e.where.addr == ep(all[0]).addr ? 0 : 1;
  publish(s);
  sim.advance(3s);
  net->refuse(ep(all[0]));
  net->hang_up(ep(all[0]));
  sim.settle();
  const auto w = checkout(5s);
  sim.advance(1s);
  ASSERT_TRUE(w->leased());
  ASSERT_NE(w->lease.where().addr, ep(all[0]).addr);
  w->lease = {};
  for (std::size_t i = 2; i < all.size(); ++i) net->hang(ep(all[i]));
  sim.advance(1s);
  net->accept(ep(all[0]));
  sim.advance(15s);
  EXPECT_EQ(take().where().addr, ep(all[0]).addr);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
