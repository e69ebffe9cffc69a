// SPDX-License-Identifier: Apache-2.0
// A pool that is closed while it asks a connection whether it is alive.

#include "pool_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

/// Cannot watch itself, and does what the test wants when it is asked.
class asked_connection final : public pooled_connection {
 public:
  asked_connection(boost::asio::any_io_executor executor, std::function<bool()>& answer)
      : executor_(std::move(executor)), answer_(answer) {}
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return answer_(); }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return executor_; }

 private:
  boost::asio::any_io_executor executor_;
  std::function<bool()>& answer_;
};

struct asked_connector final : connector {
  std::shared_ptr<connect_operation> open(const connect_request& r, handler done) override {
    boost::asio::post(r.executor, [this, e = r.executor, done = std::move(done)] {
      done({}, std::make_unique<asked_connection>(e, answer));
    });
    return nullptr;
  }
  std::function<bool()> answer = [] { return true; };
};

TEST(ClosedWhileAsked, IsForgottenAndCountsItOnce) {
  simulation sim;
  auto net = std::make_shared<asked_connector>();
  const std::weak_ptr<connector> kept_by_the_pool = net;
  auto feed = std::make_shared<feed_script>();
  std::optional<basic_pool<asked_connection>> pool;
  pool.emplace(
      sim.executor(), std::make_unique<scripted_feed>(feed), net, pool_options(), sim.time());
  snapshot s;
  s.generation = 1;
  s.state = freshness::fresh;
  s.endpoints.emplace_back().where = ep("10.0.0.1");
  feed->publish(std::move(s));
  sim.advance(5s);
  net->answer = [&] {
    pool->close();
    return false;
  };
  EXPECT_EQ(pool->try_checkout().error(), errc::closed);
  net->answer = nullptr;
  sim.settle();
  EXPECT_EQ(pool->counters().opened, 1U);
  EXPECT_EQ(pool->counters().closed, 1U);
  pool.reset();
  net.reset();
  feed->handler = nullptr;
  EXPECT_TRUE(kept_by_the_pool.expired()) << "nothing keeps the pool";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
