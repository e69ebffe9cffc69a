// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/simulation.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using redial::testing::simulation;

TEST(Simulation, HasOneClockAndOneExecutor) {
  simulation sim;
  redial::duration seen{};
  sim.after(5s, [&] { asio::post(sim.executor(), [&] { seen = sim.elapsed(); }); });
  sim.advance(10s);
  EXPECT_EQ(seen, 5s);
  EXPECT_EQ(sim.elapsed(), 10s);
}

TEST(Simulation, SaysWhatIsLeft) {
  simulation sim;
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  sim.after(5s, [] {});
  EXPECT_EQ(sim.left_over().armed_timers, 1U);
  auto work = std::make_optional(asio::make_work_guard(sim.context()));
  EXPECT_TRUE(sim.left_over().pending_work);
  work.reset();
  EXPECT_FALSE(sim.left_over().pending_work);
  sim.advance(6s);
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
}

TEST(Simulation, TheSameSeedGivesTheSameChance) {
  simulation a(7);
  simulation b(7);
  simulation c(8);
  const auto first = a.rng()();
  EXPECT_EQ(first, b.rng()());
  EXPECT_NE(first, c.rng()());
}

TEST(Simulation, Fault127_DestroysWhatNeverRanWithoutCallingIt) {
  struct sleeper {
    explicit sleeper(std::shared_ptr<redial::scheduler> t) : time(std::move(t)) {}
    ~sleeper() { time->disarm(timer); }
    void on_timer() { FAIL(); }
    std::shared_ptr<redial::scheduler> time;
    redial::member_timer<sleeper, &sleeper::on_timer> timer{*this};
  };
  std::weak_ptr<sleeper> watched;
  {
    simulation sim;
    auto s = std::make_shared<sleeper>(sim.time());
    s->timer.owned_by(s);
    sim.time()->arm(s->timer, sim.now() + 1h);
    watched = s;
    asio::post(sim.executor(), [s] { FAIL(); });
    sim.after(1h, [s] { FAIL(); });
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
