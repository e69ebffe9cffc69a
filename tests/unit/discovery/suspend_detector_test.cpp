// SPDX-License-Identifier: Apache-2.0

#include "discovery/suspend_detector.hpp"

#include "discovery/discovery_state.hpp"
#include "discovery/subscription_state.hpp"
#include "discovery_world.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::discovery_world;
using namespace std::chrono_literals;

TEST(SuspendDetector, SaysSoOncePerSleep) {
  duration asleep = 5h;
  suspend_detector detector([&] { return asleep; });
  EXPECT_FALSE(detector.has_slept());
  asleep += 8h;
  EXPECT_TRUE(detector.has_slept());
  EXPECT_FALSE(detector.has_slept());
}

TEST(SuspendDetector, NoiseIsNoSleep) {
  duration asleep = 0s;
  suspend_detector detector([&] { return asleep; });
  asleep = 900ms;
  EXPECT_FALSE(detector.has_slept());
  asleep = -1h;
  EXPECT_FALSE(detector.has_slept());
}

TEST(SuspendDetector, TheSystemsOwnWordIsNotNegative) { EXPECT_GE(time_asleep(), -1s); }

TEST(SuspendDetector, Fault120_AfterASleepEveryNameIsAskedAgain) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("slow.test", {"10.0.0.1"}, 60s);
  w.dns.set("quick.test", {"10.0.0.2"}, 1s);
  duration asleep = 0s;
  const auto state = discovery_state::make(
      w.sim.executor(), w.options, w.dns.share(), w.sim.time(), [&] { return asleep; });
  const auto ignore = [](snapshot_ptr) {};
  const auto slow = state->subscribe(target("http://slow.test"), w.sim.executor(), ignore);
  const auto quick = state->subscribe(target("http://quick.test"), w.sim.executor(), ignore);
  w.sim.advance(1500ms);
  EXPECT_EQ(w.dns.times_asked("slow.test"), 1U);
  asleep = 8h;
  w.sim.advance(2200ms);  // the quick one's next timer notices; then up to a second of jitter
  EXPECT_EQ(w.dns.times_asked("slow.test"), 2U);
  state->close();
  w.sim.settle();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
