// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pool in simulated time, whose DNS and network the test plays, and what every test of it checks
// at its end: each operation completed once, nothing open, nothing armed.

#include <redial/pool/pool.hpp>
#include <redial/testing/event_recorder.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;
using scripted_pool = basic_pool<scripted_connection>;
using scripted_lease = lease<scripted_connection>;

inline endpoint ep(const std::string& text) { return {boost::asio::ip::make_address(text), 80}; }

/// Both ends of a feed: what the pool sees, and what the test says and hears.
struct feed_script {
  struct report {
    endpoint where;
    endpoint_outcome outcome{};
    bool last_usable = false;
  };
  std::string name = "https://api.test";
  boost::asio::any_io_executor executor;
  endpoint_feed::handler handler;
  std::vector<report> reports;
  int refreshes = 0;
  bool stopped = false;

  void publish(snapshot s) {
    auto shared = std::make_shared<const snapshot>(std::move(s));
    boost::asio::post(executor, [h = handler, shared] { h(shared); });
  }
  std::size_t count(endpoint_outcome o) const {
    return static_cast<std::size_t>(std::count_if(
        reports.begin(), reports.end(), [o](const report& r) { return r.outcome == o; }));
  }
};

class scripted_feed final : public endpoint_feed {
 public:
  explicit scripted_feed(std::shared_ptr<feed_script> script) : script_(std::move(script)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return script_->name; }
  void start(boost::asio::any_io_executor executor, handler h) override {
    script_->executor = std::move(executor);
    script_->handler = std::move(h);
  }
  void stop() noexcept override { script_->stopped = true; }
  void report(const endpoint& where, endpoint_outcome o, bool last_usable) override {
    script_->reports.push_back({where, o, last_usable});
  }
  void refresh() override { ++script_->refreshes; }

 private:
  std::shared_ptr<feed_script> script_;
};

/// How one wait for a connection ended.
struct wait_result {
  int completions = 0;
  error_code error;
  scripted_lease lease;
  time_point at{};

  [[nodiscard]] bool pending() const noexcept { return completions == 0; }
  [[nodiscard]] bool leased() const noexcept { return completions == 1 && !error && lease; }
  [[nodiscard]] std::string where() const { return lease.where().addr.to_string(); }
};
using wait = std::shared_ptr<wait_result>;

class PoolWorld : public ::testing::Test {
 protected:
  PoolWorld() { options.seed = 1; }

  ~PoolWorld() override {
    if (checked_) return;
    finish();
  }

  /// The oracle. Called at the end of every test.
  void finish() {
    checked_ = true;
    if (pool) pool->close();
    sim.settle();
    for (auto& w : waits) {
      EXPECT_EQ(w->completions, 1) << "every wait ends once";
      w->lease = {};
    }
    sim.settle();
    if (pool) {
      const auto g = pool->gauges();
      EXPECT_EQ(g.connecting + g.idle + g.leased + g.draining + g.waiting, 0U);
      const auto c = pool->counters();
      EXPECT_EQ(c.opened, c.closed);
      EXPECT_EQ(c.opened, net->counts().opened);
    }
    pool.reset();
    EXPECT_EQ(net->counts().open, 0U) << net->counts();
    EXPECT_EQ(net->counts().opening, 0U) << net->counts();
    EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  }

  scripted_pool& start() {
    options.listener = events;
    pool.emplace(sim.executor(), std::make_unique<scripted_feed>(feed), net, options, sim.time());
    return *pool;
  }
  /// A pool whose endpoints are all active.
  scripted_pool& start(const std::vector<std::string>& addresses) {
    start();
    dns(addresses);
    return *pool;
  }

  /// The name has exactly these addresses now.
  void dns(const std::vector<std::string>& addresses) { publish(answer_of(addresses)); }
  void publish(snapshot s) {
    s.generation = ++generation_;
    feed->publish(std::move(s));
    sim.settle();
  }
  snapshot answer_of(const std::vector<std::string>& addresses) {
    const std::set<std::string> shown(addresses.begin(), addresses.end());
    for (const auto& a : shown) lives_[a] += gone_.erase(a);
    for (const auto& a : last_) {
      if (!shown.contains(a)) gone_.insert(a);
    }
    last_ = shown;
    snapshot s;
    s.name = "api.test";
    s.state = freshness::fresh;
    for (const auto& a : shown) {
      snapshot_entry e;
      e.where = ep(a);
      e.life = lives_[a];
      s.endpoints.push_back(e);
    }
    std::sort(s.endpoints.begin(), s.endpoints.end(), [](const auto& a, const auto& b) {
      return a.where < b.where;
    });
    return s;
  }
  snapshot failure(error_code why, bool definite) {
    snapshot s;
    s.error = why;
    s.definite = definite;
    for (const auto& a : last_) gone_.insert(a);
    last_.clear();
    return s;
  }

  wait checkout(checkout_options o = {}) {
    auto w = expect_wait();
    pool->async_checkout(std::move(o), receiver(w));
    return w;
  }
  wait checkout(duration patience, std::vector<tried_endpoint> tried) {
    checkout_options o(sim.now() + patience);
    o.tried = std::move(tried);
    return checkout(std::move(o));
  }
  wait cancellable(boost::asio::cancellation_signal& signal) {
    auto w = expect_wait();
    pool->async_checkout(boost::asio::bind_cancellation_slot(signal.slot(), receiver(w)));
    return w;
  }
  /// One that must succeed at this instant.
  scripted_lease take() {
    auto w = checkout();
    sim.settle();
    EXPECT_TRUE(w->leased()) << w->error.message();
    return std::move(w->lease);
  }
  std::vector<scripted_lease> take(std::size_t n) {
    std::vector<scripted_lease> all;
    for (std::size_t i = 0; i < n; ++i) all.push_back(take());
    return all;
  }

  std::function<void(error_code, scripted_lease)> receiver(const wait& w) {
    return [this, w](error_code ec, scripted_lease l) {
      ++w->completions;
      w->error = ec;
      w->lease = std::move(l);
      w->at = sim.now();
    };
  }
  wait expect_wait() {
    waits.push_back(std::make_shared<wait_result>());
    return waits.back();
  }

  std::size_t open_now() const { return net->counts().open; }
  std::size_t opened_ever() const { return net->counts().opened; }
  std::size_t told(endpoint_change c, const std::string& where = {}) const {
    return events->count(event_kind::endpoint, to_string(c), where.empty() ? where : where + ":80");
  }
  std::size_t closed_for(close_reason r) const {
    return events->count([r](const recorded_event& e) {
      return e.kind == event_kind::connection && e.what == "closed" &&
             e.detail.find(to_string(r)) != std::string::npos;
    });
  }

  simulation sim;
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(sim);
  std::shared_ptr<feed_script> feed = std::make_shared<feed_script>();
  std::shared_ptr<event_recorder> events = std::make_shared<event_recorder>(sim.time());
  pool_options options;
  std::optional<scripted_pool> pool;
  std::vector<wait> waits;

 private:
  std::uint64_t generation_ = 0;
  std::map<std::string, std::uint64_t> lives_;
  std::set<std::string> last_;
  std::set<std::string> gone_;
  bool checked_ = false;
};

}  // namespace redial::inline REDIAL_ABI::testing
