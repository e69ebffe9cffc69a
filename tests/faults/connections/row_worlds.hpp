// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fixtures of other tests as plain objects, and what rows have in common.

#include <redial/discovery/endpoint_source.hpp>
#include <redial/testing/event_recorder.hpp>

#include "../../unit/pool/pool_world.hpp"
#include "support/http_farm.hpp"
#include "support/http_world.hpp"
#include "support/own_network.hpp"

#include <boost/asio/error.hpp>
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

namespace asio = boost::asio;
using then = raw_reply::then;

/// An HTTP client, and two servers at hand.
struct http_row : HttpWorld {
  using HttpWorld::client;
  using HttpWorld::connect;
  using HttpWorld::connect_both;
  using HttpWorld::finish;
  using HttpWorld::get;
  using HttpWorld::get_reply;
  using HttpWorld::io;
  using HttpWorld::is_kept_after;
  using HttpWorld::options;
  using HttpWorld::other;
  using HttpWorld::post;
  using HttpWorld::send;
  using HttpWorld::server;
  using HttpWorld::start;

  http_row() { options.client.listener = events; }

  template <class Happened>
  [[nodiscard]] bool wait(Happened happened) {
    return run_until(io, happened);
  }
  /// A connection attempt ended so, at this address when one is given.
  [[nodiscard]] bool has_failed(const error_code& why, const std::string& address = {}) const {
    return events->count([&](const recorded_event& e) {
      return e.kind == event_kind::connection && e.what == "failed" && e.error == why &&
             e.where.rfind(address, 0) == 0;
    }) > 0;
  }
  /// This server has been proven, and may be leased.
  [[nodiscard]] bool is_active(const raw_http_server& s) const {
    return events->count(event_kind::endpoint, "active", s.authority()) > 0;
  }
  /// So many GETs succeed one after the other, and none had to be repeated.
  void expect_served(int gets, call_options o = 30s) {
    for (int i = 0; i < gets; ++i) {
      const http_result r = get("/", o);
      EXPECT_FALSE(r.error) << r.error.message() << "\n" << r.response.history.text();
      EXPECT_EQ(r.response.status, 200);
    }
    EXPECT_EQ(client->counters().retries, 0U);
  }

  std::shared_ptr<event_recorder> events = std::make_shared<event_recorder>();

 private:
  void TestBody() override {}
};

/// The system's own word.
inline error_code system_error(int number) { return {number, boost::system::system_category()}; }

/// A pool in simulated time.
struct pool_row : PoolWorld {
  using PoolWorld::checkout;
  using PoolWorld::closed_for;
  using PoolWorld::dns;
  using PoolWorld::events;
  using PoolWorld::feed;
  using PoolWorld::net;
  using PoolWorld::open_now;
  using PoolWorld::opened_ever;
  using PoolWorld::options;
  using PoolWorld::pool;
  using PoolWorld::sim;
  using PoolWorld::start;
  using PoolWorld::take;
  using PoolWorld::told;

 private:
  void TestBody() override {}
};

/// A client whose endpoints are told to it.
struct told_row : http_row {
  told_row() {
    set({&server});
    discovery_options o;
    o.sources = {source};
    o.nameservers = {"127.0.0.1:9"};  // never asked
    o.watch.ttl_floor = 10ms;
    names = discovery::create(io.get_executor(), o);
    client.emplace(io.get_executor(), names, text, options);
  }
  void set(const std::vector<raw_http_server*>& servers) {
    std::vector<sourced_endpoint> all;
    for (const auto* s : servers) {
      all.emplace_back(endpoint(asio::ip::address_v4::loopback(), s->port()));
    }
    source->set(target(text), all);
  }

  const std::string text = "http://api.test";
  std::shared_ptr<pushed_source> source = std::make_shared<pushed_source>();
  std::shared_ptr<discovery> names;
};

}  // namespace redial::inline REDIAL_ABI::testing
