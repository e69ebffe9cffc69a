// SPDX-License-Identifier: Apache-2.0
#include <redial/discovery/resolver.hpp>

#include "discovery_world.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct outcome {
  std::optional<error_code> error;
  std::vector<std::string> endpoints;
  std::string host;
};

void resolve(redial::resolver& r, const char* host, const char* service, outcome& out) {
  r.async_resolve(host, service, [&out](error_code ec, redial::resolver::results_type results) {
    EXPECT_FALSE(out.error) << "once";
    out.error = ec;
    for (const auto& e : results) {
      out.endpoints.push_back(e.endpoint().address().to_string() + " " +
                              std::to_string(e.endpoint().port()));
      out.host = e.host_name() + " " + e.service_name();
    }
  });
  EXPECT_FALSE(out.error) << "never inline";
}

TEST(Resolver, GivesWhatAsioGives) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1", "fd00::1"}, 5s);
  redial::resolver r(w.sim.executor(), w.make());
  outcome o;
  resolve(r, "API.test", "https", o);
  w.sim.advance(1s);
  ASSERT_TRUE(o.error);
  EXPECT_FALSE(*o.error);
  EXPECT_THAT(o.endpoints, ElementsAre("fd00::1 443", "10.0.0.1 443")) << "IPv6 first";
  EXPECT_EQ(o.host, "API.test https");
}

TEST(Resolver, TheSecondTimeIsFromTheWatchAndUpToDate) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  redial::resolver r(w.sim.executor(), w.make());
  outcome first;
  resolve(r, "api.test", "80", first);
  w.sim.advance(1s);
  w.dns.set("api.test", {"10.0.0.2"}, 5s);
  w.sim.advance(6s);
  const auto asked = w.dns.times_asked("api.test");
  outcome second;
  resolve(r, "api.test", "81", second);
  w.sim.advance(0s);
  EXPECT_THAT(second.endpoints, ElementsAre("10.0.0.2 81"));
  EXPECT_EQ(w.dns.times_asked("api.test"), asked);
  // In an outage too.
  w.dns.silence("api.test");
  w.sim.advance(2min);
  outcome third;
  resolve(r, "api.test", "81", third);
  w.sim.advance(0s);
  EXPECT_THAT(third.endpoints, ElementsAre("10.0.0.2 81"));
}

TEST(Resolver, StopsWatchingAWhileAfterTheLastCall) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  redial::resolver r(w.sim.executor(), w.make(), 30s);
  outcome o;
  resolve(r, "api.test", "80", o);
  w.sim.advance(60s);
  const auto asked = w.dns.times_asked("api.test");
  w.sim.advance(10min);
  EXPECT_EQ(w.dns.times_asked("api.test"), asked);
}

TEST(Resolver, KeepZeroAsksEachTime) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  redial::resolver r(w.sim.executor(), w.make(), 0s);
  for (unsigned i = 1; i <= 3; ++i) {
    outcome o;
    resolve(r, "api.test", "80", o);
    w.sim.advance(1s);
    EXPECT_THAT(o.endpoints, SizeIs(1));
    w.sim.advance(60s);
    EXPECT_EQ(w.dns.times_asked("api.test"), i);
  }
}

TEST(Resolver, ErrorsAreTold) {
  discovery_world w;
  w.dns.fail("broken.test", answer_outcome::server_failure);
  redial::resolver r(w.sim.executor(), w.make());
  outcome none;
  outcome broken;
  outcome bad_name;
  outcome bad_service;
  resolve(r, "nobody.test", "80", none);
  resolve(r, "broken.test", "80", broken);
  resolve(r, "a b", "80", bad_name);
  resolve(r, "api.test", "smtp", bad_service);
  w.sim.advance(1s);
  EXPECT_EQ(none.error, error_code(errc::name_not_found));
  EXPECT_EQ(broken.error, error_code(errc::dns_server_failure));
  EXPECT_EQ(bad_name.error, error_code(errc::bad_name));
  EXPECT_EQ(bad_service.error, error_code(errc::bad_port));
}

TEST(Resolver, LiteralsNeedNoDns) {
  discovery_world w;
  redial::resolver r(w.sim.executor(), w.make());
  outcome v4;
  outcome v6;
  resolve(r, "10.0.0.1", "", v4);
  resolve(r, "fd00::1", "80", v6);
  w.sim.advance(1ms);
  EXPECT_THAT(v4.endpoints, ElementsAre("10.0.0.1 0"));
  EXPECT_THAT(v6.endpoints, ElementsAre("fd00::1 80"));
  EXPECT_THAT(w.dns.asked(), IsEmpty());
}

TEST(Resolver, CancelAndDestructionCompleteWhatIsInFlight) {
  discovery_world w;
  w.dns.silence("api.test");
  outcome cancelled;
  outcome destroyed;
  {
    redial::resolver r(w.sim.executor(), w.make());
    resolve(r, "api.test", "80", cancelled);
    w.sim.advance(1s);
    r.cancel();
    w.sim.advance(0s);
    EXPECT_EQ(cancelled.error, error_code(boost::asio::error::operation_aborted));
    resolve(r, "api.test", "80", destroyed);
  }
  w.sim.advance(0s);
  EXPECT_EQ(destroyed.error, error_code(boost::asio::error::operation_aborted));
}

// The handlers that ran at one instant are counted by the simulation.
TEST(Resolver, ANameThatTakesLongerThanItIsKeptKeepsNoTimerBusy) {
  discovery_world w;
  w.dns.silence("slow.test");
  redial::resolver r(w.sim.executor(), w.make(), 10ms);
  outcome literal;
  outcome slow;
  resolve(r, "10.0.0.1", "80", literal);
  resolve(r, "slow.test", "80", slow);
  w.sim.advance(1min);
  EXPECT_THAT(literal.endpoints, SizeIs(1));
  EXPECT_EQ(slow.error, error_code(errc::dns_timeout));
}

TEST(Resolver, CancelledNamesAreNotWatchedForEver) {
  discovery_world w;
  w.dns.silence("api.test");
  const auto names = w.make();
  redial::resolver r(w.sim.executor(), names, 1s);
  outcome o;
  resolve(r, "api.test", "80", o);
  r.cancel();
  w.sim.advance(2s);
  EXPECT_EQ(o.error, error_code(boost::asio::error::operation_aborted));
  std::uint64_t subscribers = 1;
  names->async_explain(target("tcp://api.test:1"),
                       [&](const explanation& e) { subscribers = e.subscribers; });
  w.sim.settle();
  EXPECT_EQ(subscribers, 0U) << "though no answer has come";
}

TEST(Resolver, WhoeverAsksWhileItIsClosedIsToldAllTheSame) {
  boost::asio::io_context io;
  const auto names = discovery::create(io.get_executor());
  redial::resolver r(io.get_executor(), names);
  std::atomic<bool> done{false};
  std::thread closer([&] {
    while (!done) r.close();
  });
  constexpr int calls = 20000;
  int told = 0;
  for (int i = 0; i < calls; ++i) {
    r.async_resolve(
        "10.0.0.1", "80", [&](error_code, const redial::resolver::results_type&) { ++told; });
  }
  done = true;
  closer.join();
  r.close();
  names->close();
  io.run();
  EXPECT_EQ(told, calls);
}

TEST(Resolver, Fault127_ItsContextMayGoFirst) {
  discovery_world w;
  w.dns.silence("api.test");
  std::optional<redial::resolver> r;
  int told = 0;
  const auto ask = [&](const char* host) {
    r->async_resolve(
        host, "80", [&](error_code, const redial::resolver::results_type&) { ++told; });
  };
  {
    auto io = std::make_unique<boost::asio::io_context>();
    r.emplace(io->get_executor(), w.make());
    ask("api.test");
    w.sim.advance(1s);
    io->poll();
  }
  ask("10.0.0.1");
  ask("a b");
  r.reset();
  w.sim.advance(1min);
  EXPECT_EQ(told, 0) << "as with Asio: handlers are destroyed";
}

TEST(Resolver, TheFirstAddressVaries) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 5s);
  redial::resolver r(w.sim.executor(), w.make());
  std::set<std::string> first;
  for (int i = 0; i < 100; ++i) {
    outcome o;
    resolve(r, "api.test", "80", o);
    w.sim.advance(10ms);
    ASSERT_THAT(o.endpoints, SizeIs(3));
    first.insert(o.endpoints[0]);
  }
  EXPECT_THAT(first, SizeIs(3));
}

TEST(Resolver, RefusesWrongOptions) {
  discovery_world w;
  const auto d = w.make();
  EXPECT_THROW(redial::resolver(w.sim.executor(), nullptr), std::invalid_argument);
  EXPECT_THROW(redial::resolver({}, d), std::invalid_argument);
  EXPECT_THROW(redial::resolver(w.sim.executor(), d, -1s), std::invalid_argument);
}

TEST(Resolver, WhatStartsAfterItsEndIsClosed) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  std::optional<redial::resolver> r;
  r.emplace(w.sim.executor(), w.make());
  auto op = r->async_resolve("api.test", "80", boost::asio::deferred);
  r.reset();
  std::optional<error_code> error;
  std::move(op)([&](error_code ec, auto&&...) { error = ec; });
  EXPECT_FALSE(error) << "never inline";
  w.sim.advance(1s);
  EXPECT_EQ(error, errc::closed);
  EXPECT_EQ(w.dns.times_asked("api.test"), 0U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
