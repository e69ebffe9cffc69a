// SPDX-License-Identifier: Apache-2.0
// Calls, resets, drains and closes from many threads, while endpoints come and go. Bounded by
// counts. Meant for ThreadSanitizer. Rows 132 and 133 of the fault list.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/discovery/endpoint_source.hpp>
#include <redial/net/asio_scheduler.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
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
using scripted_client = basic_client<scripted_connection>;
using io_strand = asio::strand<asio::io_context::executor_type>;

const target& where() {
  static const target t("tcp://api.test:80");
  return t;
}

/// A context and the threads that run it.
struct crew {
  explicit crew(int count) {
    for (int i = 0; i < count; ++i) threads.emplace_back([this] { io.run(); });
  }
  void join() {
    guard.reset();
    for (auto& t : threads) t.join();
    threads.clear();
  }
  ~crew() { join(); }

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
  std::vector<std::thread> threads;
};

/// Where endpoints come from, on a strand of its own, changed by whoever likes.
class world {
 public:
  explicit world(crew& c)
      : strand_(asio::make_strand(c.io)),
        time_(scheduler_of(c.io.get_executor())),
        dns_(asio::any_io_executor(strand_), time_) {
    change(0);
    discovery_options d;
    d.watch.ttl_floor = 10ms;
    d.sources = {registry_};
    names = discovery::create(asio::any_io_executor(strand_), d, dns_.share(), time_);
  }
  void change(std::uint64_t number) {
    std::vector<sourced_endpoint> all;
    for (std::uint64_t i = 0; i < 5; ++i) {
      if (i > 1 && ((number >> i) & 1U) != 0) continue;
      all.emplace_back(endpoint(asio::ip::make_address("10.0.0." + std::to_string(i + 1)), 80));
    }
    registry_->set(where(), std::move(all));
  }

  std::shared_ptr<discovery> names;

 private:
  io_strand strand_;
  std::shared_ptr<scheduler> time_;
  scripted_dns dns_;
  std::shared_ptr<pushed_source> registry_ = std::make_shared<pushed_source>();
};

/// Gives each connection a strand, as the real connectors do.
class stranding final : public connector {
 public:
  explicit stranding(asio::io_context& io)
      : real_(io.get_executor(), scheduler_of(io.get_executor())) {}

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    connect_request r = request;
    r.executor = asio::make_strand(request.executor);
    return real_.open(r, std::move(done));
  }
  [[nodiscard]] scripted_connector& net() noexcept { return real_; }

 private:
  scripted_connector real_;
};

struct tally {
  std::atomic<int> started{0};
  std::atomic<int> completed{0};
  std::atomic<int> succeeded{0};
};

/// One call after the other on a strand of its own, some of them cancelled.
class caller : public std::enable_shared_from_this<caller> {
 public:
  caller(asio::io_context& io, scripted_client& client, tally& t, std::uint64_t seed)
      : io_(io), strand_(asio::make_strand(io)), client_(client), tally_(t), dice_(seed) {}

  void run(int calls) {
    left_ = calls;
    // Started here, so that all are counted before the owner looks.
    tally_.started += calls;
    asio::post(strand_, [self = shared_from_this()] { self->next(); });
  }

 private:
  void next() {
    if (left_-- == 0) return;
    signal_.emplace();
    const auto fate = dice_() % 8;
    client_.async_call(
        [fate](attempt& a, scripted_connection&, operation_handler done) {
          if (fate == 0) a.moved();
          const error_code ec =
              fate == 1 ? error_code(asio::error::connection_reset) : error_code();
          const auto executor = done.get_executor();
          if (fate == 2) return;  // destroys the handler
          asio::post(executor, [ec, h = std::move(done)]() mutable { h(ec); });
        },
        call_options(5s).idempotent(),
        asio::bind_cancellation_slot(
            signal_->slot(),
            asio::bind_executor(strand_, [self = shared_from_this()](error_code ec, call_history) {
              EXPECT_TRUE(self->strand_.running_in_this_thread());
              EXPECT_TRUE(self->io_.get_executor().running_in_this_thread());
              ++self->tally_.completed;
              if (!ec) ++self->tally_.succeeded;
              self->next();
            })));
    if (fate == 3) signal_->emit(asio::cancellation_type::terminal);
  }

  asio::io_context& io_;
  io_strand strand_;
  scripted_client& client_;
  tally& tally_;
  std::mt19937_64 dice_;
  std::optional<asio::cancellation_signal> signal_;
  int left_ = 0;
};

client_options brisk() {
  client_options o;
  o.pool.max_connections = 4;
  o.pool.min_reset_interval = 0s;
  o.pool.drain_deadline = 5ms;
  o.retry.delay = 1ms;
  return o;
}

void wait_for(const std::atomic<int>& value, int wanted) {
  const auto end = clock::now() + 100s;
  while (value < wanted && clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(value, wanted);
}

TEST(ClientStress, Fault132_SixteenThreadsOneContext) {
  constexpr int callers = 24;
  constexpr int calls = 30;
  crew run(16);
  world around(run);
  tally all;
  auto net = std::make_shared<stranding>(run.io);
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    std::optional<scripted_client> client(
        std::in_place, run.io.get_executor(), around.names, where(), net, brisk());
    const int before = all.completed;
    for (int i = 0; i < callers; ++i) {
      std::make_shared<caller>(run.io, *client, all, static_cast<std::uint64_t>(round * 100 + i))
          ->run(calls);
    }
    // The owner's thread meddles after every few calls.
    const int mine = all.started;
    const auto end = clock::now() + 100s;
    std::atomic<int> drained{0};
    bool drains = false;
    for (int seen = before; all.completed < mine && clock::now() < end;) {
      if (all.completed < seen + 10) {
        std::this_thread::yield();
        continue;
      }
      seen = all.completed;
      around.change(static_cast<std::uint64_t>(seen));
      if (seen % 3 == 0) (void)client->reset();
      const auto peers = net->net().peers();
      if (!peers.empty()) peers[static_cast<std::size_t>(seen) % peers.size()]->hang_up();
      (void)client->counters();
      (void)client->connection_counters();
      (void)client->connection_gauges();
      if (seen - before < callers * calls / 2) continue;
      if (round == 1) client->close();
      if (round >= 2 && !std::exchange(drains, true)) {
        const auto by = round == 2 ? clock::now() : clock::now() + 50ms;
        client->async_drain(by, [&drained](error_code) { ++drained; });
      }
    }
    wait_for(all.completed, mine);
    if (drains) wait_for(drained, 1);
  }
  EXPECT_GT(all.succeeded, callers * calls);
  around.names->close();
  run.join();
  EXPECT_EQ(net->net().counts().open, 0U);
}

TEST(ClientStress, Fault133_OneClientPerContextSharingADiscovery) {
  constexpr int contexts = 4;
  constexpr int callers = 6;
  constexpr int calls = 40;
  crew home(1);
  world around(home);
  tally all;
  struct branch {
    explicit branch(const std::shared_ptr<discovery>& names)
        : net(std::make_shared<stranding>(crew_.io)),
          client(std::in_place, crew_.io.get_executor(), names, where(), net, brisk()) {}
    crew crew_{2};
    std::shared_ptr<stranding> net;
    std::optional<scripted_client> client;
  };
  std::vector<std::unique_ptr<branch>> branches;
  for (int i = 0; i < contexts; ++i) branches.push_back(std::make_unique<branch>(around.names));
  for (int i = 0; i < contexts * callers; ++i) {
    branch& b = *branches[static_cast<std::size_t>(i % contexts)];
    std::make_shared<caller>(b.crew_.io, *b.client, all, static_cast<std::uint64_t>(i))->run(calls);
  }
  const auto end = clock::now() + 100s;
  for (int seen = 0; all.completed < contexts * callers * calls && clock::now() < end;) {
    if (all.completed < seen + 10) {
      std::this_thread::yield();
      continue;
    }
    seen = all.completed;
    around.change(static_cast<std::uint64_t>(seen));
    (void)branches[static_cast<std::size_t>(seen % contexts)]->client->reset();
  }
  wait_for(all.completed, contexts * callers * calls);
  // One leaves with its client, the discovery goes before the others.
  branches[0]->client.reset();
  branches[0]->crew_.join();
  EXPECT_EQ(branches[0]->net->net().counts().open, 0U);
  around.names.reset();
  for (auto& b : branches) {
    b->client.reset();
    b->crew_.join();
    EXPECT_EQ(b->net->net().counts().open, 0U);
  }
  home.join();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
