// SPDX-License-Identifier: Apache-2.0
// Memory does not grow with use.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/discovery/feed.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "counted_new.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using scripted_client = basic_client<scripted_connection>;
using scripted_lease = lease<scripted_connection>;

// Sanitizers make everything ten times as slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int cycles = 200'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int cycles = 200'000;
#else
constexpr int cycles = 1'000'000;
#endif
#else
constexpr int cycles = 1'000'000;
#endif
constexpr int waits = cycles / 10;

/// A pool with two endpoints of one connection each.
class FlatMemory : public ::testing::Test {
 protected:
  FlatMemory() {
    options.seed = 1;
    options.max_connections = 1;
    discovery_options d;
    names = discovery::create(sim.executor(), d, dns.share(), sim.time());
    pool = std::make_unique<basic_pool<scripted_connection>>(
        sim.executor(),
        make_feed(names, target("static://10.0.0.1:80,10.0.0.2:80")),
        net,
        options,
        sim.time());
    sim.advance(1s);
  }
  ~FlatMemory() override {
    pool.reset();
    names->close();
    sim.settle();
  }

  simulation sim;
  scripted_dns dns{sim};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(sim);
  pool_options options;
  std::shared_ptr<discovery> names;
  std::unique_ptr<basic_pool<scripted_connection>> pool;
};

TEST_F(FlatMemory, Fault137_AMillionCheckoutsTakeNoMemory) {
  for (int i = 0; i < 100; ++i) (void)pool->try_checkout();
  sim.advance(1s);
  const auto before = allocations();
  int served = 0;
  for (int i = 0; i < cycles; ++i) {
    if (const auto l = pool->try_checkout()) ++served;
  }
  EXPECT_LE(allocations(), before + 4) << "the first return starts the coarse clock again";
  EXPECT_EQ(served, cycles);
}

TEST_F(FlatMemory, Fault137_AHundredThousandWaitsLeaveNothingBehind) {
  int served = 0;
  const auto round = [&] {
    scripted_lease a = *pool->try_checkout();
    scripted_lease b = *pool->try_checkout();
    for (int i = 0; i < 10; ++i) {
      pool->async_checkout(
          [&](error_code ec, const scripted_lease& l) { served += !ec && l ? 1 : 0; });
    }
    sim.settle();
    a = {};
    b = {};
    sim.settle();
  };
  for (int i = 0; i < 100; ++i) round();
  const auto before = live_blocks();
  served = 0;
  for (int i = 0; i < waits / 10; ++i) round();
  EXPECT_EQ(served, waits);
  EXPECT_LE(live_blocks(), before + 16) << "some for where the last round came to rest";
  EXPECT_EQ(pool->gauges().waiting, 0U);
}

TEST_F(FlatMemory, Fault137_CallsThatFailAndTimeOutLeaveNothingBehind) {
  client_options o;
  o.pool.seed = 1;
  o.pool.max_connections = 2;
  o.retry.delay = 1ms;
  scripted_client client(sim.executor(), names, target("static://10.0.0.1:80"), net, o, sim.time());
  sim.advance(1s);
  std::vector<operation_handler> held;
  int over = 0;
  const auto round = [&] {
    for (int i = 0; i < 10; ++i) {
      client.async_call(
          [&held, i](attempt&, scripted_connection&, operation_handler done) {
            if (i % 3 == 0) return done(error_code());
            if (i % 3 == 1) return done(make_error_code(boost::system::errc::timed_out));
            held.push_back(std::move(done));
          },
          call_options(30ms).idempotent(),
          [&](error_code, const call_history&) { ++over; });
    }
    sim.advance(200ms);
    held.clear();
    sim.settle();
  };
  for (int i = 0; i < 50; ++i) round();
  const auto before = live_blocks();
  over = 0;
  for (int i = 0; i < waits / 200; ++i) round();
  EXPECT_EQ(over, waits / 20);
  EXPECT_LE(live_blocks(), before + 64) << "some for where the last round came to rest";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
