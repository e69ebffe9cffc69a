// SPDX-License-Identifier: Apache-2.0
#include "dns/spin_guard.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

TEST(SpinGuard, Fault21_ManyTurnsWithoutProgress) {
  spin_guard guard;
  const time_point start{1h};
  for (int i = 0; i < spin_guard::most; ++i) EXPECT_FALSE(guard.ready(start + i * 1us));
  EXPECT_TRUE(guard.ready(start + 1ms));
}

TEST(SpinGuard, ProgressStartsAnew) {
  spin_guard guard;
  const time_point start{1h};
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(guard.ready(start));
    if (i % spin_guard::most == spin_guard::most - 1) guard.progress();
  }
}

TEST(SpinGuard, Fault22_SlowTrafficIsNoSpin) {
  spin_guard guard;
  const time_point start{1h};
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(guard.ready(start + i * 250us));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
