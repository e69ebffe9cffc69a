// SPDX-License-Identifier: Apache-2.0
// The end of a pool, of its executor, and callers who do the unexpected.

#include "pool_world.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

using Lifecycle = PoolWorld;

TEST_F(Lifecycle, Fault124_CloseCompletesEverythingOnce) {
  start({"10.0.0.1"});
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.1", "10.0.0.2"});
  auto held = take();
  net->accept(ep("10.0.0.1"), 1s);
  const auto a = checkout();
  sim.settle();
  pool->close();
  EXPECT_TRUE(a->pending());  // never inline
  sim.settle();
  EXPECT_EQ(a->error, errc::closed);
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(net->counts().opening, 0U);
  EXPECT_TRUE(feed->stopped);
  pool->close();
  const auto b = checkout();
  sim.settle();
  EXPECT_EQ(b->error, errc::closed);
  EXPECT_FALSE(pool->reset());
  held = {};
  EXPECT_EQ(closed_for(close_reason::shutdown), 1U);
}

TEST_F(Lifecycle, Fault124_DestroyedInEveryState) {
  // Each round stops the story one step later.
  for (int last = 0; last < 8; ++last) {
    SCOPED_TRACE(last);
    net->accept(ep("10.0.0.1"));
    start();
    scripted_lease held;
    const auto waiting = checkout();
    for (int i = 0; i <= last; ++i) {
      if (i == 0) sim.settle();
      if (i == 1) dns({"10.0.0.1"});
      if (i == 2) held = std::move(waiting->lease);
      if (i == 3) net->accept(ep("10.0.0.1"), 10ms);
      if (i == 4) (void)checkout();
      if (i == 5) sim.advance(15ms);
      if (i == 6) dns({"10.0.0.3"});
      if (i == 7) pool->reset();
    }
    pool.reset();
    sim.settle();
    for (const auto& w : waits) {
      EXPECT_EQ(w->completions, 1);
      w->lease = {};
    }
    held = {};
    sim.settle();
    EXPECT_EQ(net->counts().open, 0U);
    EXPECT_EQ(net->counts().opening, 0U);
    EXPECT_TRUE(sim.left_over().none());
    feed = std::make_shared<feed_script>();
  }
}

TEST_F(Lifecycle, Fault124_ALeaseOnItsWayWhenThePoolGoesIsDeliveredClosed) {
  start({"10.0.0.1"});
  const auto a = checkout();  // posted already
  pool.reset();
  sim.settle();
  EXPECT_EQ(a->completions, 1);
  EXPECT_EQ(open_now(), 0U);
  a->lease = {};
}

TEST_F(Lifecycle, ALateConnectAfterTheEndIsClosed) {
  connect_behaviour slow;
  slow.latency = 50ms;
  slow.ignores_cancel = true;
  net->behave(slow);
  start({"10.0.0.1"});
  EXPECT_EQ(net->counts().opening, 1U);
  pool.reset();
  sim.advance(50ms);
  EXPECT_EQ(net->counts().opened, 1U);
  EXPECT_EQ(open_now(), 0U);
}

/// Its context may go first.
struct Orphan : ::testing::Test {
  std::optional<simulation> sim{std::in_place};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(*sim);
  std::shared_ptr<feed_script> feed = std::make_shared<feed_script>();
  int called = 0;

  scripted_pool make() {
    return {sim->executor(), std::make_unique<scripted_feed>(feed), net, {}, sim->time()};
  }
  void dns() {
    snapshot s;
    s.generation = 1;
    s.state = freshness::fresh;
    s.endpoints.resize(1);
    s.endpoints[0].where = ep("10.0.0.1");
    feed->publish(s);
    sim->settle();
  }
};

TEST_F(Orphan, Fault127_TheContextGoesFirst) {
  auto pool = make();
  dns();
  pool.async_checkout([&](error_code, scripted_lease) { ++called; });  // posted, never run
  net->hang(ep("10.0.0.1"));
  pool.async_checkout([&](error_code, scripted_lease) { ++called; });
  feed->handler = nullptr;
  sim.reset();
  EXPECT_EQ(net->counts().open, 0U);  // closed while its sockets could still be closed
  EXPECT_FALSE(pool.try_checkout().has_value());
  pool.close();
  EXPECT_EQ(called, 0);
}

TEST_F(Orphan, Fault127_TheContextGoesWithIdleConnectionsAndWaiters) {
  auto pool = make();
  pool.async_checkout([&](error_code, scripted_lease) { ++called; });
  sim->settle();
  sim.reset();
  EXPECT_EQ(called, 0);
}

TEST_F(Orphan, Fault127_AHandlerThatIsDestroyedReturnsItsLease) {
  auto pool = std::make_shared<scripted_pool>(make());
  dns();
  // The handler owns the pool: both go with the context.
  pool->async_checkout([this, pool](error_code, scripted_lease) { ++called; });
  std::weak_ptr<scripted_pool> watch = pool;
  pool.reset();
  sim.reset();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(called, 0);
  EXPECT_EQ(net->counts().open, 0U);
}

TEST_F(Lifecycle, Fault129_AHandlerMayDoAnything) {
  start({"10.0.0.1"});
  int called = 0;
  pool->async_checkout([&](error_code, scripted_lease first) {
    ++called;
    pool->async_checkout([&](error_code ec, scripted_lease) {
      ++called;
      EXPECT_FALSE(ec);  // was lent the connection that the first one returns here
    });
    first = {};
    pool->async_checkout([&](error_code ec, scripted_lease) {
      ++called;
      EXPECT_EQ(ec, errc::closed);
    });
    pool->close();
    pool->close();
    EXPECT_EQ(called, 1);
  });
  sim.settle();
  EXPECT_EQ(called, 3);
}

TEST_F(Lifecycle, Fault129_AListenerMayCloseThePool) {
  struct closer final : event_listener {
    void on_endpoint(const endpoint_event& e) override {
      if (e.change == endpoint_change::active && pool != nullptr) pool->close();
    }
    void on_connection(const connection_event& e) override {
      if (e.change == connection_change::closed) ++closed;
    }
    scripted_pool* pool = nullptr;
    int closed = 0;
  };
  auto listener = std::make_shared<closer>();
  options.listener = listener;
  pool.emplace(sim.executor(), std::make_unique<scripted_feed>(feed), net, options, sim.time());
  listener->pool = &*pool;
  const auto a = checkout();
  dns({"10.0.0.1"});
  EXPECT_EQ(a->completions, 1);
  EXPECT_EQ(listener->closed, 1);
}

TEST_F(Lifecycle, Fault130_AHandlerThatThrowsLeavesThePoolInOrder) {
  options.max_connections = 1;
  start({"10.0.0.1"});
  pool->async_checkout(
      [](error_code, scripted_lease) { throw std::runtime_error("of the caller"); });
  EXPECT_THROW(sim.settle(), std::runtime_error);
  EXPECT_EQ(pool->gauges().idle, 1U);
  EXPECT_TRUE(take());
}

TEST_F(Lifecycle, AConnectorThatThrowsIsAFailedConnect) {
  struct thrower final : connector {
    std::shared_ptr<connect_operation> open(const connect_request&, handler) override {
      throw std::bad_alloc();
    }
  };
  scripted_pool broken(sim.executor(),
                       std::make_unique<scripted_feed>(feed),
                       std::make_shared<thrower>(),
                       {},
                       sim.time());
  dns({"10.0.0.1"});
  EXPECT_EQ(broken.last_connect_error(), boost::system::errc::not_enough_memory);
}

TEST_F(Lifecycle, EventsOfAConnectionComeInOrder) {
  start({"10.0.0.1"});
  net->refuse(ep("10.0.0.1"));
  take().poison();
  auto w = checkout(100ms);
  sim.advance(100ms);
  std::vector<std::string> story;
  for (const auto& e : events->all()) {
    if (e.kind == event_kind::connection) story.push_back(e.what + std::to_string(e.number));
  }
  EXPECT_EQ(story,
            (std::vector<std::string>{"opening1", "opened1", "closed1", "opening2", "failed2"}));
}

TEST_F(Lifecycle, CloseWhileANoticeIsBeingArmed) {
  start({"10.0.0.1"});
  bool closed = false;
  // Between the sweep and the call that it posts.
  sim.time()->call_at(sim.now() + 10ms, [&] {
    pool->close();
    closed = true;
  });
  sim.advance(20ms);
  EXPECT_TRUE(closed);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(Lifecycle, WhatStartsAfterThePoolWasMovedOrHasGone) {
  start({"10.0.0.1"});
  auto follows = pool->async_checkout(boost::asio::deferred);
  auto late = pool->async_checkout(boost::asio::deferred);
  auto drain = pool->async_drain(sim.now() + 1s, boost::asio::deferred);
  scripted_pool other = std::move(*pool);
  *pool = std::move(other);
  const auto first = expect_wait();
  std::move(follows)(receiver(first));
  sim.settle();
  EXPECT_TRUE(first->leased());
  first->lease = {};
  pool.reset();
  const auto second = expect_wait();
  std::move(late)(receiver(second));
  error_code drained;
  std::move(drain)([&](error_code ec) { drained = ec; });
  sim.settle();
  EXPECT_EQ(second->error, errc::closed);
  EXPECT_EQ(drained, errc::closed);
}

// Without a clock it takes the executor's own.
TEST(PoolClock, IsTheExecutorsUnlessOneIsGiven) {
  boost::asio::io_context io;
  simulation sim;
  basic_pool<scripted_connection> pool(
      io.get_executor(),
      std::make_unique<scripted_feed>(std::make_shared<feed_script>()),
      std::make_shared<scripted_connector>(sim));
  error_code ended;
  pool.async_checkout(1ms, [&](error_code ec, const scripted_lease&) { ended = ec; });
  io.run();
  EXPECT_EQ(ended, errc::unresolved);
}

TEST_F(Lifecycle, APoolOfNothingIsRefused) {
  const auto make = [&](boost::asio::any_io_executor executor, bool with_feed, bool with_opener) {
    auto told = with_feed ? std::make_unique<scripted_feed>(feed) : nullptr;
    scripted_pool never(executor, std::move(told), with_opener ? net : nullptr, {}, sim.time());
  };
  EXPECT_THROW(make({}, true, true), std::invalid_argument);
  EXPECT_THROW(make(sim.executor(), false, true), std::invalid_argument);
  EXPECT_THROW(make(sim.executor(), true, false), std::invalid_argument);
}

// As scheduler.hpp says: one of one's own passes timers on to one of redial's.
struct counted_time final : scheduler {
  explicit counted_time(std::shared_ptr<scheduler> t) : inner(std::move(t)) {}
  [[nodiscard]] time_point now() const noexcept override { return inner->now(); }
  void arm(timer& t, time_point when) override {
    ++armed;
    inner->arm(t, when);
  }
  void disarm(timer& t) noexcept override { inner->disarm(t); }
  [[nodiscard]] bool is_stopped() const noexcept override { return inner->is_stopped(); }

  const std::shared_ptr<scheduler> inner;
  int armed = 0;
};

TEST_F(Lifecycle, ASchedulerMayBeWrapped) {
  const auto counted = std::make_shared<counted_time>(sim.time());
  pool.emplace(sim.executor(), std::make_unique<scripted_feed>(feed), net, options, counted);
  const auto w = checkout(checkout_options(1s));
  sim.advance(1s);
  EXPECT_EQ(w->error, errc::unresolved);
  EXPECT_GT(counted->armed, 0);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
