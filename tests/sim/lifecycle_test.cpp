// SPDX-License-Identifier: Apache-2.0
// Every state a client can be in, ended in every way: each operation completes exactly once (or is
// destroyed uncalled with its context), and nothing is left. Rows 124 to 127 of the fault list.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scripted_client = basic_client<scripted_connection>;

endpoint ep(const char* text) { return {asio::ip::make_address(text), 80}; }

/// One operation that was started, whatever it was.
struct started {
  int completions = 0;
  error_code error;
  asio::cancellation_signal signal;
};

class World {
 public:
  World() {
    options.pool.seed = 1;
    options.pool.max_connections = 2;
    options.pool.max_total_connections = 3;  // room for who replaces them
    options.pool.checkout_timeout = 1h;
    options.pool.connect_timeout = 1h;
    options.default_timeout = 1h;
    options.attempt_timeout = 1h;
    options.retry.delay = 1min;
    dns->set("api.test", {"10.0.0.1"}, 5s);
    discovery_options d;
    d.watch.seed = 1;
    names = discovery::create(sim->executor(), d, dns->share(), sim->time());
  }

  void connect() {
    client.emplace(sim->executor(), names, target("tcp://api.test:80"), net, options, sim->time());
  }
  /// With its first connection open.
  void open() {
    connect();
    sim->advance(1s);
  }
  void call(call_options o = {}) {
    started& s = one_more();
    client->async_call(
        [this](attempt&, scripted_connection&, operation_handler done) {
          pending.push_back(std::move(done));
        },
        std::move(o),
        asio::bind_cancellation_slot(
            s.signal.slot(),
            [this, &s, t = token](error_code ec, const call_history&) { note(s, ec); }));
  }
  void check_out() {
    started& s = one_more();
    client->async_checkout(asio::bind_cancellation_slot(
        s.signal.slot(), [this, &s, t = token](error_code ec, lease<scripted_connection> l) {
          note(s, ec);
          if (l) leases.push_back(std::move(l));
        }));
  }
  void drain() {
    started& s = one_more();
    client->async_drain(
        sim->now() + 1h,
        asio::bind_cancellation_slot(s.signal.slot(),
                                     [this, &s, t = token](error_code ec) { note(s, ec); }));
  }
  void cancel_all() {
    for (auto& s : operations) s.signal.emit(asio::cancellation_type::terminal);
  }
  /// Fails the operation that was started last.
  void fail(error_code why) {
    auto handler = std::move(pending.back());
    pending.pop_back();
    handler(why);
  }
  void hang() {
    connect_behaviour never;
    never.never = true;
    net->behave(never);
  }
  void context_goes() {
    sim->time()->stop();
    sim.reset();
    context_gone = true;
  }

  std::optional<simulation> sim{std::in_place};
  std::optional<scripted_dns> dns{std::in_place, *sim};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(*sim);
  client_options options;
  std::shared_ptr<discovery> names;
  std::optional<scripted_client> client;
  std::deque<started> operations;
  std::vector<operation_handler> pending;
  std::vector<lease<scripted_connection>> leases;
  subscription subscribed;
  std::shared_ptr<int> token = std::make_shared<int>();  // one reference per living handler
  bool context_gone = false;

 private:
  started& one_more() { return operations.emplace_back(); }
  void note(started& s, const error_code& ec) {
    EXPECT_FALSE(context_gone) << "called without its context";
    ++s.completions;
    s.error = ec;
  }
};

struct scene {
  const char* name;
  std::function<void(World&)> act;
};

const scene states[] = {
    {"New",
     [](World& w) {
       w.connect();
       w.call();
       w.check_out();
     }},
    {"Resolving",
     [](World& w) {
       w.dns->silence("api.test");
       w.connect();
       w.call();
       w.check_out();
       w.sim->advance(100ms);
       EXPECT_GT(w.dns->in_flight(), 0U);
     }},
    {"ResolutionFails",
     [](World& w) {
       w.dns->fail("api.test", answer_outcome::server_failure);
       w.connect();
       w.call();
       w.check_out();
       w.sim->advance(2s);
     }},
    {"Connecting",
     [](World& w) {
       w.hang();
       w.connect();
       w.call();
       w.check_out();
       w.sim->advance(100ms);
       EXPECT_GT(w.net->counts().opening, 0U);
     }},
    {"Pausing",  // after a refused connect
     [](World& w) {
       w.open();
       w.net->hang_up(ep("10.0.0.1"));
       w.net->refuse(ep("10.0.0.1"), 1ms);
       w.call(call_options().idempotent());
       w.check_out();
       w.sim->advance(5ms);
     }},
    {"Idle", [](World& w) { w.open(); }},
    {"OnItsWay",
     [](World& w) {
       w.open();
       w.check_out();
     }},
    {"Lent",
     [](World& w) {
       w.open();
       w.check_out();
       w.sim->settle();
       EXPECT_EQ(w.leases.size(), 1U);
     }},
    {"AboutToRun",
     [](World& w) {
       w.open();
       w.call();
     }},
    {"Running",
     [](World& w) {
       w.open();
       w.call();
       w.sim->settle();
       EXPECT_EQ(w.pending.size(), 1U);
     }},
    {"Queued",
     [](World& w) {
       w.open();
       for (int i = 0; i < 4; ++i) w.call();
       w.check_out();
       w.sim->advance(100ms);
       EXPECT_EQ(w.client->connection_gauges().waiting, 3U);
     }},
    {"Sleeping",
     [](World& w) {
       w.open();
       w.call(call_options().idempotent());
       w.sim->settle();
       w.fail(asio::error::timed_out);
       w.sim->advance(100ms);
       EXPECT_EQ(w.client->connection_gauges().waiting, 0U);
       EXPECT_EQ(w.operations[0].completions, 0);
     }},
    {"Departing",  // the endpoint has left, its connections are still out
     [](World& w) {
       w.open();
       w.call();
       w.check_out();
       w.sim->settle();
       w.dns->set("api.test", {"10.0.0.2"}, 5s);
       w.sim->advance(12s);
       EXPECT_EQ(w.client->connection_gauges().draining, 2U);
     }},
    {"Warming",
     [](World& w) {
       w.open();
       w.net->hang(ep("10.0.0.2"));
       w.dns->set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
       w.call();
       w.sim->advance(12s);
       EXPECT_GT(w.net->counts().opening, 0U);
     }},
    {"Resetting",
     [](World& w) {
       w.open();
       w.call();
       w.sim->settle();
       w.hang();
       EXPECT_TRUE(w.client->reset());
       w.check_out();
       w.sim->settle();
       EXPECT_GT(w.net->counts().opening, 0U);
     }},
    {"Draining",
     [](World& w) {
       w.open();
       for (int i = 0; i < 3; ++i) w.call();
       w.sim->settle();
       w.drain();
       w.drain();
       w.sim->settle();
       EXPECT_EQ(w.operations.back().completions, 0);
     }},
    {"Drained",
     [](World& w) {
       w.open();
       w.drain();
       w.sim->settle();
       EXPECT_EQ(w.operations.back().completions, 1);
     }},
    {"Subscribed",
     [](World& w) {
       w.dns->silence("other.test");
       w.subscribed = w.names->subscribe(
           target("tcp://other.test:80"), w.sim->executor(), [t = w.token](const snapshot_ptr&) {});
       w.connect();
       w.sim->advance(100ms);
     }},
};

const scene endings[] = {
    {"Destroyed", [](World& w) { w.client.reset(); }},
    {"Closed",
     [](World& w) {
       w.client->close();
       w.client->close();
     }},
    {"Cancelled",
     [](World& w) {
       w.cancel_all();
       w.sim->settle();
       w.client.reset();
     }},
    {"CancelledTwice",
     [](World& w) {
       w.cancel_all();
       w.cancel_all();
       w.sim->settle();
       for (const auto& s : w.operations) EXPECT_EQ(s.completions, 1);
       w.client.reset();
     }},
    {"CancelledAndDestroyedAtOnce",
     [](World& w) {
       w.cancel_all();
       w.client.reset();
       w.cancel_all();
     }},
    {"CancelledAfterTheEnd",
     [](World& w) {
       w.client.reset();
       w.sim->settle();
       w.cancel_all();
     }},
    {"DrainedWithoutTime",
     [](World& w) {
       w.client->async_drain(w.sim->now(), [t = w.token](error_code) {});
       w.sim->settle();
       const auto left = w.net->counts();
       EXPECT_EQ(left.open + left.opening, 0U);
     }},
    {"DiscoveryClosedFirst",
     [](World& w) {
       w.names->close();
       w.sim->advance(100ms);
       w.client.reset();
     }},
    {"DiscoveryDestroyedFirst",
     [](World& w) {
       w.names.reset();
       w.sim->advance(100ms);
       w.client.reset();
     }},
    {"EverythingAtOnce",
     [](World& w) {
       w.names.reset();
       w.client.reset();
       w.leases.clear();
       w.pending.clear();
     }},
    {"ExecutorStoppedFirst",
     [](World& w) {
       w.sim->context().stop();
       w.client.reset();
       w.names.reset();
       w.leases.clear();
       w.pending.clear();
       w.context_goes();
     }},
    {"ContextDestroyedFirst", [](World& w) { w.context_goes(); }},
    {"ContextDestroyedAfterCancel",
     [](World& w) {
       w.cancel_all();
       w.context_goes();
     }},
    {"ContextDestroyedWhileClosing",
     [](World& w) {
       w.client->close();
       w.names->close();
       w.context_goes();
     }},
    {"LeasesOutliveAll",
     [](World& w) {
       auto held = std::move(w.leases);
       w.client.reset();
       w.names.reset();
       w.sim->settle();
       EXPECT_EQ(w.net->counts().open, 0U);
       w.leases.clear();
       w.leases = std::move(held);
     }},
};

using cell = std::tuple<const scene*, const scene*>;
std::vector<const scene*> pointers(const scene* first, const scene* last) {
  std::vector<const scene*> all;
  for (; first != last; ++first) all.push_back(first);
  return all;
}

class Fault124Lifecycle : public ::testing::TestWithParam<cell> {};

TEST_P(Fault124Lifecycle, EverythingEndsOnce) {
  World w;
  std::get<0>(GetParam())->act(w);
  if (HasFatalFailure()) return;
  std::get<1>(GetParam())->act(w);

  // Whatever is left goes in the order in which a careful owner would let it go.
  if (w.sim) w.sim->settle();
  w.leases.clear();
  w.pending.clear();
  w.client.reset();
  w.subscribed = {};
  w.names.reset();
  if (w.sim) {
    w.sim->advance(2h);
    for (const auto& s : w.operations) EXPECT_EQ(s.completions, 1);
    w.leases.clear();
    w.sim->settle();
    EXPECT_TRUE(w.sim->left_over().none()) << w.sim->left_over();
    EXPECT_EQ(w.net->counts().opening, 0U) << w.net->counts();
  }
  for (const auto& s : w.operations) EXPECT_LE(s.completions, 1);
  EXPECT_EQ(w.token.use_count(), 1) << "a handler is kept";
  EXPECT_EQ(w.net->counts().open, 0U) << w.net->counts();
  EXPECT_EQ(w.dns->in_flight(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    StatesAndEndings,
    Fault124Lifecycle,
    ::testing::Combine(::testing::ValuesIn(pointers(std::begin(states), std::end(states))),
                       ::testing::ValuesIn(pointers(std::begin(endings), std::end(endings)))),
    [](const ::testing::TestParamInfo<cell>& one) {
      return std::string(std::get<0>(one.param)->name) + "_" + std::get<1>(one.param)->name;
    });

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
