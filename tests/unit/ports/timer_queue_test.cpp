// SPDX-License-Identifier: Apache-2.0
#include "ports/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <vector>

namespace {

using redial::time_point;
using redial::detail::timer_queue;
using std::chrono::seconds;

struct waiter {
  int fired = 0;
  void on_timer() { ++fired; }
  redial::member_timer<waiter, &waiter::on_timer> timer{*this};
};

std::shared_ptr<waiter> make_waiter() {
  auto w = std::make_shared<waiter>();
  w->timer.owned_by(w);
  return w;
}

time_point at(int s) { return time_point{} + seconds{s}; }

TEST(TimerQueue, GivesTheEarliestFirst) {
  timer_queue queue;
  const auto a = make_waiter();
  const auto b = make_waiter();
  const auto c = make_waiter();
  EXPECT_EQ(queue.next(), std::nullopt);
  queue.arm(a->timer, at(30));
  queue.arm(b->timer, at(10));
  queue.arm(c->timer, at(20));
  EXPECT_EQ(queue.next(), at(10));
  EXPECT_FALSE(queue.take_due(at(9)));
  EXPECT_EQ(queue.take_due(at(25))->what, &b->timer);
  EXPECT_EQ(queue.take_due(at(25))->what, &c->timer);
  EXPECT_FALSE(queue.take_due(at(25)));
  EXPECT_EQ(queue.next(), at(30));
  queue.disarm(a->timer);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TimerQueue, FiresTheOwnersMember) {
  timer_queue queue;
  const auto a = make_waiter();
  queue.arm(a->timer, at(1));
  EXPECT_TRUE(timer_queue::is_armed(a->timer));
  const auto due = queue.take_due(at(1));
  ASSERT_TRUE(due);
  EXPECT_FALSE(timer_queue::is_armed(a->timer));
  EXPECT_EQ(due->owner, a);
  timer_queue::fire(*due->what);
  EXPECT_EQ(a->fired, 1);
}

TEST(TimerQueue, TiesComeInTheOrderOfArming) {
  timer_queue queue;
  std::vector<std::shared_ptr<waiter>> waiters;
  for (int i = 0; i < 20; ++i) waiters.push_back(make_waiter());
  for (auto& w : waiters) queue.arm(w->timer, at(5));
  queue.arm(waiters[3]->timer, at(5));  // armed again: to the end
  std::rotate(waiters.begin() + 3, waiters.begin() + 4, waiters.end());
  for (auto& w : waiters) EXPECT_EQ(queue.take_due(at(5))->what, &w->timer);
}

TEST(TimerQueue, Fault122_ArmingAgainMovesSoItFiresOnce) {
  timer_queue queue;
  const auto a = make_waiter();
  queue.arm(a->timer, at(1));
  queue.arm(a->timer, at(9));
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_FALSE(queue.take_due(at(5)));
  queue.arm(a->timer, at(2));
  EXPECT_TRUE(queue.take_due(at(5)));
  EXPECT_FALSE(queue.take_due(at(50)));
}

TEST(TimerQueue, DisarmingWhatIsNotArmedIsHarmless) {
  timer_queue queue;
  const auto a = make_waiter();
  queue.disarm(a->timer);
  queue.arm(a->timer, at(1));
  queue.disarm(a->timer);
  queue.disarm(a->timer);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(TimerQueue, SkipsOwnersThatAreGone) {
  timer_queue queue;
  const auto owner_a = std::make_shared<int>();
  auto owner_b = std::make_shared<int>();
  waiter a;
  waiter b;
  a.timer.owned_by(owner_a);
  b.timer.owned_by(owner_b);
  queue.arm(b.timer, at(1));
  queue.arm(a.timer, at(2));
  owner_b.reset();
  EXPECT_EQ(queue.take_due(at(3))->what, &a.timer);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_FALSE(timer_queue::is_armed(b.timer));
}

TEST(TimerQueue, TheEndsOfTimeAreInstantsLikeOthers) {
  timer_queue queue;
  const auto a = make_waiter();
  const auto b = make_waiter();
  queue.arm(a->timer, time_point::max());
  queue.arm(b->timer, time_point::min());
  EXPECT_EQ(queue.take_due(at(0))->what, &b->timer);
  EXPECT_FALSE(queue.take_due(at(0)));
  EXPECT_TRUE(queue.take_due(time_point::max()));
}

// Against a plain list, with every kind of change at random places.
TEST(TimerQueue, KeepsItsOrderUnderRandomUse) {
  std::mt19937 rng(4);
  timer_queue queue;
  std::vector<std::shared_ptr<waiter>> waiters;
  for (int i = 0; i < 100; ++i) waiters.push_back(make_waiter());
  struct entry {
    int when;
    int order;
    std::size_t who;
  };
  std::vector<entry> model;
  const auto forget = [&](std::size_t who) {
    std::erase_if(model, [&](const entry& e) { return e.who == who; });
  };
  for (int step = 0; step < 20000; ++step) {
    const std::size_t who = rng() % waiters.size();
    const int when = static_cast<int>(rng() % 50);
    forget(who);
    if (rng() % 3 == 0) {
      queue.disarm(waiters[who]->timer);
    } else {
      queue.arm(waiters[who]->timer, at(when));
      model.push_back({when, step, who});
    }
    if (rng() % 4 != 0) continue;
    const auto first = std::ranges::min_element(model, [](const entry& a, const entry& b) {
      return a.when != b.when ? a.when < b.when : a.order < b.order;
    });
    const auto due = queue.take_due(at(25));
    ASSERT_EQ(due.has_value(), first != model.end() && first->when <= 25);
    if (!due) continue;
    ASSERT_EQ(due->what, &waiters[first->who]->timer);
    forget(first->who);
  }
  EXPECT_EQ(queue.size(), model.size());
}

}  // namespace
