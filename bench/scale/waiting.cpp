// SPDX-License-Identifier: Apache-2.0
#include "scale/waiting.hpp"

#include <redial/pool/pool.hpp>

#include "support/hollow_pool.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <time.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::bench {
namespace {

namespace asio = boost::asio;

/// What the name's answer says. The pool owns its feed, so both share this.
struct answers {
  asio::any_io_executor executor;
  endpoint_feed::handler on_snapshot;
  std::uint64_t generation = 0;

  void say(std::size_t first, std::size_t count) {
    auto s = std::make_shared<snapshot>();
    s->generation = ++generation;
    s->state = freshness::fresh;
    for (std::size_t i = first; i < first + count; ++i) {
      snapshot_entry e;
      const auto number = static_cast<asio::ip::address_v4::uint_type>(0x0A000001 + i);
      e.where = endpoint(asio::ip::address_v4(number), 80);
      s->endpoints.push_back(e);
    }
    asio::post(executor, [h = on_snapshot, s] { h(s); });
  }
};

class told_feed final : public endpoint_feed {
 public:
  explicit told_feed(std::shared_ptr<answers> what) : what_(std::move(what)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  void start(asio::any_io_executor executor, handler on_snapshot) override {
    what_->executor = std::move(executor);
    what_->on_snapshot = std::move(on_snapshot);
  }
  void stop() noexcept override {}
  void report(const endpoint&, endpoint_outcome, bool) override {}
  void refresh() override {}

 private:
  const std::shared_ptr<answers> what_;
  const std::string name_ = "bench";
};

double cpu_now() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

/// One idle connection to each endpoint.
struct world {
  world(std::size_t endpoints, const pool_options& o)
      : pool(io.get_executor(),
             std::make_unique<told_feed>(dns),
             std::make_shared<instant_connector>(),
             o,
             std::make_shared<bare_clock>()) {
    dns->say(0, endpoints);
    io.poll();
    if (pool.gauges().endpoints_active != endpoints) throw std::runtime_error("not warm");
  }
  ~world() {
    leases.clear();
    pool.close();
    io.poll();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  void ask(const checkout_options& o) {
    pool.async_checkout(o, [this](error_code ec, lease<nothing> l) {
      if (!ec) leases.push_back(std::move(l));
    });
  }

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::shared_ptr<answers> dns = std::make_shared<answers>();
  std::vector<lease<nothing>> leases;
  basic_pool<nothing> pool;
};

pool_options options_for(std::size_t callers) {
  pool_options o;
  o.seed = 1;
  o.queue_limit = callers + 1;
  o.checkout_timeout = std::chrono::hours{1};
  return o;
}

}  // namespace

double measure_burst(std::size_t callers) {
  constexpr std::size_t endpoints = 10;
  pool_options o = options_for(callers);
  o.max_total_connections = o.max_connections = callers + endpoints;
  o.max_connections = std::min<std::size_t>(o.max_connections, 65535);
  world w(endpoints, o);
  w.leases.reserve(callers);
  const double start = cpu_now();
  for (std::size_t i = 0; i < callers; ++i) w.ask({});
  w.io.poll();
  if (w.leases.size() != callers) throw std::runtime_error("somebody got nothing");
  return (cpu_now() - start) / static_cast<double>(callers);
}

double measure_return(const queue& q) {
  pool_options o = options_for(q.waiting);
  o.balance = q.balance;
  o.max_total_connections = q.full ? 4 * q.endpoints : q.endpoints;
  o.max_connections = q.full ? 1 : std::min<std::size_t>(64, q.endpoints);
  world w(q.endpoints, o);
  w.leases.reserve(q.endpoints);
  for (std::size_t i = 0; i < q.endpoints; ++i) w.ask({});
  w.io.poll();
  if (w.leases.size() != q.endpoints) throw std::runtime_error("not all are leased");
  std::uint64_t key = 0;
  const auto ask = [&] {
    checkout_options c;
    c.key = ++key;
    w.ask(c);
  };
  for (std::size_t i = 0; i < q.waiting; ++i) ask();
  w.io.poll();
  constexpr std::size_t returns = 300;
  const double start = cpu_now();
  for (std::size_t i = 0; i < returns; ++i) {
    std::swap(w.leases[i * 7 % w.leases.size()], w.leases.back());
    w.leases.pop_back();
    ask();
    w.io.poll();
  }
  return (cpu_now() - start) / static_cast<double>(returns);
}

double measure_departure(std::size_t leased) {
  pool_options o = options_for(leased);
  o.max_total_connections = leased + 2;
  o.max_connections = std::min<std::size_t>(leased + 1, 65535);
  world w(1, o);
  w.leases.reserve(leased);
  for (std::size_t i = 0; i < leased; ++i) w.ask({});
  w.io.poll();
  if (w.leases.size() != leased) throw std::runtime_error("somebody got nothing");
  const double start = cpu_now();
  w.dns->say(1, 1);
  w.io.poll();
  if (w.pool.gauges().draining != leased) throw std::runtime_error("nothing is drained");
  w.leases.clear();
  w.io.poll();
  if (w.pool.gauges().draining != 0) throw std::runtime_error("something is left");
  return (cpu_now() - start) / static_cast<double>(leased);
}

}  // namespace redial::bench
