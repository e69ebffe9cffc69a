// SPDX-License-Identifier: Apache-2.0
#include "scale/trials.hpp"

#include <redial/client/stream_clients.hpp>
#include <redial/discovery/discovery.hpp>

#include "scale/heap.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace redial::bench {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point t) {
  return std::chrono::duration<double>(steady::now() - t).count();
}

struct effort {
  double cpu = 0;  // seconds
  double wakes = 0;
};

effort effort_now() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {seconds(u.ru_utime) + seconds(u.ru_stime), static_cast<double>(u.ru_nvcsw)};
}

client_options options_for(const trial& t) {
  client_options o;
  o.pool.max_connections = std::max(o.pool.max_connections, t.connections / t.endpoints);
  o.pool.max_total_connections =
      std::max({o.pool.max_total_connections, t.connections, 2 * t.endpoints});
  o.pool.queue_limit = std::max(o.pool.queue_limit, t.connections);
  o.pool.spare_connects_per_second = 1'000'000;  // they are not what is measured
  o.pool.max_warming = o.pool.max_connecting;
  o.pool.min_idle = t.connections / t.endpoints;
  return o;
}

discovery_options names_for(const trial& t) {
  discovery_options o;
  o.nameservers = {t.other->name_server()};
  o.hosts_path = "";
  return o;
}

tcp_client client_for(const tcp_client*,
                      const trial& t,
                      asio::io_context& io,
                      std::shared_ptr<discovery> names,
                      const client_options& o) {
  const target to(fmt::format("tcp://of-{}.test:{}", t.endpoints, t.other->tcp_port()));
  return make_tcp_client(io.get_executor(), std::move(names), to, o);
}

tls_client client_for(const tls_client*,
                      const trial& t,
                      asio::io_context& io,
                      std::shared_ptr<discovery> names,
                      const client_options& o) {
  tls_options tls;
  tls.ca_file = t.other->ca_file();
  const target to(fmt::format("tls://of-{}.test:{}", t.endpoints, t.other->tls_port()));
  return make_tls_client(io.get_executor(), std::move(names), to, o, {}, tls);
}

/// One byte there and back.
struct echo_call {
  char out = 'x';
  char in = 0;

  template <class Connection>
  void operator()(attempt&, Connection& c, operation_handler done) {
    asio::async_write(c.stream(),
                      asio::buffer(&out, 1),
                      [this, &c, done = std::move(done)](error_code ec, std::size_t) mutable {
                        if (ec) return done(ec);
                        asio::async_read(c.stream(), asio::buffer(&in, 1), std::move(done));
                      });
  }
};

template <class Client>
class rig {
 public:
  using connection = typename std::conditional_t<std::is_same_v<Client, tcp_client>,
                                                 std::common_type<tcp_connection>,
                                                 std::common_type<tls_connection>>::type;

  explicit rig(const trial& t)
      : trial_(t), names_(discovery::create(io_.get_executor(), names_for(t))) {}

  void start(const client_options& o) {
    client_.emplace(client_for(static_cast<const Client*>(nullptr), trial_, io_, names_, o));
  }

  template <class Done>
  void run_until(const Done& done) {
    const auto start = steady::now();
    while (!done()) {
      if (seconds_since(start) > 120) throw std::runtime_error("it takes too long");
      io_.run_for(1ms);
    }
  }
  /// Nothing else moves meanwhile.
  void run_for(double seconds) {
    io_.run_for(
        std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds)));
  }

  void open_all() {
    start(options_for(trial_));
    run_until([&] { return client_->connection_gauges().idle == trial_.connections; });
    run_for(0.5);  // until their notices are armed
  }

  /// `then` when it was answered.
  void request(std::function<void()> then) {
    auto exchange = std::make_shared<echo_call>();
    client_->async_call(
        [exchange](attempt& a, connection& c, operation_handler done) {
          (*exchange)(a, c, std::move(done));
        },
        call_options(),
        [then = std::move(then)](error_code ec, const call_history&) {
          if (ec) throw std::runtime_error("a request failed: " + ec.message());
          then();
        });
  }
  void requests(std::size_t n) {
    std::size_t left = n;
    const std::function<void()> next = [&] {
      if (left-- > 0) request(next);
    };
    next();
    run_until([&] { return left > n; });
  }

  asio::io_context& io() { return io_; }
  Client& client() { return *client_; }

 private:
  const trial trial_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::shared_ptr<discovery> names_;
  std::optional<Client> client_;
};

template <class Client>
idle_cost idle_of(const trial& t) {
  rig<Client> r(t);
  r.run_for(0.05);
  const auto n = static_cast<double>(t.connections);
  (void)take_heap_peak();
  const heap_use before = heap_now();
  const auto resident = static_cast<double>(resident_now());
  r.open_all();
  const heap_use used = heap_now() - before;
  idle_cost c;
  c.tls_heap = static_cast<double>(used.tls_bytes) / n;
  c.heap = static_cast<double>(used.bytes) / n - c.tls_heap;
  c.blocks = static_cast<double>(used.blocks) / n;
  c.resident = (static_cast<double>(resident_now()) - resident) / n;
  c.peak = static_cast<double>(take_heap_peak() - before.bytes) / n;

  effort from = effort_now();
  r.run_for(t.seconds);
  c.cpu = (effort_now().cpu - from.cpu) * 1e6 / t.seconds;
  c.wakes = (effort_now().wakes - from.wakes) / t.seconds;
  r.requests(t.requests / 10 + 1);
  from = effort_now();
  r.requests(t.requests);
  c.request_cpu = (effort_now().cpu - from.cpu) * 1e6 / static_cast<double>(t.requests);
  return c;
}

double time_to_drain(rig<tcp_client>& r, const std::function<void()>& meanwhile) {
  bool over = false;
  const auto start = steady::now();
  r.client().async_drain(start + 60s, [&](error_code ec) {
    if (ec) throw std::runtime_error("the drain failed: " + ec.message());
    over = true;
  });
  meanwhile();
  while (!over) r.io().run_one();
  return seconds_since(start);
}

}  // namespace

idle_cost measure_idle(const trial& t) {
  return t.tls ? idle_of<tls_client>(t) : idle_of<tcp_client>(t);
}

drain_cost measure_drain(const trial& t) {
  drain_cost c;
  {
    rig<tcp_client> r(t);
    r.open_all();
    c.idle_seconds = time_to_drain(r, [] {});
  }
  rig<tcp_client> r(t);
  r.open_all();
  std::vector<lease<tcp_connection>> leases;
  leases.reserve(t.connections);
  for (std::size_t i = 0; i < t.connections; ++i) {
    r.client().async_checkout([&](error_code ec, lease<tcp_connection> l) {
      if (ec) throw std::runtime_error("a checkout failed: " + ec.message());
      leases.push_back(std::move(l));
    });
  }
  r.run_until([&] { return leases.size() == t.connections; });
  const effort from = effort_now();
  c.leased_seconds = time_to_drain(r, [&] { leases.clear(); });
  c.leased_cpu = (effort_now().cpu - from.cpu) * 1e6 / static_cast<double>(t.connections);
  return c;
}

start_cost measure_start(const trial& t) {
  rig<tcp_client> r(t);
  r.run_for(0.05);
  client_options o;
  o.pool.max_total_connections = std::max(o.pool.max_total_connections, 2 * t.endpoints);
  start_cost c;
  (void)take_heap_peak();
  const heap_use before = heap_now();
  const effort from = effort_now();
  const auto start = steady::now();
  r.start(o);
  r.request([&] { c.first = seconds_since(start); });
  r.run_until([&] {
    return c.first > 0 && r.client().connection_gauges().endpoints_active == t.endpoints;
  });
  c.warm = seconds_since(start);
  const auto n = static_cast<double>(t.endpoints);
  c.cpu = (effort_now().cpu - from.cpu) * 1e6 / n;
  c.peak = static_cast<double>(take_heap_peak() - before.bytes) / n;
  return c;
}

}  // namespace redial::bench
