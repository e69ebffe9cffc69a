// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/livelock.hpp>
#include <redial/testing/sim_scheduler.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using redial::duration;
using redial::testing::sim_limits;
using redial::testing::sim_scheduler;

// Notes the instants at which its timer fires; arms it again while `every` is not zero.
class ticker : public std::enable_shared_from_this<ticker> {
 public:
  explicit ticker(sim_scheduler& time) : time_(time) {}
  ~ticker() { time_.disarm(timer_); }
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  void start(duration in, duration every = {}) {
    timer_.owned_by(weak_from_this());
    every_ = every;
    time_.arm(timer_, time_.now() + in);
  }
  void stop() { time_.disarm(timer_); }

  std::vector<duration> fired;

 private:
  void on_timer() {
    fired.push_back(time_.now() - sim_scheduler::start);
    if (every_ != duration{}) time_.arm(timer_, time_.now() + every_);
  }

  sim_scheduler& time_;
  duration every_{};
  redial::member_timer<ticker, &ticker::on_timer> timer_{*this};
};

TEST(SimScheduler, FiresAtTheExactInstantAndNotBefore) {
  sim_scheduler time;
  const auto t = std::make_shared<ticker>(time);
  t->start(70s);
  time.advance(69s);
  EXPECT_TRUE(t->fired.empty());
  time.advance(2s);
  EXPECT_EQ(t->fired, std::vector<duration>{70s});
  EXPECT_EQ(time.now(), sim_scheduler::start + 71s);
  time.advance(1h);
  EXPECT_EQ(t->fired.size(), 1U);
}

TEST(SimScheduler, OneStepGoesThroughEveryTimerOnTheWay) {
  sim_scheduler time;
  const auto t = std::make_shared<ticker>(time);
  t->start(10s, 10s);
  time.advance(35s);
  EXPECT_EQ(t->fired, (std::vector<duration>{10s, 20s, 30s}));
  t->stop();
  EXPECT_EQ(time.armed_timers(), 0U);
}

TEST(SimScheduler, AnInstantAlreadyPastFiresAtTheNextTurn) {
  sim_scheduler time;
  time.advance(10s);
  const auto t = std::make_shared<ticker>(time);
  t->start(-5s);
  EXPECT_TRUE(t->fired.empty());
  time.settle();
  EXPECT_EQ(t->fired, std::vector<duration>{10s});
}

TEST(SimScheduler, AnOwnerThatIsGoneIsNotCalled) {
  sim_scheduler time;
  auto t = std::make_shared<ticker>(time);
  t->start(1s);
  time.call_at(time.now() + 500ms, [&] { t.reset(); });
  time.advance(2s);
  EXPECT_EQ(time.armed_timers(), 0U);
}

TEST(SimScheduler, HandlersRunAtTheInstantThatPostedThem) {
  asio::io_context io;
  sim_scheduler time(io);
  std::string order;
  const auto note = [&](const char* what) {
    order += what + std::to_string((time.now() - sim_scheduler::start) / 1s) + " ";
  };
  for (int second : {2, 1, 3}) {
    time.call_at(sim_scheduler::start + std::chrono::seconds{second}, [&] {
      note("timer");
      asio::post(io, [&] {
        note("handler");
        asio::post(io, [&] { note("next"); });
      });
    });
  }
  time.advance(10s);
  EXPECT_EQ(order, "timer1 handler1 next1 timer2 handler2 next2 timer3 handler3 next3 ");
}

TEST(SimScheduler, WhatIsReadyRunsBeforeTimeMoves) {
  asio::io_context io;
  sim_scheduler time(io);
  duration seen = 1h;
  asio::post(io, [&] { seen = time.now() - sim_scheduler::start; });
  time.advance(5s);
  EXPECT_EQ(seen, 0s);
}

TEST(SimScheduler, RunUntilStopsAtTheEvent) {
  sim_scheduler time;
  const auto t = std::make_shared<ticker>(time);
  t->start(10s, 10s);
  EXPECT_TRUE(time.run_until([&] { return t->fired.size() == 3; }, 1h));
  EXPECT_EQ(time.now(), sim_scheduler::start + 30s);
  EXPECT_FALSE(time.run_until([&] { return t->fired.size() == 99; }, 15s));
  EXPECT_EQ(time.now(), sim_scheduler::start + 45s);
  t->stop();
}

TEST(SimScheduler, RunUntilIdleEndsWithTheLastTimer) {
  sim_scheduler time;
  const auto t = std::make_shared<ticker>(time);
  t->start(3s);
  EXPECT_TRUE(time.run_until_idle());
  EXPECT_EQ(time.now(), sim_scheduler::start + 3s);
  t->start(1s, 1s);
  EXPECT_FALSE(time.run_until_idle(10s));
  t->stop();
}

TEST(SimScheduler, RunningInCirclesIsReported) {
  sim_limits limits;
  limits.steps_per_instant = 50;
  limits.timers_per_call = 200;
  asio::io_context io;
  sim_scheduler time(io, limits);
  const auto still = std::make_shared<ticker>(time);
  still->start(1s, duration{-1});
  EXPECT_THROW(time.advance(5s), redial::testing::livelock);
  still->stop();
  const auto creeping = std::make_shared<ticker>(time);
  creeping->start(1s, 1ns);
  EXPECT_THROW(time.advance(5s), redial::testing::livelock);
  creeping->stop();
  std::function<void()> again = [&] { asio::post(io, again); };
  again();
  EXPECT_THROW(time.settle(), redial::testing::livelock);
}

TEST(SimScheduler, TimeIsNotMovedFromInside) {
  sim_scheduler time;
  time.call_at(time.now(), [&] { EXPECT_THROW(time.advance(1s), std::logic_error); });
  time.settle();
}

TEST(SimScheduler, WhatATimerThrowsComesOut) {
  sim_scheduler time;
  time.call_at(time.now() + 1s, [] { throw std::runtime_error("boom"); });
  EXPECT_THROW(time.advance(2s), std::runtime_error);
  time.advance(2s);
  EXPECT_EQ(time.now(), sim_scheduler::start + 3s);
}

TEST(SimScheduler, StopDropsCallsAndSaysSo) {
  sim_scheduler time;
  const auto alive = std::make_shared<int>();
  time.call_at(time.now() + 1s, [alive] { FAIL(); });
  EXPECT_FALSE(time.is_stopped());
  time.stop();
  EXPECT_TRUE(time.is_stopped());
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(time.armed_timers(), 0U);
  EXPECT_THROW(time.advance(1s), std::logic_error);
}

TEST(SimScheduler, ThreadsMayArmWhileTimeMoves) {
  sim_scheduler time;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto t = std::make_shared<ticker>(time);
      for (int n = 0; n < 1000; ++n) {
        t->start(100h);
        t->stop();
      }
    });
  }
  for (int n = 0; n < 100; ++n) time.advance(1ms);
  for (auto& t : threads) t.join();
  EXPECT_EQ(time.armed_timers(), 0U);
}

}  // namespace
