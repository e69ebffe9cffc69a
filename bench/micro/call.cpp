// SPDX-License-Identifier: Apache-2.0
// What attempts, deadlines and budgets cost a call that succeeds at once, over connections that do
// nothing: beside the checkout, posted completion and return that any such call needs.

#include <redial/client/client.hpp>

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

namespace redial::micro {

namespace {

/// A client of three endpoints.
struct idle_client {
  idle_client()
      : names(discovery::create(io.get_executor(), without_files())),
        client(io.get_executor(),
               names,
               target("static://10.0.0.1:80,10.0.0.2:80,10.0.0.3:80"),
               std::make_shared<instant_connector>()) {
    call_times(100);
  }
  ~idle_client() {
    client.close();
    names->close();
    io.restart();
    io.poll();
  }
  static discovery_options without_files() {
    discovery_options o;
    o.hosts_path = "";
    o.nameservers = {"127.0.0.1"};
    return o;
  }

  void call() {
    client.async_call(
        [](attempt&, nothing& c, auto done) {
          consume(&c);
          std::move(done)(error_code{});
        },
        [this](error_code ec, const call_history&) {
          if (ec) throw std::logic_error("a call failed: " + ec.message());
          if (--left > 0) call();
        });
  }
  void call_times(std::size_t n) {
    left = n;
    call();
    while (left > 0) io.run_one();
  }

  asio::io_context io{1};
  std::shared_ptr<discovery> names;
  basic_client<nothing> client;
  std::size_t left = 0;
};

/// The same by hand, in an io_context that has a timer, as the client's has: it asks epoll now and
/// then, too.
struct bare_use {
  bare_use() {
    deadline.expires_after(std::chrono::hours{1});
    deadline.async_wait([](error_code) {});
  }
  void call() {
    auto l = warm.pool.try_checkout();
    if (!l) throw std::logic_error("found no idle connection");
    consume(&**l);
    asio::post(warm.io, [this, held = std::move(*l)]() mutable {
      held = {};
      if (--left > 0) call();
    });
  }
  void call_times(std::size_t n) {
    left = n;
    warm.io.restart();
    call();
    while (left > 0) warm.io.run_one();
  }

  warm_pool warm{3};
  asio::steady_timer deadline{warm.io};
  std::size_t left = 0;
};

template <class Caller>
subject calls(const char* name) {
  return {name, [] {
            return [c = std::make_shared<Caller>()](std::size_t n) {
              return timed([&] { c->call_times(n); });
            };
          }};
}

}  // namespace

std::vector<comparison> call_comparisons() {
  return {{"call that succeeds at once",
           "CPU time, client : checkout, post, return",
           calls<idle_client>("call/client"),
           calls<bare_use>("call/checkout_post_return")}};
}

}  // namespace redial::micro
