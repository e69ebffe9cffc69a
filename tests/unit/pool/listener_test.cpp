// SPDX-License-Identifier: Apache-2.0
// Listeners that throw.
#include <redial/core/listeners.hpp>

#include "pool_world.hpp"

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct thrower final : event_listener {
  void on_connection(const connection_event& e) override {
    if (e.change == when) throw std::runtime_error("listener");
  }
  connection_change when = connection_change::opened;
};

class ThrowingListener : public PoolWorld {
 protected:
  void start_with_thrower() {
    options.listener =
        std::make_shared<listeners>(std::vector<std::shared_ptr<event_listener>>{bad, events});
    pool.emplace(sim.executor(), std::make_unique<scripted_feed>(feed), net, options, sim.time());
  }
  // Runs everything; how often something was thrown out of it.
  int settle() {
    for (int thrown = 0;; ++thrown) {
      try {
        sim.settle();
        return thrown;
      } catch (const std::runtime_error&) {
        EXPECT_LT(thrown, 100);
      }
    }
  }
  std::shared_ptr<thrower> bad = std::make_shared<thrower>();
};

TEST_F(ThrowingListener, Fault130_WhatItThrowsLeavesRunAndNothingIsLost) {
  start_with_thrower();
  const auto waiting = checkout(5s);
  EXPECT_THROW(dns({"10.0.0.1"}), std::runtime_error);
  EXPECT_EQ(settle(), 0);
  EXPECT_TRUE(waiting->leased());
  EXPECT_EQ(told(endpoint_change::active), 1U) << "told after the one that threw";
  EXPECT_EQ(pool->gauges().leased, 1U);
}

TEST_F(ThrowingListener, Fault130_LaterEventsAreTold) {
  start_with_thrower();
  EXPECT_THROW(dns({"10.0.0.1"}), std::runtime_error);
  settle();
  auto lease = take();
  lease.poison();
  lease = {};
  EXPECT_EQ(settle(), 0);
  EXPECT_EQ(closed_for(close_reason::poisoned), 1U);
}

TEST_F(ThrowingListener, Fault130_ItMayThrowWhereALeaseEnds) {
  bad->when = connection_change::closed;
  start_with_thrower();
  dns({"10.0.0.1"});
  auto lease = take();
  lease.poison();  // tells, and must not throw here
  EXPECT_EQ(settle(), 1);
  EXPECT_EQ(closed_for(close_reason::poisoned), 1U);
  pool->close();
  settle();
}

TEST_F(ThrowingListener, Fault130_WithoutAnExecutorThereIsNoOneToThrowTo) {
  bad->when = connection_change::closed;
  simulation other;
  auto script = std::make_shared<feed_script>();
  auto connections = std::make_shared<scripted_connector>(other);
  options.listener = bad;
  std::optional<scripted_pool> dying;
  {
    simulation inner;
    auto its_net = std::make_shared<scripted_connector>(inner);
    dying.emplace(
        inner.executor(), std::make_unique<scripted_feed>(script), its_net, options, inner.time());
    script->publish(answer_of({"10.0.0.1"}));
    inner.settle();
    EXPECT_EQ(dying->gauges().idle, 1U);
  }
  dying.reset();
  options.listener = nullptr;
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
