// SPDX-License-Identifier: Apache-2.0
// The n-th allocation inside an initiating call fails, for every n that there is: the call throws
// and is as if it had not been made, or its handler is called once. Row 135 of the fault list.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/discovery/resolver.hpp>
#include <redial/http/http_client.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "counted_new.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using scripted_client = basic_client<scripted_connection>;
using scripted_lease = lease<scripted_connection>;

/// Of one operation; its handler holds it, so that it is known whether there still is one.
struct outcome {
  int completions = 0;
  error_code error;
};
struct noted {
  template <class... More>
  void operator()(const error_code& ec, const More&...) const {
    ++seen->completions;
    seen->error = ec;
  }
  void operator()(const client_explanation&) const { ++seen->completions; }
  void operator()(const explanation&) const { ++seen->completions; }

  std::shared_ptr<outcome> seen;
};

/// So that there are events to tell.
class silent_listener final : public event_listener {};

/// A client of two endpoints, and what is needed for one.
class world {
 public:
  world() {
    dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 60s);
    dns.set("other.test", {"10.0.1.1"}, 60s);
    discovery_options d;
    d.watch.seed = 1;
    names = discovery::create(sim.executor(), d, dns.share(), sim.time());
    options.pool.seed = 1;
    options.pool.max_connections = 2;
    options.listener = std::make_shared<silent_listener>();
  }

  void make_client() {
    client.emplace(sim.executor(), names, target("tcp://api.test:80"), net, options, sim.time());
  }
  void connect() {
    make_client();
    sim.advance(1s);
  }
  /// Every idle connection is leased.
  void lease_all() {
    while (auto l = detail::access::base(*client).pool().try_checkout())
      leases.push_back(std::move(*l));
  }
  void call(const std::shared_ptr<outcome>& seen) {
    client->async_call(
        [](attempt&, scripted_connection&, operation_handler done) { done(error_code()); },
        call_options(2s),
        noted{seen});
  }
  /// Stays in flight until `held` is let go of.
  void long_call() {
    client->async_call(
        [this](attempt&, scripted_connection&, operation_handler done) {
          held.push_back(std::move(done));
        },
        call_options(1min),
        [](error_code, const call_history&) {});
    sim.settle();
  }
  void check_out(const std::shared_ptr<outcome>& seen) { client->async_checkout(noted{seen}); }

  void end() {
    leases.clear();
    held.clear();
    watch = {};
    watcher.reset();
    addresses.reset();
    web.reset();
    client.reset();
    names->close();
    sim.advance(2min);
    EXPECT_EQ(net->counts().open, 0U);
    EXPECT_EQ(net->counts().opening, 0U);
    EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  }

  simulation sim;
  scripted_dns dns{sim};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(sim);
  client_options options;
  std::shared_ptr<discovery> names;
  std::optional<scripted_client> client;
  std::vector<detail::lease_base> leases;
  std::vector<operation_handler> held;
  subscription watch;
  std::optional<endpoint_watcher> watcher;
  std::optional<resolver> addresses;
  std::optional<http_client> web;
};

using prepare = std::function<void(world&)>;
using initiate = std::function<void(world&, const std::shared_ptr<outcome>&)>;

/// How an attempt ends that lacks no memory; empty: whatever.
using expected = std::optional<error_code>;

void expect_end(const outcome& o, const expected& e) {
  EXPECT_EQ(o.completions, 1);
  if (e) {
    EXPECT_EQ(o.error, *e) << o.error.message();
  }
}

/// One attempt with its `n`-th allocation failing and, if it did, another. False: there was none.
bool fails_well(std::size_t n, const prepare& before, const initiate& start, const expected& e) {
  world w;
  before(w);
  bool failed = false;
  bool threw = false;
  const auto first = std::make_shared<outcome>();
  {
    const failing_allocation one(n);
    try {
      start(w, first);
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    failed = one.has_failed();
  }
  if (threw) {
    EXPECT_EQ(first.use_count(), 1) << "refused, but its handler is kept";
  }
  w.sim.advance(5s);
  if (failed) {
    const auto second = std::make_shared<outcome>();
    start(w, second);
    w.sim.advance(5s);
    SCOPED_TRACE("second attempt");
    expect_end(*second, e);
  } else {
    expect_end(*first, e);
  }
  w.end();
  EXPECT_EQ(first->completions, threw ? 0 : 1);
  EXPECT_EQ(first.use_count(), 1);
  return failed;
}

/// The same on a thread of its own, to which calls and requests have left no memory yet.
bool fails_well_anew(std::size_t n,
                     const prepare& before,
                     const initiate& start,
                     const expected& e) {
  bool failed = false;
  std::thread([&] {
    SCOPED_TRACE("allocation " + std::to_string(n));
    failed = fails_well(n, before, start, e);
  }).join();
  return failed;
}

/// For every n until there is nothing left to fail. How many there were.
std::size_t every_allocation_fails(const prepare& before,
                                   const initiate& start,
                                   const expected& e = error_code()) {
  fails_well_anew(0, before, start, e);  // whatever is made once is made now
  for (std::size_t n = 1; n < 1000; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    const auto blocks = live_blocks();
    const bool failed = fails_well_anew(n, before, start, e);
    EXPECT_EQ(live_blocks(), blocks) << "left behind";
    if (!failed) return n - 1;
    if (::testing::Test::HasFailure()) return n;
  }
  ADD_FAILURE() << "no end to it";
  return 0;
}

const initiate a_call = [](world& w, const auto& seen) { w.call(seen); };
const initiate a_checkout = [](world& w, const auto& seen) { w.check_out(seen); };
const initiate a_drain = [](world& w, const auto& seen) {
  w.client->async_drain(w.sim.now() + 1s, noted{seen});
};
const prepare unresolved = [](world& w) { w.make_client(); };
const prepare connected = [](world& w) { w.connect(); };
const prepare all_leased = [](world& w) {
  w.connect();
  w.lease_all();
};
const prepare closed = [](world& w) {
  w.connect();
  w.client->close();
  w.sim.settle();
};

// More allocations than so many must have been there to fail. libc++ keeps strings of up to 22
// bytes in place, so that far fewer are; some must be.
constexpr std::size_t floor_of([[maybe_unused]] std::size_t with_libstdcxx) {
#ifdef _LIBCPP_VERSION
  return 0;
#else
  return with_libstdcxx;
#endif
}

TEST(OutOfMemory, Fault135_MakingAClient) {
  const auto n = every_allocation_fails([](world&) {},
                                        [](world& w, const auto& seen) {
                                          w.make_client();
                                          const failing_allocation none(0);
                                          w.check_out(seen);
                                        });
  EXPECT_GT(n, floor_of(10));
}

TEST(OutOfMemory, Fault135_Calls) {
  EXPECT_GT(every_allocation_fails(connected, a_call), 0U);
  EXPECT_GT(every_allocation_fails(unresolved, a_call), 5U);
  EXPECT_GT(every_allocation_fails(all_leased, a_call), 10U);
  EXPECT_GT(every_allocation_fails(closed, a_call, errc::closed), 0U);
}

TEST(OutOfMemory, Fault135_Checkouts) {
  every_allocation_fails(connected, a_checkout);
  EXPECT_GT(every_allocation_fails(unresolved, a_checkout), 2U);
  EXPECT_GT(every_allocation_fails(all_leased, a_checkout), 5U);
  every_allocation_fails(closed, a_checkout, errc::closed);
}

TEST(OutOfMemory, Fault135_CheckoutsThatFindDeadConnections) {
  const auto dead = [](world& w) {
    connect_behaviour deaf;
    deaf.can_watch = false;
    w.net->behave(deaf);
    w.connect();
    w.sim.advance(5s);
    for (const auto& p : w.net->peers()) p->break_silently();
  };
  EXPECT_GT(every_allocation_fails(dead, a_checkout), 5U);
  EXPECT_GT(every_allocation_fails(dead, a_call), 5U);
}

TEST(OutOfMemory, Fault135_Drains) {
  const prepare busy = [](world& w) {
    w.connect();
    w.long_call();
  };
  // The first may have begun although it was refused, and be over before the second.
  EXPECT_GT(every_allocation_fails(unresolved, a_drain, std::nullopt), 0U);
  EXPECT_GT(every_allocation_fails(connected, a_drain, std::nullopt), 3U);
  EXPECT_GT(every_allocation_fails(all_leased, a_drain, std::nullopt), 0U);
  EXPECT_GT(every_allocation_fails(busy, a_drain, std::nullopt), 0U);
}

TEST(OutOfMemory, Fault135_TakingAnIdleConnectionNeedsNoMemory) {
  const auto n = every_allocation_fails(connected, [](world& w, const auto& seen) {
    seen->completions = detail::access::base(*w.client).pool().try_checkout() ? 1 : 0;
  });
  EXPECT_EQ(n, 0U);
}

TEST(OutOfMemory, Fault135_Subscriptions) {
  const auto follow = [](const char* t) -> initiate {
    return [t](world& w, const auto& seen) {
      w.watch = w.names->subscribe(
          target(t), w.sim.executor(), [seen](const snapshot_ptr&) { ++seen->completions; });
    };
  };
  EXPECT_GT(every_allocation_fails([](world&) {}, follow("tcp://api.test:80")), floor_of(2));
  EXPECT_GT(every_allocation_fails(connected, follow("tcp://api.test:80")), floor_of(2));
  EXPECT_GT(every_allocation_fails([](world&) {}, follow("static://10.0.0.1:80")), floor_of(2));
  EXPECT_GT(every_allocation_fails([](world& w) { w.names->close(); }, follow("tcp://api.test:80")),
            floor_of(2));
}

TEST(OutOfMemory, Fault135_Watchers) {
  const auto n = every_allocation_fails(
      [](world&) {},
      [](world& w, const auto& seen) {
        w.watcher.emplace(
            w.sim.executor(),
            w.names,
            target("tcp://api.test:80"),
            [seen](const endpoint_delta&, const snapshot_ptr&) { ++seen->completions; });
      });
  EXPECT_GT(n, 3U);
}

TEST(OutOfMemory, Fault135_Resolving) {
  const auto fresh = [](world& w) { w.addresses.emplace(w.sim.executor(), w.names); };
  const auto known = [&](world& w) {
    fresh(w);
    w.addresses->async_resolve(
        "api.test", "80", [](const error_code&, const tcp::resolver::results_type&) {});
    w.sim.settle();
  };
  const auto resolve = [](const char* service) -> initiate {
    return [service](world& w, const auto& seen) {
      w.addresses->async_resolve("api.test", service, noted{seen});
    };
  };
  EXPECT_GT(every_allocation_fails(fresh, resolve("80")), floor_of(5));
  EXPECT_GT(every_allocation_fails(known, resolve("80")), floor_of(5));
  const char* const no_port = "a service of no port, longer than what a string holds in place";
  EXPECT_GT(every_allocation_fails(known, resolve(no_port), errc::bad_port), 0U);
  EXPECT_GT(every_allocation_fails([](world&) {},
                                   [](world& w, const auto& seen) {
                                     w.addresses.emplace(w.sim.executor(), w.names);
                                     const failing_allocation none(0);
                                     w.addresses->async_resolve("api.test", "80", noted{seen});
                                   }),
            0U);
}

TEST(OutOfMemory, Fault135_HttpRequests) {
  boost::asio::io_context mute;  // its peers' requests are never read
  const tcp::acceptor listening(mute, {boost::asio::ip::address_v4::loopback(), 0});
  const auto text = "static://127.0.0.1:" + std::to_string(listening.local_endpoint().port());
  const auto fresh = [&](world& w) {
    w.web.emplace(w.sim.executor(), w.names, text, http_options(), w.sim.time());
  };
  const auto request = [](world& w, const auto& seen) {
    w.web->async_get("/a-path-that-is-long-enough", call_options(1s), noted{seen});
  };
  EXPECT_GT(every_allocation_fails(fresh, request, std::nullopt), 10U);
  const auto both = [&](world& w, const auto& seen) {
    fresh(w);
    const failing_allocation none(0);
    request(w, seen);
  };
  EXPECT_GT(every_allocation_fails([](world&) {}, both, std::nullopt), 10U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
