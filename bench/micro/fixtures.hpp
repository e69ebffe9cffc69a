// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pool whose connections lead nowhere, so that only the pool costs anything.

#include <redial/pool/pool.hpp>

#include "support/hollow_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace redial::micro {

namespace asio = boost::asio;
using bench::bare_clock;
using bench::instant_connector;
using bench::nothing;

/// The value is used, as far as the compiler knows.
template <class T>
inline void consume(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// `endpoints` addresses with weights from 1 to `weights` (see RFC 2782), all of one priority.
[[nodiscard]] inline snapshot fixed_snapshot(int endpoints, int weights = 1) {
  snapshot s;
  s.generation = 1;
  s.state = freshness::fresh;
  for (int i = 0; i < endpoints; ++i) {
    snapshot_entry e;
    const auto number = static_cast<asio::ip::address_v4::uint_type>(0x0A000001 + i);
    e.where = endpoint(asio::ip::address_v4(number), 80);
    e.where.weight = static_cast<std::uint16_t>(1 + i % weights);
    s.endpoints.push_back(e);
  }
  return s;
}

class fixed_feed final : public endpoint_feed {
 public:
  explicit fixed_feed(snapshot what) : what_(std::make_shared<snapshot>(std::move(what))) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  void start(asio::any_io_executor executor, handler on_snapshot) override {
    asio::post(executor, [h = std::move(on_snapshot), s = what_] { h(s); });
  }
  void stop() noexcept override {}
  void report(const endpoint&, endpoint_outcome, bool) override {}
  void refresh() override {}

 private:
  const std::shared_ptr<const snapshot> what_;
  const std::string name_ = "bench";
};

/// A pool with one idle connection to each of its endpoints.
struct warm_pool {
  static pool_options options() {
    pool_options o;
    o.seed = 1;
    o.max_total_connections = 4096;
    return o;
  }

  explicit warm_pool(int endpoints, int weights = 1, const pool_options& o = options())
      : pool(io.get_executor(),
             std::make_unique<fixed_feed>(fixed_snapshot(endpoints, weights)),
             std::make_shared<instant_connector>(),
             o,
             std::make_shared<bare_clock>()) {
    io.poll();
    // The first return starts the coarse clock, of which later ones make use.
    const auto first = pool.try_checkout();
    if (!first) throw std::logic_error("the pool has no idle connection");
  }

  asio::io_context io;
  basic_pool<nothing> pool;
};

/// Sleeps. With it the process has threads, and the C library's locks cost what they cost in a
/// server: with one thread glibc leaves the atomic operations out.
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
  second_thread(const second_thread&) = delete;
  second_thread& operator=(const second_thread&) = delete;

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

}  // namespace redial::micro
