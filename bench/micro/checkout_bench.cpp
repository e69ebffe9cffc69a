// SPDX-License-Identifier: Apache-2.0
// What a checkout and return of an idle connection cost, beside the least that a shared pool could
// cost: one std::mutex around a vector, locked once for each. And that neither allocates.
//
// All are run twice: in a process with one thread, where the C library skips atomic operations, and
// with a second (sleeping) thread, as in any server.

#include <redial/pool/pool.hpp>

#include <benchmark/benchmark.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Not inlined: the compiler would then see malloc on one side and delete on the other, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;  // NOLINT: this is what allocates
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }               // NOLINT
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }  // NOLINT

namespace redial {
namespace {

namespace asio = boost::asio;

/// A connection to nowhere.
class nothing final : public pooled_connection {
 public:
  explicit nothing(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return true; }
  bool watch_idle(std::weak_ptr<idle_observer>) override { return true; }
  [[nodiscard]] asio::any_io_executor get_executor() const override { return executor_; }

 private:
  asio::any_io_executor executor_;
};

class instant_connector final : public connector {
 public:
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    asio::post(request.executor, [done = std::move(done), executor = request.executor] {
      done({}, std::make_unique<nothing>(executor));
    });
    return nullptr;
  }
};

/// Real time without timers: the benchmark does not wait for anything.
class bare_clock final : public scheduler {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void arm(timer&, time_point) override {}
  void disarm(timer&) noexcept override {}
};

class fixed_feed final : public endpoint_feed {
 public:
  /// Weights from 1 to `weights` (see RFC 2782), all of one priority.
  fixed_feed(int endpoints, int weights) : endpoints_(endpoints), weights_(weights) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  void start(asio::any_io_executor executor, handler on_snapshot) override {
    auto s = std::make_shared<snapshot>();
    s->generation = 1;
    s->state = freshness::fresh;
    for (int i = 0; i < endpoints_; ++i) {
      snapshot_entry e;
      const auto number = static_cast<asio::ip::address_v4::uint_type>(0x0A000001 + i);
      e.where = endpoint(asio::ip::address_v4(number), 80);
      e.where.weight = static_cast<std::uint16_t>(1 + i % weights_);
      s->endpoints.push_back(e);
    }
    asio::post(executor, [h = std::move(on_snapshot), s] { h(s); });
  }
  void stop() noexcept override {}
  void report(const endpoint&, endpoint_outcome, bool) override {}
  void refresh() override {}

 private:
  const int endpoints_;
  const int weights_;
  const std::string name_ = "bench";
};

/// A pool with one idle connection to each of its endpoints.
struct warm_pool {
  explicit warm_pool(int endpoints, int weights = 1, const pool_options& o = options())
      : pool(io.get_executor(),
             std::make_shared<bare_clock>(),
             std::make_unique<fixed_feed>(endpoints, weights),
             std::make_shared<instant_connector>(),
             o) {
    io.poll();
    // The first return starts the coarse clock, of which later ones make use.
    const auto first = pool.try_checkout();
  }

  static pool_options options() {
    pool_options o;
    o.seed = 1;
    o.max_total_connections = 4096;
    return o;
  }

  asio::io_context io;
  basic_pool<nothing> pool;
};

class second_thread {
 public:
  second_thread() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return running_; });
  }
  ~second_thread() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool running_ = false;
  bool done_ = false;
  std::thread thread_{[this] {
    std::unique_lock lock(mutex_);
    running_ = true;
    wake_.notify_all();
    wake_.wait(lock, [this] { return done_; });
  }};
};

/// The least: a vector under a mutex, last in, first out.
class baseline_pool {
 public:
  void put(nothing* c) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(c);
  }
  nothing* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    nothing* c = idle_.back();
    idle_.pop_back();
    return c;
  }

 private:
  std::mutex mutex_;
  std::vector<nothing*> idle_;
};

template <class Cycle>
void measure(benchmark::State& state, const Cycle& cycle) {
  const std::uint64_t before = allocations.load();
  std::uint64_t missed = 0;
  for (auto step : state) {
    (void)step;
    if (!cycle()) ++missed;
  }
  const std::uint64_t made = allocations.load() - before;
  if (missed > 0) state.SkipWithError("found no idle connection");
  if (made > 0) state.SkipWithError("the path allocates");
}

void baseline(benchmark::State& state) {
  baseline_pool pool;
  std::vector<nothing> connections(3, nothing({}));
  for (auto& c : connections) pool.put(&c);
  measure(state, [&] {
    nothing* c = pool.take();
    benchmark::DoNotOptimize(c);
    pool.put(c);
    return c != nullptr;
  });
}

void checkout(benchmark::State& state, int weights = 1) {
  warm_pool warm(static_cast<int>(state.range(0)), weights);
  measure(state, [&] {
    auto l = warm.pool.try_checkout();
    benchmark::DoNotOptimize(l);
    return l.has_value();
  });
}

/// With a key that differs each time; policies that look at none ignore it.
void by_policy(benchmark::State& state, const pool_options& o, int weights = 1) {
  const second_thread other;
  warm_pool warm(static_cast<int>(state.range(0)), weights, o);
  checkout_options by_key;
  std::uint64_t key = 0;
  measure(state, [&] {
    by_key.key = ++key;
    auto l = warm.pool.base().try_checkout(by_key);
    benchmark::DoNotOptimize(l);
    return l.has_value();
  });
}

void in_turn(benchmark::State& state) {
  pool_options o = warm_pool::options();
  o.balance = balancing::round_robin;
  by_policy(state, o);
}
void by_key(benchmark::State& state) {
  pool_options o = warm_pool::options();
  o.balance = balancing::consistent_hash;
  by_policy(state, o);
}
void by_key_weighted(benchmark::State& state) {
  pool_options o = warm_pool::options();
  o.balance = balancing::consistent_hash;
  by_policy(state, o, 4);
}

class any_of_them final : public endpoint_chooser {
 public:
  std::size_t choose(std::span<const candidate> among,
                     const endpoint_key&,
                     std::uint64_t random) noexcept override {
    return random % among.size();
  }
};
void by_chooser(benchmark::State& state) {
  pool_options o = warm_pool::options();
  o.chooser = std::make_shared<any_of_them>();
  by_policy(state, o);
}

void baseline_one_thread(benchmark::State& state) { baseline(state); }
void checkout_one_thread(benchmark::State& state) { checkout(state); }
void baseline_threads(benchmark::State& state) {
  const second_thread other;
  baseline(state);
}
void checkout_threads(benchmark::State& state) {
  const second_thread other;
  checkout(state);
}
void checkout_weighted(benchmark::State& state) {
  const second_thread other;
  checkout(state, 4);
}

// The ratio pool/1 : mutex_and_vector is what the library promises to keep small.
BENCHMARK(baseline_one_thread)->Name("return_and_checkout/one_thread/mutex_and_vector");
BENCHMARK(checkout_one_thread)->Name("return_and_checkout/one_thread/pool")->Arg(1)->Arg(3);
BENCHMARK(baseline_threads)->Name("return_and_checkout/threads/mutex_and_vector");
BENCHMARK(checkout_threads)
    ->Name("return_and_checkout/threads/pool")
    ->Arg(1)
    ->Arg(3)
    ->Arg(100)
    ->Arg(1000);
BENCHMARK(checkout_weighted)
    ->Name("return_and_checkout/threads/weighted")
    ->Arg(3)
    ->Arg(100)
    ->Arg(1000);
BENCHMARK(in_turn)->Name("policy/round_robin")->Arg(3)->Arg(100)->Arg(1000);
BENCHMARK(by_key)->Name("policy/consistent_hash")->Arg(3)->Arg(100)->Arg(1000);
BENCHMARK(by_key_weighted)->Name("policy/consistent_hash_weighted")->Arg(3)->Arg(100)->Arg(1000);
BENCHMARK(by_chooser)->Name("policy/chooser")->Arg(3)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace redial
