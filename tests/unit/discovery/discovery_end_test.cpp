// SPDX-License-Identifier: Apache-2.0

// Closing and destroying: at any moment, from anywhere.

#include <redial/discovery/discovery.hpp>
#include <redial/net/asio_scheduler.hpp>

#include "discovery_world.hpp"
#include "ports/timer_queue.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace redial {
namespace {

using testing::discovery_world;
using testing::reader;
using testing::texts;
using namespace std::chrono_literals;

TEST(DiscoveryEnd, CloseWithQuestionsInFlight) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  w.dns.latency(1s);
  auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(100ms);
  EXPECT_EQ(w.dns.in_flight(), 2U);
  d->close();
  d->close();
  EXPECT_TRUE(r.got.empty()) << "never inline";
  w.sim.settle();
  ASSERT_EQ(r.got.size(), 1U);
  EXPECT_EQ(r.got[0]->error, errc::closed);
  EXPECT_TRUE(r.got[0]->definite);
  w.sim.advance(1h);
  EXPECT_EQ(r.got.size(), 1U);
  EXPECT_TRUE(w.sim.left_over().none()) << w.sim.left_over();
}

TEST(DiscoveryEnd, AfterCloseTheLastSnapshotStays) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  d->close();
  w.sim.advance(1h);
  EXPECT_EQ(r.got.size(), 1U);
  r.sub.refresh();
  r.sub.report(r.got[0]->endpoints[0].where, endpoint_outcome::connect_refused);
  reader late(*d, "http://api.test", w.sim.executor());
  reader fixed(*d, "http://10.0.0.9", w.sim.executor());
  w.sim.settle();
  ASSERT_EQ(late.got.size(), 1U);
  EXPECT_EQ(late.got[0]->error, errc::closed);
  EXPECT_EQ(fixed.endpoints(), texts{"10.0.0.9:80"});
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
}

TEST(DiscoveryEnd, SubscribeAndCloseAtOnce) {
  discovery_world w;
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  d->close();
  w.sim.settle();
  ASSERT_EQ(r.got.size(), 1U);
  EXPECT_EQ(r.got[0]->error, errc::closed);
}

TEST(DiscoveryEnd, DestroyedInASnapshotCallback) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  auto d = w.make();
  int calls = 0;
  const auto sub = d->subscribe(target("http://api.test"), w.sim.executor(), [&](snapshot_ptr) {
    ++calls;
    d.reset();
  });
  w.sim.advance(1h);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(w.sim.left_over().none()) << w.sim.left_over();
}

TEST(DiscoveryEnd, SubscriptionDestroyedInItsOwnCallback) {
  discovery_world w;
  w.dns.sequence("api.test", {{"10.0.0.1"}, {"10.0.0.2"}}, 1s, true);
  const auto d = w.make();
  std::optional<subscription> sub;
  int calls = 0;
  sub = d->subscribe(target("http://api.test"), w.sim.executor(), [&](snapshot_ptr) {
    ++calls;
    sub.reset();
  });
  w.sim.advance(1min);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(w.sim.time()->armed_timers(), 0U);
}

TEST(DiscoveryEnd, NothingIsDeliveredAfterCancel) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  auto handler_owns = std::make_shared<int>(0);
  reader other(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  auto sub = d->subscribe(target("http://api.test"),
                          w.sim.executor(),
                          [handler_owns](snapshot_ptr) { ++*handler_owns; });
  sub.cancel();  // the current snapshot may be on its way
  sub.cancel();
  EXPECT_EQ(handler_owns.use_count(), 1) << "the handler is gone";
  w.sim.advance(1min);
  EXPECT_EQ(*handler_owns, 0);
  sub.refresh();
  sub.report({}, endpoint_outcome::moved);
  EXPECT_FALSE(other.got.empty());
}

TEST(DiscoveryEnd, MovedSubscriptionsKeepWorking) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  w.dns.set("b.test", {"10.0.0.2"});
  const auto d = w.make();
  int first = 0;
  int second = 0;
  auto sub =
      d->subscribe(target("http://api.test"), w.sim.executor(), [&](snapshot_ptr) { ++first; });
  auto moved = std::move(sub);
  w.sim.advance(1s);
  EXPECT_EQ(first, 1);
  moved = d->subscribe(target("http://b.test"), w.sim.executor(), [&](snapshot_ptr) { ++second; });
  w.dns.set("api.test", {"10.0.0.3"});
  w.sim.advance(1min);
  EXPECT_EQ(first, 1) << "assigning over it cancelled it";
  EXPECT_EQ(second, 1);
}

TEST(DiscoveryEnd, AHandlerThatThrowsGetsTheNextSnapshotAllTheSame) {
  discovery_world w;
  w.dns.sequence("api.test", {{"10.0.0.1"}, {"10.0.0.2"}}, 1s);
  const auto d = w.make();
  int calls = 0;
  const auto sub = d->subscribe(target("http://api.test"), w.sim.executor(), [&](snapshot_ptr) {
    if (++calls == 1) throw std::runtime_error("theirs");
  });
  EXPECT_THROW(w.sim.advance(1min), std::runtime_error);
  w.sim.advance(1min);
  EXPECT_EQ(calls, 2);
}

TEST(DiscoveryEnd, DestroyedBeforeAnythingRan) {
  discovery_world w;
  auto d = w.make();
  auto sub = d->subscribe(target("http://api.test"), w.sim.executor(), [](snapshot_ptr) {});
  d.reset();
  w.sim.settle();
  sub.refresh();
  EXPECT_TRUE(w.sim.left_over().none());
}

// One service with one host. Keeps no executor.
class service_source : public dns_source {
 public:
  explicit service_source(boost::asio::io_context& io) : io_(io) {}
  void ask(const question& q, handler done) override {
    answer a;
    a.asked = q;
    a.ttl = 5s;
    a.outcome = answer_outcome::records;
    if (q.type == record_type::a) {
      a.addresses = {boost::asio::ip::make_address_v4(0x0a000001U)};
    } else if (q.type == record_type::srv) {
      a.services.emplace_back();
      a.services.back().target = "n1.test";
      a.services.back().port = 80;
    } else {
      a.outcome = answer_outcome::no_data;
    }
    boost::asio::post(io_, [done = std::move(done), a] { done(a); });
  }
  void close() noexcept override {}

 private:
  boost::asio::io_context& io_;
};

TEST(DiscoveryEnd, TheExecutorMayGoFirst) {
  std::shared_ptr<discovery> d;
  subscription sub;
  {
    boost::asio::io_context io;
    d = discovery::create(io.get_executor());
    sub = d->subscribe(target("http://api.test"), io.get_executor(), [](snapshot_ptr) {});
    io.poll_one();
  }
  sub.refresh();
  sub.cancel();
  (void)d->counters();
  d->close();
}

TEST(DiscoveryEnd, Fault127_AStrandMayGoFirstWithTargetsAndFallbacksFollowed) {
  const target fails("http://sourced.test");
  const auto registry = std::make_shared<pushed_source>();
  registry->fail(fails, errc::dns_timeout);
  std::shared_ptr<discovery> d;
  std::vector<subscription> subs;
  {
    boost::asio::io_context io;
    const auto strand = boost::asio::make_strand(io);
    discovery_options o;
    o.sources = {registry};
    d = discovery::create(
        strand, o, std::make_unique<service_source>(io), scheduler_of(io.get_executor()));
    std::set<int> heard;
    int n = 0;
    for (const auto& t : {target("srv://calc.test"), fails}) {
      subs.push_back(d->subscribe(t, io.get_executor(), [&heard, me = n++](snapshot_ptr s) {
        if (!s->endpoints.empty()) heard.insert(me);
      }));
    }
    while (heard.size() < 2) io.run_one_for(30s);
    subs.pop_back();  // this one before, the other after
  }
  registry->set(fails, {});
  int explained = 0;
  d->async_explain(target("http://a.test"), [&](const explanation&) { ++explained; });
  EXPECT_EQ(explained, 0);
  subs.clear();
  d->close();
}

TEST(DiscoveryEnd, Fault127_NewsMayComeWhileTheContextGoes) {
  const target calc("http://sourced.test");
  for (int i = 0; i < 100; ++i) {
    const auto registry = std::make_shared<pushed_source>();
    registry->set(calc, {});
    std::atomic<bool> over{false};
    std::thread teller;
    std::shared_ptr<discovery> d;
    subscription sub;
    {
      boost::asio::io_context io;
      discovery_options o;
      o.sources = {registry};
      d = discovery::create(boost::asio::make_strand(io),
                            o,
                            std::make_unique<service_source>(io),
                            scheduler_of(io.get_executor()));
      sub = d->subscribe(calc, io.get_executor(), [](snapshot_ptr) {});
      teller = std::thread([&] {
        // Not for ever: where telling is cheaper than hearing, what is queued would grow without
        // end.
        for (int n = 0; n < 1000 && !over; ++n) registry->set(calc, {});
      });
      for (int n = 0; n < 20; ++n) io.poll_one();
    }
    over = true;
    teller.join();
  }
}

TEST(DiscoveryEnd, Fault127_ASubscriberThatHasCancelledMayDestroyItsStrand) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto d = w.make();
  {
    boost::asio::io_context users;
    auto sub = d->subscribe(
        target("http://api.test"), boost::asio::make_strand(users), [](snapshot_ptr) {});
    w.sim.advance(1s);
    users.run();
    sub.cancel();  // the discovery has yet to hear of it
  }
  w.sim.advance(1s);
  EXPECT_TRUE(w.sim.left_over().none()) << w.sim.left_over();
}

TEST(DiscoveryEnd, TheExecutorMayGoWithEverythingQueued) {
  auto io = std::make_unique<boost::asio::io_context>();
  auto d = discovery::create(io->get_executor());
  auto sub = std::make_shared<subscription>();
  // The handler owns the subscription and the discovery: the context destroys them all.
  *sub = d->subscribe(target("http://10.0.0.1"), io->get_executor(), [sub, d](snapshot_ptr) {});
  boost::asio::post(*io, [sub] { sub->cancel(); });
  const auto raw = d.get();
  raw->close();
  d.reset();
  sub->cancel();
  io.reset();
}

// Fires timers when told to, however early.
class early_scheduler : public scheduler {
 public:
  explicit early_scheduler(std::shared_ptr<scheduler> real) : real_(std::move(real)) {}
  time_point now() const noexcept override { return real_->now(); }
  void arm(timer& t, time_point when) override {
    last = &t;
    real_->arm(t, when);
  }
  void disarm(timer& t) noexcept override { real_->disarm(t); }

  timer* last = nullptr;

 private:
  std::shared_ptr<scheduler> real_;
};

TEST(DiscoveryEnd, Fault122_ATimerThatFiredBeforeItWasMovedDoesNothing) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto time = std::make_shared<early_scheduler>(w.sim.time());
  const auto d = discovery::create(w.sim.executor(), w.options, w.dns.share(), time);
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  ASSERT_NE(time->last, nullptr);
  detail::timer_queue::fire(*time->last);
  w.sim.settle();
  EXPECT_EQ(w.dns.times_asked("api.test"), 2U);
  w.sim.advance(10s);
  EXPECT_EQ(w.dns.times_asked("api.test"), 4U) << "and its own time comes all the same";
}

// A listener that does to the discovery what it must not mind.
class meddler : public event_listener {
 public:
  void on_snapshot(const snapshot_event&) override {
    if (owner != nullptr) owner->reset();
  }
  std::shared_ptr<discovery>* owner = nullptr;
};

TEST(DiscoveryEnd, DestroyedByAListener) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"});
  const auto listener = std::make_shared<meddler>();
  w.options.listener = listener;
  auto d = w.make();
  listener->owner = &d;
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1h);
  EXPECT_EQ(r.endpoints(), texts{"10.0.0.1:80"});
  EXPECT_EQ(d, nullptr);
  EXPECT_TRUE(w.sim.left_over().none()) << w.sim.left_over();
}

// Answers at once; for real threads. Used on the strand only.
class quick_source : public dns_source {
 public:
  explicit quick_source(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void ask(const question& q, handler done) override {
    answer a;
    a.asked = q;
    a.outcome = answer_outcome::no_data;
    if (q.type == record_type::a) {
      a.outcome = answer_outcome::records;
      a.addresses = {boost::asio::ip::make_address_v4(0x0a000000U + ++answers_ % 7U)};
    }
    if (closed_) a.outcome = answer_outcome::closed;
    boost::asio::post(executor_, [done = std::move(done), a] { done(a); });
  }
  void close() noexcept override { closed_ = true; }

 private:
  boost::asio::any_io_executor executor_;
  unsigned answers_ = 0;
  bool closed_ = false;
};

TEST(DiscoveryEnd, ThreadsSubscribeReportAndLeaveAtWill) {
  boost::asio::io_context names;  // one thread: its executor runs one handler at a time
  boost::asio::io_context users;
  discovery_options o;
  o.watch.seed = 1;
  o.watch.ttl_floor = o.watch.ttl_cap = 10ms;
  o.watch.min_forced_refresh_interval = 0s;
  auto d = discovery::create(names.get_executor(),
                             o,
                             std::make_unique<quick_source>(names.get_executor()),
                             scheduler_of(names.get_executor()));
  std::atomic<int> snapshots{0};
  std::atomic<int> out_of_order{0};
  const auto use = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      auto last = std::make_shared<std::atomic<std::uint64_t>>(0);
      auto sub = d->subscribe(target(i % 2 == 0 ? "http://a.test" : "http://b.test"),
                              users.get_executor(),
                              [&, last](const snapshot_ptr& s) {
                                ++snapshots;
                                if (s->generation <= last->exchange(s->generation)) ++out_of_order;
                              });
      for (int n = 0; n < 20; ++n) {
        sub.report(endpoint{boost::asio::ip::make_address_v4(0x0a000001U), 80},
                   endpoint_outcome::connect_refused);
        sub.refresh();
        (void)d->counters();
      }
    }
  };
  const auto keeps_running = boost::asio::make_work_guard(users);
  auto keeps_names = std::make_optional(boost::asio::make_work_guard(names));
  std::vector<std::thread> threads;
  threads.emplace_back([&] { names.run(); });
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { users.run(); });
  std::vector<std::thread> subscribers;
  for (int i = 0; i < 3; ++i) subscribers.emplace_back(use, 100);
  for (auto& t : subscribers) t.join();
  d->close();
  d.reset();
  keeps_names.reset();
  users.stop();
  for (auto& t : threads) t.join();
  EXPECT_EQ(out_of_order, 0);
}

TEST(DiscoveryEnd, AnExplanationThatIsAskedForAfterIt) {
  discovery_world w;
  auto d = w.make();
  auto op = d->async_explain(target("http://api.test"), boost::asio::deferred);
  d.reset();
  std::optional<explanation> got;
  std::move(op)([&](const explanation& e) { got = e; });
  EXPECT_FALSE(got) << "never inline";
  w.sim.settle();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->target, "http://api.test:80");
  EXPECT_TRUE(got->endpoints.empty());
}

}  // namespace
}  // namespace redial
