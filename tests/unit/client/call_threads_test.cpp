// SPDX-License-Identifier: Apache-2.0
// One client on several threads: every call completes once, whoever wins which race.
#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>

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
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace redial {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::atomic<int> open_stubs{0};

class stub {
 public:
  stub() { ++open_stubs; }
  stub(stub&& other) noexcept : open_(other.open_.exchange(false)) {}
  ~stub() { close(); }
  void close() noexcept {
    if (open_.exchange(false)) --open_stubs;
  }
  [[nodiscard]] bool is_healthy() const noexcept { return open_; }

 private:
  std::atomic<bool> open_{true};
};

class stub_connector final : public connector {
 public:
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    asio::post(request.executor, [executor = request.executor, done = std::move(done)] {
      done({}, pooled(stub(), asio::make_strand(executor)));
    });
    return nullptr;
  }
};

// Never ends by itself.
void hang(operation_handler done) {
  auto slot = done.get_cancellation_slot();
  const auto box = std::make_shared<std::optional<operation_handler>>(std::move(done));
  slot.assign([box](asio::cancellation_type) {
    const auto executor = (*box)->get_executor();
    asio::post(executor, [box] {
      auto handler = std::move(**box);
      box->reset();
      handler(asio::error::operation_aborted);
    });
  });
}

// All ways for an operation to end, in turn.
struct mixed_operation {
  std::size_t number;

  void operator()(attempt& a, stub&, operation_handler done) {
    const auto executor = done.get_executor();
    switch ((number + a.number()) % 8) {
      case 0:
        return hang(std::move(done));
      case 1:
        return;  // abandoned
      case 2:
        return done(errc::not_sent);
      case 3:
        a.poison();
        return done(asio::error::connection_reset);
      default:
        asio::post(executor, [d = std::move(done)]() mutable { d(error_code()); });
    }
  }
};

struct one_call {
  std::atomic<int> completions{0};
  asio::cancellation_signal signal;
};

void every_call_completes_once(client_options options) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t per_thread = 300;
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  const auto names = discovery::create(io.get_executor());
  options.pool.max_connections = 4;
  options.pool.max_total_connections = 8;
  options.pool.queue_limit = 100'000;
  options.retry.delay = 1ms;
  auto client = std::make_unique<basic_client<stub>>(io.get_executor(),
                                                     names,
                                                     target("static://10.0.0.1:80,10.0.0.2:80"),
                                                     std::make_shared<stub_connector>(),
                                                     options);
  std::vector<one_call> calls(threads * per_thread);
  std::atomic<std::size_t> completed{0};
  std::promise<void> all;

  const auto start = [&](std::size_t n) {
    const auto strand = asio::make_strand(io);
    const auto by = clock::now() + std::chrono::milliseconds{20 + n % 200};
    auto handler = [&, n](error_code, const call_history&) {
      ++calls[n].completions;
      if (++completed == calls.size()) all.set_value();
    };
    asio::post(strand, [&, n, strand, by, handler] {
      client->async_call(mixed_operation{n},
                         call_options(by).idempotent(n % 2 == 0),
                         asio::bind_cancellation_slot(calls[n].signal.slot(),
                                                      asio::bind_executor(strand, handler)));
      if (n % 5 != 0) return;
      asio::post(strand, [&, n] { calls[n].signal.emit(asio::cancellation_type::total); });
    });
  };
  std::vector<std::thread> runners;
  for (std::size_t t = 0; t < threads; ++t) {
    for (std::size_t i = 0; i < per_thread; ++i) start(t * per_thread + i);
    runners.emplace_back([&] { io.run(); });
  }
  auto finished = all.get_future();
  EXPECT_EQ(finished.wait_for(30s), std::future_status::ready) << completed;
  // And once more with the client going away under its calls.
  const auto before = client->counters();
  EXPECT_EQ(before.calls, calls.size());
  std::atomic<int> late{0};
  for (int i = 0; i < 200; ++i) {
    client->async_call(mixed_operation{0}, 20s, [&](error_code, const call_history&) { ++late; });
  }
  client.reset();
  names->close();
  work.reset();
  for (auto& r : runners) r.join();
  EXPECT_EQ(late, 200);
  for (const auto& c : calls) EXPECT_EQ(c.completions, 1);
  EXPECT_EQ(open_stubs, 0);
}

TEST(CallThreads, Fault132_EveryCallCompletesOnceOnFourThreads) { every_call_completes_once({}); }

TEST(CallThreads, Fault132_EveryCallCompletesOnceWithTwoAttemptsAtOnce) {
  client_options options;
  options.hedge.when = hedge_policy::trigger::after_delay;
  options.hedge.delay = 1ms;
  options.hedge.max_percent = 100;
  options.retry.shared_budget = make_retry_budget();
  options.retry.retry_if = [](const attempt_record&, bool suggested) { return suggested; };
  every_call_completes_once(options);
}

}  // namespace
}  // namespace redial
