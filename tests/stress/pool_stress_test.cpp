// SPDX-License-Identifier: Apache-2.0
// One pool, several threads: callers check out, return, fail and cancel while endpoints come and
// go. Bounded by counts. Meant for ThreadSanitizer.

#include <redial/net/asio_scheduler.hpp>
#include <redial/pool/pool.hpp>
#include <redial/testing/scripted_connector.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scripted_pool = basic_pool<scripted_connection>;
using scripted_lease = lease<scripted_connection>;

/// Publishes two to six endpoints whenever it is asked to; some of them come back as new lives.
class restless_feed final : public endpoint_feed {
 public:
  struct shared {
    std::mutex mutex;
    asio::any_io_executor executor;
    handler on_snapshot;
    std::uint64_t generation = 0;
    std::mt19937_64 dice{1};

    void publish() {
      const std::lock_guard lock(mutex);
      auto s = std::make_shared<snapshot>();
      s->generation = ++generation;
      s->state = freshness::fresh;
      for (int i = 0; i < 6; ++i) {
        if (i > 1 && dice() % 2 == 0) continue;
        snapshot_entry e;
        e.where = endpoint(asio::ip::make_address("10.0.0." + std::to_string(i + 1)), 80);
        e.life = generation / 4;
        s->endpoints.push_back(e);
      }
      asio::post(executor, [h = on_snapshot, s] { h(s); });
    }
  };

  explicit restless_feed(std::shared_ptr<shared> s) : shared_(std::move(s)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  void start(asio::any_io_executor executor, handler h) override {
    shared_->executor = asio::make_strand(std::move(executor));
    shared_->on_snapshot = std::move(h);
  }
  void stop() noexcept override {}
  void report(const endpoint&, endpoint_outcome, bool) override {}
  void refresh() override {}

 private:
  const std::string name_ = "stress";
  std::shared_ptr<shared> shared_;
};

/// What all callers have in common.
struct crowd {
  scripted_pool* pool = nullptr;
  std::atomic<int> busy{0};
  std::atomic<int> rounds{0};
};

/// One of many callers: as many rounds as it was told, each ending before the next begins.
class caller : public std::enable_shared_from_this<caller> {
 public:
  caller(asio::io_context& io, crowd& all, std::uint64_t seed)
      : strand_(asio::make_strand(io)), crowd_(all), dice_(seed) {}

  void run(int rounds) {
    left_ = rounds;
    asio::post(strand_, [self = shared_from_this()] { self->next(); });
  }
  int completed = 0;

 private:
  void next() {
    ++crowd_.rounds;
    if (left_-- == 0) {
      --crowd_.busy;
      return;
    }
    for (int quick = 0; quick < 5; ++quick) {
      if (auto l = crowd_.pool->try_checkout()) end(std::move(*l));
    }
    pending_ = true;
    signal_.emplace();
    crowd_.pool->async_checkout(
        checkout_options(after(clock::now(), 20s)),
        asio::bind_cancellation_slot(
            signal_->slot(),
            asio::bind_executor(strand_,
                                [self = shared_from_this()](error_code ec, scripted_lease l) {
                                  self->got(ec, std::move(l));
                                })));
    // On the handler's executor, as the contract says; sometimes after the completion.
    if (dice_() % 3 == 0) {
      asio::post(strand_, [self = shared_from_this()] {
        self->signal_->emit(asio::cancellation_type::terminal);
      });
    }
  }

  void got(error_code ec, scripted_lease l) {
    EXPECT_TRUE(std::exchange(pending_, false)) << "completed twice";
    EXPECT_NE(static_cast<bool>(ec), static_cast<bool>(l));
    ++completed;
    if (l) {
      l.keep_until(clock::now());
      l.observe(std::weak_ptr<lease_observer>());
      held_ = std::move(l);
    }
    asio::post(strand_, [self = shared_from_this()] {
      if (self->held_) self->end(std::move(self->held_));
      self->next();
    });
  }

  void end(scripted_lease l) {
    switch (dice_() % 40) {
      case 0:
        return l.end(lease_end::reset);
      case 1:
        return l.moved();
      case 2:
        return l.end(lease_end::spent);
      default:
        return;  // returned
    }
  }

  asio::strand<asio::io_context::executor_type> strand_;
  crowd& crowd_;
  std::mt19937_64 dice_;
  std::optional<asio::cancellation_signal> signal_;
  scripted_lease held_;
  int left_ = 0;
  bool pending_ = false;
};

/// A context and the threads that run it.
struct several_threads {
  explicit several_threads(int count) {
    for (int i = 0; i < count; ++i) threads.emplace_back([this] { io.run(); });
  }
  void join() {
    guard.reset();
    for (auto& t : threads) t.join();
    threads.clear();
  }
  ~several_threads() { join(); }

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
  std::vector<std::thread> threads;
};

void stress(const pool_options& options) {
  constexpr int callers = 24;
  constexpr int rounds = 400;
  crowd everybody;
  several_threads run(4);
  auto time = scheduler_of(run.io.get_executor());
  auto net = std::make_shared<scripted_connector>(run.io.get_executor(), time);
  auto shared = std::make_shared<restless_feed::shared>();
  std::optional<scripted_pool> pool;
  pool.emplace(run.io.get_executor(), std::make_unique<restless_feed>(shared), net, options, time);
  everybody.pool = &*pool;
  everybody.busy = callers;
  shared->publish();
  std::vector<std::shared_ptr<caller>> all;
  for (int i = 0; i < callers; ++i) {
    all.push_back(std::make_shared<caller>(run.io, everybody, static_cast<std::uint64_t>(i)));
    all.back()->run(rounds);
  }

  // Something happens after every few rounds.
  int seen = 0;
  for (const auto end = clock::now() + 60s; everybody.busy > 0 && clock::now() < end;) {
    if (everybody.rounds < seen + 10) {
      std::this_thread::yield();
      continue;
    }
    seen = everybody.rounds;
    shared->publish();
    if (seen % 8 == 0) (void)pool->reset();
    const auto peers = net->peers();
    if (!peers.empty()) peers[static_cast<std::size_t>(seen) % peers.size()]->hang_up();
    (void)pool->gauges();
    (void)pool->counters();
  }
  EXPECT_EQ(everybody.busy, 0);
  pool->close();
  run.join();

  for (const auto& one : all) EXPECT_EQ(one->completed, rounds);
  const auto c = pool->counters();
  const auto g = pool->gauges();
  EXPECT_EQ(c.opened, c.closed);
  EXPECT_EQ(c.opened, net->counts().opened);
  EXPECT_EQ(g.connecting + g.idle + g.leased + g.draining + g.waiting, 0U);
  EXPECT_EQ(net->counts().open, 0U);
}

TEST(PoolStress, Fault132_ManyThreadsOneContext) { stress({}); }

TEST(PoolStress, Fault132_ScarceConnectionsAndSpares) {
  pool_options o;
  o.max_connections = 2;
  o.max_total_connections = 6;
  o.min_idle = 1;
  o.drain_deadline = 5ms;
  o.min_reset_interval = 0s;
  stress(o);
}

TEST(PoolStress, Fault125_LeasesEndWhileTheirPoolsGo) {
  constexpr int pools = 100;
  std::atomic<int> ended{0};
  several_threads run(3);
  auto time = scheduler_of(run.io.get_executor());
  auto net = std::make_shared<scripted_connector>(run.io.get_executor(), time);
  for (int i = 0; i < pools; ++i) {
    auto shared = std::make_shared<restless_feed::shared>();
    scripted_pool pool(
        run.io.get_executor(), std::make_unique<restless_feed>(shared), net, {}, time);
    shared->publish();
    for (int n = 0; n < 4; ++n) {
      pool.async_checkout([&](error_code, scripted_lease l) {
        asio::post(run.io, [&ended, held = std::make_shared<scripted_lease>(std::move(l))] {
          *held = {};
          ++ended;
        });
      });
    }
    // It goes with waits, connects and leases under way.
  }
  const auto end = clock::now() + 60s;
  while (ended < 4 * pools && clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(ended, 4 * pools);
  run.join();
  EXPECT_EQ(net->counts().open, 0U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
