// SPDX-License-Identifier: Apache-2.0
// Half a minute without DNS, in every way that a server can be of no use, under load: no request
// fails, the server is not hammered, and a move made meanwhile is seen as soon as it is back.

#include <redial/http/http_client.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/event_wait.hpp"
#include "support/http_farm.hpp"
#include "support/steady_load.hpp"
#include "support/watched_target.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto outage = 30s;
constexpr auto ttl = 2s;
const char* const name = "api.test";

struct kind {
  const char* what;
  answer_outcome outcome;  ///< What the answers say during it.
  void (*begin)(dns_server&);
  bool definite;  ///< Answers that have a TTL, and are asked for again when it ends.
};

const std::vector<kind> kinds{
    {"silent", answer_outcome::timeout, [](dns_server& s) { s.silence(true); }, false},
    {"servfail",
     answer_outcome::server_failure,
     [](dns_server& s) { s.fail(name, rcode::servfail); },
     false},
    {"refused",
     answer_outcome::refused,
     [](dns_server& s) { s.fail(name, rcode::refused); },
     false},
    {"closed", answer_outcome::refused, [](dns_server& s) { s.stop(); }, false},
    {"nxdomain", answer_outcome::name_not_found, [](dns_server& s) { s.remove(name); }, true},
    {"nodata",
     answer_outcome::no_data,
     [](dns_server& s) { s.set(name, record_type::a, {}); },
     true}};

std::vector<std::string> addresses_of(std::size_t number, bool moved) {
  const std::string net = "127." + std::to_string(30 + number) + ".0.";
  if (moved) return {net + "3", net + "4"};
  return {net + "1", net + "2"};
}

/// A DNS server of its own, a client that follows it, and load.
class follower {
 public:
  follower(boost::asio::io_context& io, std::size_t number, const http_farm& farm)
      : is(kinds[number]), number_(number), farm_(farm) {
    dns.set_soa("test", 60s, ttl);
    dns.set(name, record_type::a, addresses_of(number, false), ttl);
    const std::string url = "http://" + std::string(name) + ":" + std::to_string(farm.port());
    watched = std::make_unique<watched_target>(io, dns.address(), url, options);
    client = std::make_unique<http_client>(io.get_executor(), watched->names(), url);
    load = std::make_unique<steady_load>(io, *client, 20ms, 4);
    load->start();
  }

  void bring_back() {
    dns.set(name, record_type::a, addresses_of(number_, true), ttl);
    dns.silence(false);
    dns.start();
  }
  [[nodiscard]] std::vector<std::string> endpoints(bool moved) const {
    auto all = addresses_of(number_, moved);
    for (auto& a : all) a += ":" + std::to_string(farm_.port());
    return all;
  }
  [[nodiscard]] bool serves(bool moved) const {
    const auto all = addresses_of(number_, moved);
    return std::all_of(
        all.begin(), all.end(), [&](const auto& a) { return farm_.at(a).requests > 0; });
  }
  [[nodiscard]] std::size_t asked_for_a() const { return dns.queries(name, record_type::a); }
  [[nodiscard]] std::uint64_t questions() const { return watched->names()->counters().queries; }

  /// The most questions of one type that half a minute may bring.
  [[nodiscard]] std::uint64_t most_questions() const {
    // One in flight or due, then one at the end of each TTL.
    if (is.definite) return 1 + outage / ttl;
    // Or after each wait. A wait is shortened by up to a fifth.
    std::uint64_t n = 1;
    duration next = options.backoff_base;
    for (duration at{0}; at < outage; ++n) {
      at += next / 5 * 4;
      next = std::min(next * 2, options.backoff_max);
    }
    return n;
  }

  const kind& is;
  watch_options options;
  dns_server dns;
  std::unique_ptr<watched_target> watched;
  std::unique_ptr<http_client> client;
  std::unique_ptr<steady_load> load;
  // Before the outage; then when the server was back.
  std::uint64_t questions_before = 0;
  std::size_t asked_until_back = 0;
  std::size_t asked_until_seen = 0;

 private:
  std::size_t number_;
  const http_farm& farm_;
};

class outage_world {
 public:
  outage_world() : farm(io, everybody()) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      all.push_back(std::make_unique<follower>(io, i, farm));
    }
  }
  ~outage_world() {
    for (const auto& f : all) f->load->stop();
    (void)every([](const follower& f) { return f.load->in_flight() == 0; }, 30s);
  }

  /// Runs until it is true of every one, which it must stay. False after `limit`.
  bool every(const std::function<bool(const follower&)>& what, std::chrono::seconds limit) {
    return run_until(
        io,
        [&] { return std::all_of(all.begin(), all.end(), [&](auto& f) { return what(*f); }); },
        limit);
  }
  static std::vector<std::string> everybody() {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      for (const bool moved : {false, true}) {
        for (const auto& a : addresses_of(i, moved)) all.push_back(a);
      }
    }
    return all;
  }

  boost::asio::io_context io;
  http_farm farm;
  std::vector<std::unique_ptr<follower>> all;
};

void expect_last_known_good(follower& f) {
  EXPECT_EQ(f.watched->texts(), f.endpoints(false));
  EXPECT_EQ(f.watched->seen().state, freshness::stale);
  EXPECT_TRUE(f.watched->seen().error);
  const auto last = f.watched->events().last(event_is(event_kind::answer, {}, "A"));
  ASSERT_TRUE(last);
  // c-ares 1.18 calls SERVFAIL a refused connection too.
  const bool old_word = f.is.outcome == answer_outcome::server_failure &&
                        last->what == to_string(answer_outcome::refused);
  EXPECT_TRUE(last->what == to_string(f.is.outcome) || old_word) << last->what;
  EXPECT_EQ(f.load->failed(), 0U) << f.load->first_failure();
  // At least the first three steps were taken, or each TTL's end; at most what the rule allows.
  const std::uint64_t asked = f.questions() - f.questions_before;
  EXPECT_GE(asked, 6U);
  EXPECT_LE(asked, 2 * f.most_questions()) << "A and AAAA";
  const explanation e = f.watched->explain();
  ASSERT_FALSE(e.sets.empty());
  if (!e.sets[0].in_flight) {
    EXPECT_LE(e.sets[0].next_refresh - e.now, f.options.backoff_max);
  }
}

TEST(DnsOutage, HalfAMinuteFailsNoRequestAndEndsWithinOneBackoffStep) {
  outage_world w;
  ASSERT_TRUE(
      w.every([](const follower& f) { return f.serves(false) && f.load->served() > 50; }, 30s));
  for (const auto& f : w.all) {
    f->questions_before = f->questions();
    f->is.begin(f->dns);
  }
  const time_point until = clock::now() + outage;
  ASSERT_TRUE(w.every([&](const follower&) { return clock::now() >= until; }, outage + 30s));
  for (const auto& f : w.all) {
    SCOPED_TRACE(f->is.what);
    expect_last_known_good(*f);
    std::printf("%s: %llu questions in the outage, at most %llu; ",
                f->is.what,
                static_cast<unsigned long long>(f->questions() - f->questions_before),
                static_cast<unsigned long long>(2 * f->most_questions()));
    std::printf("%zu requests, %zu failed\n", f->load->served(), f->load->failed());
  }

  for (const auto& f : w.all) {
    f->asked_until_back = f->asked_for_a();
    f->bring_back();
  }
  // One step, and the question that may be in flight when it begins.
  const auto one_step = std::chrono::ceil<std::chrono::seconds>(watch_options{}.backoff_max +
                                                                discovery_options{}.query_timeout);
  EXPECT_TRUE(run_until(
      w.io,
      [&] {
        bool all = true;
        for (const auto& f : w.all) {
          if (f->asked_until_seen != 0) continue;
          if (f->watched->texts() == f->endpoints(true)) {
            EXPECT_EQ(f->watched->seen().state, freshness::fresh) << f->is.what;
            f->asked_until_seen = f->asked_for_a();
          } else {
            all = false;
          }
        }
        return all;
      },
      one_step));
  EXPECT_TRUE(w.every([](const follower& f) { return f.serves(true); }, 30s));
  for (const auto& f : w.all) {
    SCOPED_TRACE(f->is.what);
    // The first question that the server heard again was enough.
    EXPECT_GE(f->asked_until_seen, f->asked_until_back + 1);
    EXPECT_LE(f->asked_until_seen, f->asked_until_back + 2);
    EXPECT_EQ(f->load->failed(), 0U) << f->load->first_failure();
    EXPECT_EQ(f->client->counters().retries, 0U);
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
