// SPDX-License-Identifier: Apache-2.0

#include "pool/waiter_queue.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
constexpr time_point start = time_point{} + 1h;

waiter until(duration d, bool picky = false) {
  waiter w;
  w.deadline = start + d;
  if (picky) w.tried.push_back({1, start});
  return w;
}

TEST(WaiterQueue, KeepsTheOrderAndLeavesNoHole) {
  waiter_queue q;
  for (ticket t = 1; t <= 4; ++t) q.add(t, until(1s));
  EXPECT_TRUE(q.remove(2));
  EXPECT_FALSE(q.remove(2));
  std::vector<ticket> left;
  for (const auto& [t, w] : q.in_order()) left.push_back(t);
  EXPECT_EQ(left, (std::vector<ticket>{1, 3, 4}));
}

TEST(WaiterQueue, ExpiresByDeadlineNotByOrder) {
  waiter_queue q;
  q.add(1, until(3s));
  q.add(2, until(1s));
  q.add(3, until(2s));
  EXPECT_EQ(q.next_deadline(), start + 1s);
  EXPECT_EQ(q.expired(start), std::nullopt);
  EXPECT_EQ(q.expired(start + 2s), 2U);
  EXPECT_TRUE(q.remove(2));
  EXPECT_EQ(q.expired(start + 2s), 3U);
  EXPECT_TRUE(q.remove(3));
  EXPECT_EQ(q.expired(start + 2s), std::nullopt);
  EXPECT_EQ(q.size(), 1U);
}

TEST(WaiterQueue, KnowsHowManyArePicky) {
  waiter_queue q;
  q.add(1, until(1s, true));
  q.add(2, until(1s));
  EXPECT_EQ(q.picky(), 1U);
  q.remove(1);
  EXPECT_EQ(q.picky(), 0U);
  EXPECT_EQ(q.next_deadline(), start + 1s);
  q.remove(2);
  EXPECT_EQ(q.next_deadline(), std::nullopt);
  EXPECT_TRUE(q.empty());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
