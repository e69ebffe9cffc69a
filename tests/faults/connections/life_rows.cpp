// SPDX-License-Identifier: Apache-2.0
//
// Objects that are destroyed, moved, cancelled and called back at any moment.
#include <redial/testing/dns_server.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"
#include "support/opened.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <malloc.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <type_traits>

namespace redial::inline REDIAL_ABI::testing {
namespace {

void destroyed_in_every_state() {
  http_row w;
  dns_server silent;
  silent.silence(true);
  deaf_listener deaf(w.io);
  discovery_options o;
  o.nameservers = {silent.address()};
  o.hosts_path = "";
  w.server.always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
  w.options.client.pool.max_connections = 1;
  w.connect();
  std::optional<http_client> connecting(
      std::in_place, w.io.get_executor(), "static://127.0.0.1:" + std::to_string(deaf.port()));
  std::optional<http_client> resolving(std::in_place,
                                       w.io.get_executor(),
                                       discovery::create(w.io.get_executor(), o),
                                       "http://a.test");
  int ended = 0;
  const auto get = [&](http_client& c) {
    c.async_get("/", call_options(60s), [&](error_code ec, auto) {
      EXPECT_EQ(ec, errc::closed) << ec.message();
      ++ended;
    });
  };
  for (int i = 0; i < 3; ++i) get(*w.client);  // one reads, two queue
  get(*connecting);
  get(*resolving);
  ASSERT_TRUE(w.wait([&] { return !w.server.requests().empty() && silent.queries() > 0; }));
  connecting.reset();
  resolving.reset();
  w.client.reset();
  EXPECT_EQ(ended, 0) << "never inline";
  EXPECT_TRUE(w.wait([&] { return ended == 5; }));
}

void lease_outlives_pool() {
  pool_row w;
  w.start({"10.0.0.1"});
  auto held = w.take();
  w.pool.reset();
  w.sim.settle();
  held = {};
  w.sim.settle();
  EXPECT_EQ(w.open_now(), 0U);
}

void cancelled_at_any_time() {
  http_row w;
  w.connect();
  w.server.always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
  asio::cancellation_signal signal;
  int ended = 0;
  w.client->async_get("/", asio::bind_cancellation_slot(signal.slot(), [&](error_code ec, auto) {
                        EXPECT_EQ(ec, asio::error::operation_aborted);
                        ++ended;
                      }));
  ASSERT_TRUE(w.wait([&] { return !w.server.requests().empty(); }));
  signal.emit(asio::cancellation_type::terminal);
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(ended, 0) << "never inline";
  ASSERT_TRUE(w.wait([&] { return ended > 0 && w.server.open() == 0; }));
  signal.emit(asio::cancellation_type::terminal);
  w.io.poll();
  EXPECT_EQ(ended, 1);
}

void context_goes_first() {
  for (int steps = 0; steps < 40; ++steps) {
    auto io = std::make_unique<asio::io_context>();
    const auto token = std::make_shared<int>();
    auto server = std::make_unique<raw_http_server>(*io);
    server->always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
    http_client c(io->get_executor(), "static://" + server->authority());
    c.async_get("/", [token](error_code, const auto&) { ADD_FAILURE() << "called"; });
    for (int i = 0; i < steps; ++i) (void)io->poll_one();
    server.reset();
    io.reset();
    EXPECT_EQ(token.use_count(), 1) << steps;
  }
}

void handler_destroys_client() {
  http_row w;
  w.connect();
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    w.client->async_get("/", [&](error_code, const auto&) {
      ++ended;
      w.client.reset();
    });
  }
  EXPECT_EQ(ended, 0) << "never inline";
  EXPECT_TRUE(w.wait([&] { return ended == 3; }));
}

void handler_throws() {
  http_row w;
  w.connect();
  w.client->async_get("/", [](error_code, const auto&) { throw std::domain_error("user's"); });
  EXPECT_THROW((void)w.wait([] { return false; }), std::domain_error);
  w.expect_served(5);
  EXPECT_EQ(w.client->connection_gauges().leased, 0U);
}

void many_threads() {
  asio::io_context io;
  http_farm farm(io, {"127.0.0.2", "127.0.0.3"});
  const std::string port = std::to_string(farm.port());
  std::atomic<int> served{0};
  std::atomic<int> ended{0};
  asio::thread_pool threads(16);
  std::optional<http_client> client(
      std::in_place, threads.get_executor(), "static://127.0.0.2:" + port + ",127.0.0.3:" + port);
  for (int i = 0; i < 400; ++i) {
    asio::post(threads, [&] {
      client->async_get("/", [&](error_code ec, const auto&) {
        served += ec ? 0 : 1;
        ++ended;
        asio::post(io, [] {});  // look
      });
    });
  }
  EXPECT_TRUE(run_until(io, [&] { return ended == 400; }));
  EXPECT_EQ(served, 400);
  client.reset();
  threads.join();
}

void two_contexts_one_discovery() {
  http_row w;
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.1"}, 60s);
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  o.watch.ipv6 = false;
  const auto names = discovery::create(w.io.get_executor(), o);
  const std::string text = "http://api.test:" + std::to_string(w.server.port());
  w.client.emplace(w.io.get_executor(), names, text, w.options);
  asio::io_context second;
  http_client there(second.get_executor(), names, text);
  std::thread::id ran_on;
  std::atomic<bool> done{false};
  there.async_get("/", [&](error_code ec, const auto&) {
    EXPECT_FALSE(ec) << ec.message();
    ran_on = std::this_thread::get_id();
    there.close();
    done = true;
    asio::post(w.io, [] {});  // look
  });
  std::thread other([&] { (void)run_until(second, [&] { return done.load(); }); });
  const auto its_id = other.get_id();
  w.expect_served(3);
  EXPECT_TRUE(w.wait([&] { return done.load(); }));
  other.join();
  EXPECT_EQ(ran_on, its_id);
  EXPECT_EQ(dns.queries("api.test"), 1U);
}

void moved_objects() {
  static_assert(!std::is_copy_constructible_v<http_client>);
  static_assert(std::is_nothrow_move_constructible_v<http_client>);
  static_assert(!std::is_copy_constructible_v<scripted_lease>);
  static_assert(std::is_nothrow_move_assignable_v<scripted_lease>);
  pool_row w;
  w.start({"10.0.0.1"});
  auto lease = w.take();
  auto& same = lease;
  lease = std::move(same);
  EXPECT_TRUE(lease) << "moved to itself";
  scripted_lease second = std::move(lease);
  lease = {};
  EXPECT_EQ(w.pool->gauges().leased, 1U);
  EXPECT_TRUE(second);
}

// Bytes in use after so many cycles, by the C library's account.
std::size_t bytes_after(pool_row& w, int cycles) {
  for (int i = 0; i < cycles; ++i) {
    auto lease = w.pool->try_checkout();
    if (!lease) ADD_FAILURE() << "nothing idle";
  }
  w.sim.settle();
  return ::mallinfo2().uordblks;
}

void a_million_cycles() {
  pool_row w;
  w.start({"10.0.0.1"});
  const auto after_some = bytes_after(w, 1000);
  EXPECT_LE(bytes_after(w, 1'000'000), after_some + 1024);
  EXPECT_EQ(w.opened_ever(), 1U);
}

}  // namespace

std::vector<fault_row> life_rows() {
  return {
      {124, "destroyed_in_every_state", destroyed_in_every_state},
      {125, "lease_outlives_pool", lease_outlives_pool, "in simulated time"},
      {126, "cancelled_at_any_time", cancelled_at_any_time},
      {127, "context_goes_first", context_goes_first},
      {128,
       "static_destruction_order",
       nullptr,
       "cannot be made safe: a context outlives what runs on it, or close() comes first"},
      {129, "handler_destroys_its_client", handler_destroys_client},
      {130, "handler_throws", handler_throws},
      {131,
       "coroutine_loses_exception",
       nullptr,
       "the library has no coroutines: ctest `layering` refuses them"},
      {132, "many_threads", many_threads, "more of it: stress"},
      {133, "two_contexts_one_discovery", two_contexts_one_discovery},
      {134,
       "fork_without_exec",
       nullptr,
       "documented (docs/lifetime.md); debug builds assert: unit.pool.Fault134Fork"},
      {135, "allocation_fails", nullptr, "what starts an operation: allocation.OutOfMemory"},
      {136, "moved_objects", moved_objects, "in simulated time"},
      {137, "a_million_cycles", a_million_cycles, "in simulated time"},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
