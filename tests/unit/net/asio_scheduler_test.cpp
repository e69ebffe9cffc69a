// SPDX-License-Identifier: Apache-2.0
#include "net/asio_scheduler.hpp"

#include <redial/net/asio_scheduler.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace redial {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Somebody with one deadline.
struct sleeper : std::enable_shared_from_this<sleeper> {
  explicit sleeper(std::shared_ptr<scheduler> s) : scheduler_(std::move(s)) {}
  ~sleeper() { scheduler_->disarm(timer_); }

  static std::shared_ptr<sleeper> make(std::shared_ptr<scheduler> s, std::function<void()> f = {}) {
    auto made = std::make_shared<sleeper>(std::move(s));
    made->timer_.owned_by(made);
    made->then_ = std::move(f);
    return made;
  }
  void arm(time_point when) { scheduler_->arm(timer_, when); }
  void arm_in(duration d) { arm(after(scheduler_->now(), d)); }
  void disarm() { scheduler_->disarm(timer_); }
  void on_fired() {
    ++fired;
    fired_at = scheduler_->now();
    if (then_) then_();
  }

  std::atomic<int> fired{0};
  time_point fired_at{};

 private:
  std::shared_ptr<scheduler> scheduler_;
  member_timer<sleeper, &sleeper::on_fired> timer_{*this};
  std::function<void()> then_;
};

class AsioScheduler : public testing::Test {
 protected:
  std::optional<asio::io_context> io_{std::in_place};
  std::shared_ptr<detail::asio_scheduler> scheduler_ =
      detail::asio_scheduler_of(io_->get_executor());
};

TEST_F(AsioScheduler, OneForAllExecutorsOfAContext) {
  EXPECT_EQ(scheduler_of(io_->get_executor()), scheduler_);
  EXPECT_EQ(scheduler_of(asio::make_strand(*io_)), scheduler_);
  EXPECT_EQ(scheduler_of(asio::make_strand(asio::any_io_executor(io_->get_executor()))),
            scheduler_);
  asio::io_context other;
  EXPECT_NE(scheduler_of(other.get_executor()), scheduler_);
}

TEST_F(AsioScheduler, FiresOnceAndNotEarly) {
  const auto s = sleeper::make(scheduler_);
  const time_point when = scheduler_->now() + 25ms;
  s->arm(when);
  io_->run();
  EXPECT_EQ(s->fired, 1);
  EXPECT_GE(s->fired_at, when);
}

TEST_F(AsioScheduler, NeverFiresFromInsideArmEvenWhenPast) {
  const auto s = sleeper::make(scheduler_);
  s->arm(scheduler_->now() - 1h);
  EXPECT_EQ(s->fired, 0);
  io_->run();
  EXPECT_EQ(s->fired, 1);
}

TEST_F(AsioScheduler, FiresInOrderOfDeadlines) {
  std::vector<int> order;
  std::vector<std::shared_ptr<sleeper>> all;
  for (const int i : {3, 1, 2}) {
    all.push_back(sleeper::make(scheduler_, [&order, i] { order.push_back(i); }));
    all.back()->arm_in(i * 20ms);
  }
  io_->run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(AsioScheduler, MovedTimerFiresOnlyAtTheNewInstant) {
  const auto s = sleeper::make(scheduler_);
  s->arm_in(10ms);
  const time_point when = scheduler_->now() + 60ms;
  s->arm(when);
  io_->run();
  EXPECT_EQ(s->fired, 1);
  EXPECT_GE(s->fired_at, when);
}

TEST_F(AsioScheduler, EarlierTimerOvertakesTheWait) {
  const auto late = sleeper::make(scheduler_);
  const auto soon = sleeper::make(scheduler_, [&] { late->disarm(); });
  late->arm_in(24h);
  soon->arm_in(1ms);
  io_->run();
  EXPECT_EQ(soon->fired, 1);
  EXPECT_EQ(late->fired, 0);
}

TEST_F(AsioScheduler, RunReturnsSoonAfterTheLastDisarm) {
  const auto s = sleeper::make(scheduler_);
  s->arm_in(24h);
  asio::post(*io_, [&] { s->disarm(); });
  io_->run();  // would take a day
  EXPECT_EQ(s->fired, 0);
}

TEST_F(AsioScheduler, RunReturnsWhenTheLastOwnerGoes) {
  auto s = sleeper::make(scheduler_);
  s->arm_in(24h);
  s.reset();
  io_->run();
}

TEST_F(AsioScheduler, OneDeadlinePerOperationDoesNotWaitAnewEachTime) {
  const auto s = sleeper::make(scheduler_);
  const time_point until = scheduler_->now() + 50ms;
  std::uint64_t rounds = 0;
  for (; scheduler_->now() < until || rounds < 10'000; ++rounds) {
    s->arm_in(2s);
    s->disarm();
    io_->poll();
    if (io_->stopped()) io_->restart();
  }
  // At most a far and a near wait per grid step, however many operations there are.
  const auto steps = (scheduler_->now() - until + 50ms) / 10ms + 2;
  EXPECT_LE(scheduler_->waits(), static_cast<std::uint64_t>(2 * steps));
  EXPECT_LT(scheduler_->waits(), rounds / 10);
  EXPECT_EQ(s->fired, 0);
}

TEST_F(AsioScheduler, Fault88_FarInstantsDoNotFireAtOnce) {
  for (const time_point when :
       {time_point::max(), time_point::max() - 1ns, scheduler_->now() + 24h * 36500}) {
    const auto s = sleeper::make(scheduler_);
    s->arm(when);
    const auto soon = sleeper::make(scheduler_, [&] { s->disarm(); });
    soon->arm_in(20ms);
    io_->restart();
    io_->run();
    EXPECT_EQ(s->fired, 0);
  }
  const auto first = sleeper::make(scheduler_);
  first->arm(time_point::min());
  io_->restart();
  io_->run();
  EXPECT_EQ(first->fired, 1);
}

TEST_F(AsioScheduler, OwnerThatDiesInItsOwnTimerIsSafe) {
  std::shared_ptr<sleeper> s;
  s = sleeper::make(scheduler_, [&] { s.reset(); });
  s->arm_in(1ms);
  io_->run();
  EXPECT_EQ(s, nullptr);
}

TEST_F(AsioScheduler, TimerArmedFromItsOwnFiringWaitsForTheNextTurn) {
  std::shared_ptr<sleeper> s;
  int turns = 0;
  s = sleeper::make(scheduler_, [&] {
    if (s->fired < 5) s->arm(scheduler_->now() - 1s);
  });
  s->arm_in(0s);
  while (io_->run_one() != 0) ++turns;
  EXPECT_EQ(s->fired, 5);
  EXPECT_GE(turns, 5);
}

TEST_F(AsioScheduler, Fault130_ThrowingTimerDoesNotLoseTheOthers) {
  const auto bad = sleeper::make(scheduler_, [] { throw std::runtime_error("thrown"); });
  const auto good = sleeper::make(scheduler_);
  const time_point when = scheduler_->now() + 1ms;
  bad->arm(when);
  good->arm(when);
  EXPECT_THROW(io_->run(), std::runtime_error);
  io_->run();
  EXPECT_EQ(good->fired, 1);
}

TEST_F(AsioScheduler, Fault127_OutlivesItsContext) {
  const auto s = sleeper::make(scheduler_);
  s->arm_in(1ms);
  EXPECT_FALSE(scheduler_->is_stopped());
  io_.reset();
  EXPECT_TRUE(scheduler_->is_stopped());
  s->disarm();
  s->arm_in(1ms);
  EXPECT_EQ(s->fired, 0);
}

TEST_F(AsioScheduler, Fault127_BoundObjectsAreToldOnceUnlessTheyLeft) {
  struct bound final : detail::context_bound {
    void context_gone() noexcept override { ++told; }
    int told = 0;
  };
  bound first, second, third, late;
  for (bound* b : {&first, &second, &third}) EXPECT_TRUE(scheduler_->attach(*b));
  scheduler_->detach(second);
  scheduler_->detach(second);
  io_.reset();
  EXPECT_EQ(first.told, 1);
  EXPECT_EQ(second.told, 0);
  EXPECT_EQ(third.told, 1);
  EXPECT_FALSE(scheduler_->attach(late));
  for (bound* b : {&first, &second, &third, &late}) scheduler_->detach(*b);
}

TEST_F(AsioScheduler, Fault122_DisarmFromOtherThreadsWhileFiring) {
  asio::thread_pool pool(2);
  const auto shared = scheduler_of(pool.get_executor());
  std::vector<std::thread> users;
  for (int u = 0; u < 3; ++u) {
    users.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        auto s = sleeper::make(shared);
        s->arm_in(i % 3 * 1ms);
        if (i % 2 == 0) s->disarm();
        if (i % 5 == 0) s->arm_in(2s);
      }
    });
  }
  for (auto& u : users) u.join();
  pool.join();
}

}  // namespace
}  // namespace redial
