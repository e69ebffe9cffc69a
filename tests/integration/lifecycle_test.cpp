// SPDX-License-Identifier: Apache-2.0
// Clients with real sockets and the real resolver, in every state, ended in every way: each
// operation completes exactly once (or is destroyed uncalled with its context), and no descriptor
// stays open. Rows 124 to 127 of the fault list; with simulated time: tests/sim/lifecycle_test.cpp.

#include <redial/client/stream_clients.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/http/http_client.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/event_wait.hpp"
#include "support/opened.hpp"

#include <arpa/inet.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A listening port whose connections nobody accepts: the system completes the TCP handshake, and
/// then nothing ever comes. `full`: not even that.
class mute_port {
 public:
  explicit mute_port(bool full = false) : fd_(make()) {
    if (::listen(fd_, full ? 0 : 64) != 0) throw std::runtime_error("listen");
    // A queue of length 0 holds one; the second one that fits nowhere is still connecting.
    for (int i = 0; full && i < 4; ++i) {
      const int c = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const sockaddr_in a = address();
      (void)::connect(c, reinterpret_cast<const sockaddr*>(&a), sizeof a);
      fillers_.push_back(c);
    }
  }
  ~mute_port() {
    for (const int c : fillers_) ::close(c);
    ::close(fd_);
  }
  mute_port(const mute_port&) = delete;
  mute_port& operator=(const mute_port&) = delete;

  [[nodiscard]] std::string port() const { return std::to_string(ntohs(address().sin_port)); }

 private:
  static int make() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) {
      throw std::runtime_error("bind");
    }
    return fd;
  }
  [[nodiscard]] sockaddr_in address() const {
    sockaddr_in a{};
    socklen_t size = sizeof a;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size);
    return a;
  }

  int fd_;
  std::vector<int> fillers_;
};

/// Shared by all tests, so that its descriptors are always the same.
struct surroundings {
  surroundings() {
    dns.set("api.test", record_type::a, {"127.0.0.1"}, 60s);
    dns.set("other.test", record_type::a, {"127.0.0.1"}, 60s);
    dns_manner drop;
    drop.drop = true;
    dns.behave("silent.test", drop);
    refusing = std::make_unique<mute_port>();
    refused = refusing->port();
    refusing.reset();
  }
  dns_server dns;
  mute_port full{true};
  std::unique_ptr<mute_port> refusing;
  std::string refused;  // nobody listens there
};

surroundings& around() {
  static surroundings all;
  return all;
}

struct started {
  int completions = 0;
  error_code error;
  asio::cancellation_signal signal;
};

/// Waits for a byte that never comes.
template <class Connection>
struct silent_read {
  void operator()(attempt&, Connection& c, operation_handler done) const {
    auto byte = std::make_shared<std::array<char, 1>>();
    const auto buffer = asio::buffer(*byte);
    const auto slot = done.get_cancellation_slot();
    const auto executor = done.get_executor();
    c.stream().async_read_some(
        buffer,
        asio::bind_cancellation_slot(
            slot,
            asio::bind_executor(
                executor,
                [byte, h = std::move(done)](error_code ec, std::size_t) mutable { h(ec); })));
  }
};

class World {
 public:
  World() {
    options.pool.checkout_timeout = 1h;
    options.pool.connect_timeout = 1h;
    options.default_timeout = 1h;
    options.attempt_timeout = 1h;
    options.retry.delay = 1min;
    discovery_options d;
    d.nameservers = {around().dns.address()};
    d.hosts_path = "";
    names = discovery::create(io->get_executor(), d);
  }

  target at(const char* scheme, const std::string& name, const std::string& port) const {
    return target(std::string(scheme) + "://" + name + ":" + port);
  }
  void use_tcp(const std::string& name, const std::string& port) {
    tcp.emplace(make_tcp_client(io->get_executor(), names, at("tcp", name, port), options));
  }
  void use_tls(const std::string& port) {
    tls.emplace(make_tls_client(io->get_executor(), names, at("tls", "api.test", port), options));
  }
  void use_http(const std::string& port) {
    http_options o;
    o.client = options;
    http.emplace(io->get_executor(), names, at("http", "api.test", port).text(), o);
  }
  void call() {
    started& s = operations.emplace_back();
    auto done = asio::bind_cancellation_slot(
        s.signal.slot(),
        [this, &s, t = token](error_code ec, const call_history&) { note(s, ec); });
    const auto o = call_options().idempotent();
    if (tcp) return tcp->async_call(silent_read<tcp_connection>{}, o, std::move(done));
    if (tls) return tls->async_call(silent_read<tls_connection>{}, o, std::move(done));
    http->async_get(
        "/",
        o,
        asio::bind_cancellation_slot(
            s.signal.slot(),
            [this, &s, t = token](error_code ec, const http_response&) { note(s, ec); }));
  }
  void check_out() {
    started& s = operations.emplace_back();
    tcp->async_checkout(asio::bind_cancellation_slot(
        s.signal.slot(), [this, &s, t = token](error_code ec, lease<tcp_connection> l) {
          note(s, ec);
          if (l) leases.push_back(std::move(l));
        }));
  }
  void drain(time_point by) {
    started& s = operations.emplace_back();
    auto done = asio::bind_cancellation_slot(s.signal.slot(),
                                             [this, &s, t = token](error_code ec) { note(s, ec); });
    if (tcp) tcp->async_drain(by, done);
    if (tls) tls->async_drain(by, done);
    if (http) http->async_drain(by, done);
  }
  void close() {
    if (tcp) tcp->close();
    if (tls) tls->close();
    if (http) http->close();
  }
  void destroy() {
    tcp.reset();
    tls.reset();
    http.reset();
  }
  void cancel_all() {
    for (auto& s : operations) s.signal.emit(asio::cancellation_type::terminal);
  }
  [[nodiscard]] pool_gauges gauges() {
    if (tcp) return tcp->connection_gauges();
    if (tls) return tls->connection_gauges();
    return http->connection_gauges();
  }
  [[nodiscard]] bool until(const std::function<bool()>& happened) {
    return run_until(*io, happened);
  }
  [[nodiscard]] bool all_ended() const {
    for (const auto& s : operations) {
      if (s.completions == 0) return false;
    }
    return true;
  }

  mute_port mute;  // of its own: what it never accepts fills its queue
  std::shared_ptr<int> token = std::make_shared<int>();  // one reference per living handler
  std::deque<started> operations;
  client_options options;
  std::optional<asio::io_context> io{std::in_place};
  std::shared_ptr<discovery> names;
  std::optional<tcp_client> tcp;
  std::optional<tls_client> tls;
  std::optional<http_client> http;
  std::vector<lease<tcp_connection>> leases;

 private:
  void note(started& s, const error_code& ec) {
    EXPECT_TRUE(io.has_value()) << "called without its context";
    ++s.completions;
    s.error = ec;
  }
};

struct scene {
  const char* name;
  std::function<void(World&)> act;
};

void one_read(World& w, std::uint32_t leased) {
  EXPECT_TRUE(w.until([&] { return w.gauges().leased == leased; }));
}

const scene states[] = {
    {"New",
     [](World& w) {
       w.use_tcp("api.test", w.mute.port());
       w.call();
       w.check_out();
     }},
    {"Resolving",
     [](World& w) {
       const auto asked = around().dns.queries("silent.test");
       w.use_tcp("silent.test", w.mute.port());
       w.call();
       w.check_out();
       EXPECT_TRUE(w.until([&] { return around().dns.queries("silent.test") > asked; }));
     }},
    {"Connecting",
     [](World& w) {
       w.use_tcp("api.test", around().full.port());
       w.call();
       w.check_out();
       EXPECT_TRUE(w.until([&] { return w.gauges().connecting > 0; }));
       EXPECT_EQ(w.gauges().idle + w.gauges().leased, 0U);
     }},
    {"TlsHandshake",
     [](World& w) {
       w.use_tls(w.mute.port());
       w.call();
       EXPECT_TRUE(w.until([&] { return w.gauges().connecting > 0; }));
       (void)w.io->run_for(20ms);  // most of it is over then, and it can never end
       EXPECT_EQ(w.gauges().idle + w.gauges().leased, 0U);
     }},
    {"Queued",
     [](World& w) {
       w.options.pool.max_connections = 1;
       w.options.pool.max_total_connections = 1;
       w.use_tcp("api.test", w.mute.port());
       w.call();
       one_read(w, 1);
       w.call();
       w.check_out();
       EXPECT_TRUE(w.until([&] { return w.gauges().waiting == 2; }));
     }},
    {"Lent",
     [](World& w) {
       w.use_tcp("api.test", w.mute.port());
       w.check_out();
       EXPECT_TRUE(w.until([&] { return w.leases.size() == 1; }));
     }},
    {"Running",
     [](World& w) {
       w.use_tcp("api.test", w.mute.port());
       w.call();
       w.call();
       one_read(w, 2);
     }},
    {"Exchange",
     [](World& w) {
       w.use_http(w.mute.port());
       w.call();
       one_read(w, 1);
     }},
    {"SleepingAfterRefusals",
     [](World& w) {
       w.use_tcp("api.test", around().refused);
       w.call();
       EXPECT_TRUE(w.until([&] { return w.tcp->connection_counters().connect_failures > 1; }));
     }},
    {"Resetting",
     [](World& w) {
       w.use_tcp("api.test", w.mute.port());
       w.call();
       one_read(w, 1);
       w.tcp->reset();
       w.check_out();
     }},
    {"Draining",
     [](World& w) {
       w.use_tcp("api.test", w.mute.port());
       w.call();
       one_read(w, 1);
       w.drain(clock::now() + 1h);
       w.drain(time_point::max());
       (void)w.io->poll();
     }},
    {"Idle",
     [](World& w) {
       w.use_http(w.mute.port());
       EXPECT_TRUE(w.until([&] { return w.gauges().idle == 1; }));
       (void)w.io->run_for(30ms);  // its notice is armed
     }},
};

const scene endings[] = {
    {"Destroyed", [](World& w) { w.destroy(); }},
    {"Closed",
     [](World& w) {
       w.close();
       w.close();
     }},
    {"DrainedByNow", [](World& w) { w.drain(clock::now()); }},
    {"Cancelled",
     [](World& w) {
       w.cancel_all();
       EXPECT_TRUE(w.until([&] { return w.all_ended(); }));
     }},
    {"CancelledTwice",
     [](World& w) {
       w.cancel_all();
       w.cancel_all();
       EXPECT_TRUE(w.until([&] { return w.all_ended(); }));
       w.cancel_all();
     }},
    {"CancelledAndDestroyedAtOnce",
     [](World& w) {
       w.cancel_all();
       w.destroy();
       w.cancel_all();
     }},
    {"DiscoveryClosedFirst",
     [](World& w) {
       w.names->close();
       (void)w.io->poll();
       w.destroy();
     }},
    {"DiscoveryDestroyedFirst",
     [](World& w) {
       w.names.reset();
       (void)w.io->poll();
       w.destroy();
     }},
    {"ExecutorStoppedFirst",
     [](World& w) {
       w.io->stop();
       w.destroy();
       w.names.reset();
       w.leases.clear();
       w.io.reset();
     }},
    {"ContextDestroyedFirst", [](World& w) { w.io.reset(); }},
    {"ContextDestroyedWhileClosing",
     [](World& w) {
       w.close();
       w.names->close();
       w.io.reset();
     }},
    {"LeasesOutliveTheirPool",
     [](World& w) {
       w.destroy();
       w.names.reset();
       (void)w.io->run_for(50ms);
     }},
};

using cell = std::tuple<const scene*, const scene*>;
template <std::size_t N>
std::vector<const scene*> pointers(const scene (&all)[N]) {
  std::vector<const scene*> result;
  for (const scene& s : all) result.push_back(&s);
  return result;
}

class Fault124RealLifecycle : public ::testing::TestWithParam<cell> {};

TEST_P(Fault124RealLifecycle, EverythingEndsOnceAndNoDescriptorStaysOpen) {
  (void)around();
  const long before = open_descriptors();
  {
    World w;
    std::get<0>(GetParam())->act(w);
    std::get<1>(GetParam())->act(w);

    const bool called = w.io.has_value();
    // Connections are closed when their lease is over at the latest.
    w.leases.clear();
    w.destroy();
    w.names.reset();
    if (called) {
      EXPECT_TRUE(w.until([&] { return w.all_ended(); }));
      w.leases.clear();
      // Nothing keeps it running.
      EXPECT_TRUE(run_until(*w.io, [&] { return w.io->stopped(); })) << "work is left";
      for (const auto& s : w.operations) EXPECT_EQ(s.completions, 1);
    }
    for (const auto& s : w.operations) EXPECT_LE(s.completions, 1);
    EXPECT_EQ(w.token.use_count(), 1) << "a handler is kept";
  }
  EXPECT_EQ(open_descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(StatesAndEndings,
                         Fault124RealLifecycle,
                         ::testing::Combine(::testing::ValuesIn(pointers(states)),
                                            ::testing::ValuesIn(pointers(endings))),
                         [](const ::testing::TestParamInfo<cell>& one) {
                           return std::string(std::get<0>(one.param)->name) + "_" +
                                  std::get<1>(one.param)->name;
                         });

// --- an http client of its own ------------------------------------------------------------------

TEST(RealLifecycle, ADrainedHttpClientTakesItsOwnDiscoveryAlong) {
  (void)around();
  const long before = open_descriptors();
  {
    const mute_port mute;
    asio::io_context io;
    http_client client(io.get_executor(), "static://127.0.0.1:" + mute.port());
    int ended = 0;
    error_code call_error;
    client.async_get("/", call_options(1h), [&](error_code ec, const http_response&) {
      call_error = ec;
      ++ended;
    });
    EXPECT_TRUE(run_until(io, [&] { return client.connection_gauges().leased == 1; }));
    error_code drain_error;
    client.async_drain(clock::now() + 50ms, [&](error_code ec) {
      drain_error = ec;
      ++ended;
    });
    error_code refused;
    client.async_get("/", [&](error_code ec, const http_response&) {
      refused = ec;
      ++ended;
    });
    EXPECT_EQ(ended, 0);
    // All that is left to run ends, with the client still there.
    EXPECT_TRUE(run_until(io, [&] { return io.stopped(); }));
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(call_error, errc::closed);
    EXPECT_EQ(drain_error, errc::deadline_exceeded);
    EXPECT_EQ(refused, errc::closed);
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
