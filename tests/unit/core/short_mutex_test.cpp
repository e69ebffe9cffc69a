// SPDX-License-Identifier: Apache-2.0
// The lock of the hot path.

#include "core/short_mutex.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST(ShortMutex, IsHeldByOneAtATime) {
  short_mutex m;
  m.lock();
  EXPECT_FALSE(m.try_lock());
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  EXPECT_FALSE(m.try_lock());
  m.unlock();
}

// With one thread a process takes the way without atomic operations, with two the other one: what
// was locked in one state is unlocked in the other.
TEST(ShortMutex, MayBeHeldWhileTheFirstThreadStarts) {
  short_mutex m;
  m.lock();
  bool taken = true;
  std::thread([&] { taken = m.try_lock(); }).join();
  EXPECT_FALSE(taken);
  m.unlock();
  std::thread([&] { taken = m.try_lock(); }).join();
  EXPECT_TRUE(taken);
}

TEST(ShortMutex, NothingIsLostBetweenThreads) {
  constexpr int threads = 4;
  constexpr int times = 20000;
  short_mutex m;
  int count = 0;  // unguarded but for the lock
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < times; ++i) {
        const std::lock_guard lock(m);
        ++count;
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(count, threads * times);
}

// Each round the lock is held until all others have asked for it, longer than anybody spins.
TEST(ShortMutex, WhoSleepsIsWoken) {
  constexpr int rounds = 50;
  constexpr int sleepers = 3;
  for (int r = 0; r < rounds; ++r) {
    auto m = std::make_unique<short_mutex>();
    std::atomic<int> asking{0};
    int served = 0;
    m->lock();
    std::vector<std::thread> all;
    for (int t = 0; t < sleepers; ++t) {
      all.emplace_back([&] {
        ++asking;
        const std::lock_guard lock(*m);
        ++served;
      });
    }
    while (asking < sleepers) std::this_thread::yield();
    for (int i = 0; i < 200; ++i) std::this_thread::yield();
    m->unlock();
    for (std::thread& t : all) t.join();  // who is never woken hangs here
    EXPECT_EQ(served, sleepers);
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
