// SPDX-License-Identifier: Apache-2.0
// A thousand clients after an outage. Overload must stay bounded: queues have limits, errors come
// at once and say why, and the backends that come back are not trampled.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scripted_client = basic_client<scripted_connection>;

// Sanitizers make everything ten times as slow; what is bounded is bounded per client.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t clients = 100;
#else
constexpr std::size_t clients = 1000;
#endif

/// Counts connects by the instant.
class counting_connector final : public connector {
 public:
  explicit counting_connector(simulation& sim) : sim_(sim), real_(sim) {}

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    ++by_10ms_[sim_.elapsed() / 10ms];
    return real_.open(request, std::move(done));
  }
  scripted_connector& net() noexcept { return real_; }

  /// The busiest stretch of `width` x 10 ms that begins in [from, to).
  [[nodiscard]] std::size_t peak(duration from, duration to, int width) const {
    std::size_t most = 0;
    for (auto first = from / 10ms; first < to / 10ms; ++first) {
      std::size_t sum = 0;
      for (auto it = by_10ms_.lower_bound(first); it != by_10ms_.end() && it->first < first + width;
           ++it) {
        sum += it->second;
      }
      most = std::max(most, sum);
    }
    return most;
  }
  [[nodiscard]] std::size_t total(duration from, duration to) const {
    std::size_t sum = 0;
    for (auto it = by_10ms_.lower_bound(from / 10ms); it != by_10ms_.end() && it->first < to / 10ms;
         ++it) {
      sum += it->second;
    }
    return sum;
  }

 private:
  simulation& sim_;
  scripted_connector real_;
  std::map<duration::rep, std::size_t> by_10ms_;
};

// 1000 clients, each with 4 endpoints. At most one connect in ten clients per 10 ms when the
// backends are back: who failed together does not come back together (the pause after a failure
// grows to 1 s and is jittered by half).
constexpr std::size_t bound_per_10ms = clients / 4;
constexpr std::size_t bound_per_100ms = clients + clients / 2;

class Herd : public ::testing::Test {
 protected:
  static constexpr duration warm = 2s;      // all is well
  static constexpr duration outage = 8s;    // then nobody answers
  static constexpr duration healed = 6s;    // and then everybody does
  static constexpr duration interval = 1s;  // between two calls of one client

  Herd() {
    dns.set("api.test", {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, 60s);
    behave({}, 2ms);
    discovery_options d;
    d.watch.seed = 1;
    names = discovery::create(sim.executor(), d, dns.share(), sim.time());
  }
  ~Herd() override {
    herd.clear();
    names->close();
    sim.settle();
    EXPECT_EQ(net->net().counts().open, 0U);
    EXPECT_EQ(net->net().counts().opening, 0U);
    EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  }

  void behave(const error_code& error, duration latency) {
    connect_behaviour b;
    b.error = error;
    b.latency = latency;
    net->net().behave(b);
  }
  void start() {
    for (std::size_t i = 0; i < clients; ++i) {
      client_options o;
      o.pool.seed = i + 1;
      o.pool.queue_limit = 8;
      herd.push_back(std::make_unique<scripted_client>(
          sim.executor(), names, target("tcp://api.test:80"), net, o, sim.time()));
      // Not in step: one client each millisecond.
      sim.after(duration(1ms) * static_cast<int>(i), [this, i] { call(i); });
    }
  }
  /// One call per interval, which takes 5 ms of its connection.
  void call(std::size_t i) {
    if (sim.elapsed() >= warm + outage + healed) return;
    sim.after(interval, [this, i] { call(i); });
    const duration at = sim.elapsed();
    ++started;
    herd[i]->async_call(
        [this](attempt&, scripted_connection& c, operation_handler done) {
          auto held = std::make_shared<operation_handler>(std::move(done));
          sim.after(5ms, [held, peer = &c.peer()] {
            (*held)(peer->is_open() ? error_code() : error_code(asio::error::connection_reset));
          });
        },
        call_options(2s).idempotent(),
        [this, at](error_code ec, const call_history&) {
          ++ended;
          const duration took = sim.elapsed() - at;
          longest = std::max(longest, took);
          if (!ec) return;
          ++errors[ec];
          if (at >= warm + outage + 3s) ++late_errors;
          if (at < warm) ++early_errors;
        });
    most_waiting = std::max(most_waiting, herd[i]->connection_gauges().waiting);
  }
  void everything_breaks(const error_code& error, duration latency) {
    behave(error, latency);
    for (const auto& p : net->net().peers()) p->hang_up();
  }
  /// The whole story, with an outage in which connects fail with `error` after `latency`.
  void run(const error_code& error, duration latency) {
    start();
    sim.advance(warm);
    EXPECT_EQ(early_errors, 0U);
    everything_breaks(error, latency);
    sim.advance(outage);
    behave({}, 2ms);
    sim.advance(healed + 5s);
    EXPECT_EQ(ended, started);
    EXPECT_EQ(late_errors, 0U);
  }
  /// What must hold of every outage.
  void bounded() const {
    EXPECT_LE(net->peak(warm + outage, warm + outage + healed, 1), bound_per_10ms);
    EXPECT_LE(net->peak(warm + outage, warm + outage + healed, 10), bound_per_100ms);
    EXPECT_LE(most_waiting, 8U);
    EXPECT_LE(longest, 2s + 20ms) << "the deadline of a call";
    for (const auto& [ec, n] : errors) {
      const bool typed = ec == asio::error::connection_refused || ec == errc::connect_timeout ||
                         ec == errc::checkout_timeout || ec == errc::deadline_exceeded ||
                         ec == asio::error::connection_reset;
      EXPECT_TRUE(typed) << ec.message();
    }
  }
  static client_options narrow() {
    client_options o;
    o.pool.seed = 1;
    o.pool.max_connections = 1;
    o.pool.queue_limit = 8;
    o.retry.max_attempts = 1;
    return o;
  }
  void print(const char* story) const {
    const auto show = [&](const char* what, duration from, duration to) {
      std::printf("%s, %s: %zu connects, at most %zu per 10 ms, %zu per 100 ms, %zu per 1 s\n",
                  story,
                  what,
                  net->total(from, to),
                  net->peak(from, to, 1),
                  net->peak(from, to, 10),
                  net->peak(from, to, 100));
    };
    show("cold start", 0s, warm);
    show("outage", warm, warm + outage);
    show("recovery", warm + outage, warm + outage + healed);
    for (const auto& [ec, n] : errors) std::printf("  %zu x %s\n", n, ec.message().c_str());
  }

  simulation sim;
  scripted_dns dns{sim};
  std::shared_ptr<counting_connector> net = std::make_shared<counting_connector>(sim);
  std::shared_ptr<discovery> names;
  std::vector<std::unique_ptr<scripted_client>> herd;
  std::size_t started = 0;
  std::size_t ended = 0;
  std::size_t early_errors = 0;
  std::size_t late_errors = 0;
  std::map<error_code, std::size_t> errors;
  duration longest{};
  std::uint32_t most_waiting = 0;
};

TEST_F(Herd, AfterRefusalsTheBackendsAreNotTrampled) {
  run(asio::error::connection_refused, 1ms);
  print("refused");
  bounded();
  // Nobody waits for a deadline to hear it.
  for (const auto& [ec, n] : errors) EXPECT_EQ(ec, asio::error::connection_refused) << n;
}

TEST_F(Herd, AfterSilenceTheBackendsAreNotTrampled) {
  run(asio::error::timed_out, 1h);
  print("silent");
  bounded();
}

// Each has one connection at most and more calls than it can carry.
TEST_F(Herd, WhatTheQueueDoesNotHoldIsRefusedAtOnce) {
  scripted_client one(
      sim.executor(), names, target("tcp://api.test:80"), net, narrow(), sim.time());
  sim.advance(1s);
  std::vector<operation_handler> running;
  std::size_t full = 0;
  const duration at = sim.elapsed();
  for (int i = 0; i < 100; ++i) {
    one.async_call(
        [&](attempt&, scripted_connection&, operation_handler done) {
          running.push_back(std::move(done));
        },
        call_options(5s),
        [&](error_code ec, const call_history&) {
          if (ec != errc::queue_full) return;
          ++full;
          EXPECT_EQ(sim.elapsed(), at);
        });
  }
  sim.settle();
  EXPECT_EQ(running.size(), 4U);
  EXPECT_EQ(one.connection_gauges().waiting, 8U);
  EXPECT_EQ(full, 88U);
  one.close();
  running.clear();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
