// SPDX-License-Identifier: Apache-2.0
// Machines that fail as machines do, under 200 requests a second with a deadline of 2 s: each is a
// process in a network of its own, with a cable to the client's. No request may fail. How long they
// took is printed, not judged.

#include <redial/http/http_client.hpp>
#include <redial/net/identity.hpp>
#include <redial/testing/certificates.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/backend_host.hpp"
#include "support/event_wait.hpp"
#include "support/open_load.hpp"
#include "support/own_network.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 5ms;
constexpr auto deadline = 2000ms;
constexpr int longest_scenario_s = 60;
constexpr const char* name = "api.test";

/// The address that DNS knows of the nth machine.
std::string address_of(int number) { return "10.77.200." + std::to_string(number); }

/// Machines 1 to 3 behind api.test.
class machines {
 public:
  explicit machines(std::optional<certificate_files> tls = std::nullopt) : tls_(std::move(tls)) {
    for (int n = 1; n <= 3; ++n) add(n).take_address(address_of(n));
  }

  /// All of them before the first thread.
  backend_host& add(int number) { return add(number, tls_); }
  backend_host& add(int number,
                    const std::optional<certificate_files>& tls,
                    const std::string& service = "api") {
    hosts_.push_back(std::make_unique<backend_host>(number, tls, service));
    numbers_.push_back(number);
    return *hosts_.back();
  }
  backend_host& operator[](int number) {
    std::size_t at = 0;
    while (numbers_.at(at) != number) ++at;
    return *hosts_[at];
  }

 private:
  std::optional<certificate_files> tls_;
  std::vector<int> numbers_;
  std::vector<std::unique_ptr<backend_host>> hosts_;
};

/// The client's side: DNS, load, and what happens when.
class play {
 public:
  play() {
    dns_.set_soa("test", 60s, 1s);
    now_known({1, 2, 3});
    options.client.pool.seed = 1;
  }

  void now_known(const std::vector<int>& numbers) {
    std::vector<std::string> all;
    for (const int n : numbers) all.push_back(address_of(n));
    dns_.set(name, record_type::a, all, ttl);
  }
  void at(std::chrono::milliseconds when, std::function<void()> what) {
    acts_.emplace_back(when, std::move(what));
  }
  /// Load for so long, then the figures.
  void run(const char* title,
           std::chrono::milliseconds length,
           const std::string& scheme = "http") {
    discovery_options names;
    names.nameservers = {dns_.address()};
    names.hosts_path = "";
    http_client client(io_.get_executor(),
                       discovery::create(io_.get_executor(), names),
                       scheme + "://" + name + ":" + std::to_string(backend_host::port),
                       options);
    open_load load(io_, client, interval, deadline);
    std::list<boost::asio::steady_timer> timers;
    for (const auto& [when, what] : acts_) {
      timers.emplace_back(io_, when).async_wait([act = what](auto) { act(); });
    }
    bool over = false;
    timers.emplace_back(io_, length).async_wait([&](auto) { over = true; });
    load.start();
    EXPECT_TRUE(run_until(
        io_, [&] { return over; }, 60s));
    load.stop();
    EXPECT_TRUE(run_until(io_, [&] { return load.in_flight() == 0; }));
    const auto c = client.counters();
    std::printf("%s: %s; %llu retries, %llu denied\n",
                title,
                load.figures().c_str(),
                static_cast<unsigned long long>(c.retries),
                static_cast<unsigned long long>(c.retries_denied));
    EXPECT_EQ(load.failed(), 0U) << load.first_failure();
    EXPECT_GT(load.served(), 0U);
  }

  std::chrono::seconds ttl = 2s;
  http_options options;

 private:
  boost::asio::io_context io_{1};
  dns_server dns_;
  std::vector<std::pair<std::chrono::milliseconds, std::function<void()>>> acts_;
};

void one_of_three_is_black_holed() {
  machines m;
  play p;
  p.ttl = 60s;  // a load balancer's
  p.now_known({1, 2, 3});
  p.at(2s, [&] { m[1].black_hole(); });
  p.at(7s, [&] { p.now_known({2, 3}); });
  p.run("one of three black-holed, DNS updated 5 s later", 14s);
}

void one_never_answers() {
  machines m;
  play p;
  p.at(2s, [&] { m[1].behave(backend_manner::mute); });
  p.run("one accepts and never answers", 12s);
}

void one_answers_503() {
  machines m;
  play p;
  p.at(2s, [&] { m[1].behave(backend_manner::unavailable); });
  p.run("one answers 503", 12s);
}

void every_backend_is_restarted() {
  machines m;
  play p;
  p.options.client.pool.min_idle = 8;  // most of them rest
  for (int n = 1; n <= 3; ++n) {
    p.at(n * 3s - 1s, [&m, n] { m[n].stop(); });
    p.at(n * 3s - 700ms, [&m, n] { m[n].start(); });
  }
  p.run("every backend restarted in turn", 11s);
}

void an_elastic_address_is_moved() {
  machines m;
  m.add(4);
  play p;
  p.at(2s, [&] { m[1].black_hole(); });
  p.at(6s, [&] { m[4].take_address(address_of(1)); });  // which resets what it does not know
  p.run("an address goes silent, then resets", 12s);
}

void a_retired_node_hangs() {
  machines m;
  m.add(4).take_address(address_of(4));
  play p;
  std::size_t seen = 0;
  p.at(2s, [&] { p.now_known({2, 3, 4}); });
  p.at(7s, [&] {
    m[1].behave(backend_manner::mute);
    seen = m[1].requests();
  });
  p.run("a retired node serves for 5 s, then hangs", 12s);
  EXPECT_GT(seen, 0U);
  EXPECT_EQ(m[1].requests(), seen) << "sent to the retired node";
  EXPECT_GT(m[4].requests(), 0U);
}

void a_retired_node_hangs_at_once() {
  machines m;
  m.add(4).take_address(address_of(4));
  play p;
  p.ttl = 5s;
  p.now_known({1, 2, 3});
  p.at(2s, [&] { p.now_known({2, 3, 4}); });
  p.at(2s, [&] { m[1].behave(backend_manner::mute); });
  p.run("a retired node hangs before its TTL has ended", 12s);
  EXPECT_GT(m[4].requests(), 0U);
}

void a_stranger_over_tls() {
  certificate_authority ca;
  machines m(ca.issue_for({name}));
  m.add(4, ca.issue_for({"stranger.test"}));
  play p;
  p.options.tls.ca_file = ca.ca_file();
  p.at(2s, [&] { m[4].take_address(address_of(1)); });
  p.run("a stranger takes an address over (TLS)", 9s, "https");
  EXPECT_EQ(m[4].requests(), 0U);
  EXPECT_GT(m[4].accepted(), 0U) << "nobody went there";
}

void a_stranger_in_plaintext() {
  machines m;
  m.add(4, std::nullopt, "stranger");
  play p;
  http_identity who;
  who.path = "/who";
  who.header = "Service";
  who.header_value = "api";
  p.options.tcp.identity = expect_http(who);
  p.at(2s, [&] { m[4].take_address(address_of(1)); });
  p.run("a stranger takes an address over (plaintext)", 9s);
  EXPECT_EQ(m[4].requests(), 0U);
  EXPECT_GT(m[4].accepted(), 0U) << "nobody went there";
}

void not_ready(const char* title, const std::function<void(backend_host&)>& prepare) {
  machines m;
  prepare(m.add(4));
  m[4].take_address(address_of(4));
  play p;
  p.at(2s, [&] { p.now_known({1, 2, 3, 4}); });
  p.run(title, 9s);
}

#define REDIAL_SCENARIO(title, body) \
  TEST(Namespaces, title) { REDIAL_PASSES_IN_OWN_NETWORK(body, longest_scenario_s); }

REDIAL_SCENARIO(OneOfThreeIsBlackHoled, one_of_three_is_black_holed)
REDIAL_SCENARIO(OneNeverAnswers, one_never_answers)
REDIAL_SCENARIO(OneAnswers503, one_answers_503)
REDIAL_SCENARIO(EveryBackendIsRestartedInTurn, every_backend_is_restarted)
REDIAL_SCENARIO(AnElasticAddressIsMoved, an_elastic_address_is_moved)
REDIAL_SCENARIO(ARetiredNodeHangs, a_retired_node_hangs)
REDIAL_SCENARIO(ARetiredNodeHangsAtOnce, a_retired_node_hangs_at_once)
REDIAL_SCENARIO(AStrangerOverTlsGetsNoRequest, a_stranger_over_tls)
REDIAL_SCENARIO(AStrangerInPlaintextGetsNoRequest, a_stranger_in_plaintext)
REDIAL_SCENARIO(AnInstanceThatIsNotReadyRefuses,
                [] { not_ready("not ready: refuses", [](backend_host& h) { h.stop(); }); })
REDIAL_SCENARIO(AnInstanceThatIsNotReadyAnswers503, [] {
  not_ready("not ready: 503", [](backend_host& h) { h.behave(backend_manner::unavailable); });
})
REDIAL_SCENARIO(AnInstanceThatIsNotReadyHangs, [] {
  not_ready("not ready: hangs", [](backend_host& h) { h.behave(backend_manner::mute); });
})

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
