// SPDX-License-Identifier: Apache-2.0
// At the total limit, callers who do not take just any connection are not passed over for ever.

#include "pool_world.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct ScarceRoom : PoolWorld {
  ScarceRoom() {
    options.max_total_connections = 2;
    options.max_connections = 2;
    options.balance = balancing::consistent_hash;
  }
  checkout_options by_key(std::uint64_t key) {
    checkout_options o(sim.now() + 10min);
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
  /// Both connections are leased, on the second endpoint.
  void fill() {
    start({"10.0.0.1", "10.0.0.2"});
    sim.advance(1s);
    first = key_of("10.0.0.1");
    second = key_of("10.0.0.2");
    net->hang_up(ep("10.0.0.1"));
    sim.settle();
    for (int i = 0; i < 2; ++i) {
      busy.push_back(checkout(by_key(second)));
      sim.settle();
      ASSERT_TRUE(busy.back()->leased());
    }
    ASSERT_EQ(net->counts(ep("10.0.0.2")).open, 2U);
  }
  /// Callers of the second endpoint who never leave it alone.
  void keep_busy_until_served(const wait& w) {
    for (int i = 0; i < 20 && w->pending(); ++i) {
      busy.push_back(checkout(by_key(second)));
      for (auto& b : busy) {
        if (!b->leased()) continue;
        b->lease = {};
        break;
      }
      std::erase_if(busy, [](const wait& b) { return b->completions == 1 && !b->lease; });
      sim.advance(10ms);
    }
  }
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::vector<wait> busy;
};

TEST_F(ScarceRoom, AKeyWhoseEndpointHasNoConnectionGetsRoom) {
  fill();
  const auto w = checkout(by_key(first));
  keep_busy_until_served(w);
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.0.1");
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, 2U) << "one was opened for it";
}

TEST_F(ScarceRoom, ARetryOnAnotherEndpointGetsRoom) {
  fill();
  const auto tried = busy.front()->lease.endpoint_id();
  const auto w = checkout(10min, {{tried, sim.now()}});
  keep_busy_until_served(w);
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.0.1");
}

// Where it belongs is noted while it waits, and must not be believed any more then.
TEST_F(ScarceRoom, AKeyThatWaitsMovesToAnEndpointThatCame) {
  options.max_total_connections = options.max_connections = 3;
  start({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  sim.advance(1s);
  const std::uint64_t key = key_of("10.0.0.3");
  dns({"10.0.0.1", "10.0.0.2"});
  const std::string before = [&] {
    const auto w = checkout(by_key(key));
    sim.settle();
    return std::exchange(w->lease, {}).where().addr.to_string();
  }();
  auto leases = take(3);
  const auto w = checkout(by_key(key));
  sim.settle();
  ASSERT_TRUE(w->pending());
  dns({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  ASSERT_TRUE(w->pending());
  const auto elsewhere = std::find_if(leases.begin(), leases.end(), [&](const scripted_lease& l) {
    return l.where() != ep(before);
  });
  ASSERT_NE(elsewhere, leases.end());
  *elsewhere = {};  // makes room for the first connection of the new one
  sim.advance(1s);
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.0.3");
}

// The endpoint that a waiting key belongs to is gone, its entry too.
TEST_F(ScarceRoom, AKeyThatWaitsMovesWhenItsEndpointLeaves) {
  fill();
  const auto w = checkout(by_key(first));
  sim.settle();
  ASSERT_TRUE(w->pending());
  dns({"10.0.0.2"});
  sim.advance(1s);
  busy.front()->lease = {};
  sim.settle();
  ASSERT_TRUE(w->leased());
  EXPECT_EQ(w->where(), "10.0.0.2");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
