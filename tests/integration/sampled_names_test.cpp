// SPDX-License-Identifier: Apache-2.0
// Names with more addresses than an answer shows, for a real minute and under load: each answer is
// a random sample of eight, asked for directly or through Unbound. Sampling must neither open nor
// close a connection.

#include <redial/discovery/discovery.hpp>
#include <redial/http/http_client.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/dns_servers.hpp"
#include "support/event_wait.hpp"
#include "support/http_farm.hpp"
#include "support/steady_load.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t sample_size = 8;
constexpr auto run_time = 60s;

struct scenario {
  const char* name;  ///< The first label of the DNS name too.
  int size;
  std::chrono::seconds ttl;
  bool cached;
  duration cap;
};

// The last one asks some twenty times for each copy in the cache: whoever takes a copy for news has
// "evidence" enough after a few seconds.
const std::vector<scenario> scenarios{{"direct20", 20, 5s, false, 10s},
                                      {"direct50", 50, 5s, false, 10s},
                                      {"cached20", 20, 60s, true, 10s},
                                      {"cached50", 50, 60s, true, 10s},
                                      {"copies20", 20, 20s, true, 1s}};

std::vector<std::string> addresses_of(std::size_t number) {
  std::vector<std::string> all;
  for (int i = 1; i <= scenarios[number].size; ++i) {
    all.push_back("127." + std::to_string(20 + number) + ".0." + std::to_string(i));
  }
  return all;
}

/// What was told about one name.
class tally : public event_listener {
 public:
  void on_answer(const answer_event& e) override {
    if (e.received.asked.type != record_type::a) return;
    if (e.received.outcome != answer_outcome::records) {
      ++failures;
      return;
    }
    ++answers;
    if (e.received.addresses != last_) ++samples;
    last_ = e.received.addresses;
    for (const address& a : last_) shown.insert(a.to_string());
    largest = std::max(largest, last_.size());
  }
  void on_endpoint(const endpoint_event& e) override { ++endpoints[e.change]; }
  void on_connection(const connection_event& e) override {
    ++connections[e.change];
    if (e.change == connection_change::closed) ++closed[to_string(e.reason)];
  }

  std::size_t answers = 0;
  std::size_t samples = 0;  // answers that differed from the one before
  std::size_t failures = 0;
  std::size_t largest = 0;
  std::set<std::string> shown;
  std::map<endpoint_change, std::size_t> endpoints;
  std::map<connection_change, std::size_t> connections;
  std::map<std::string, std::size_t> closed;

 private:
  std::vector<address> last_;
};

/// A client of one name, under load.
class sampled_client {
 public:
  sampled_client(boost::asio::io_context& io,
                 const scenario& s,
                 const std::string& nameserver,
                 const http_farm& farm)
      : is(s),
        farm_(farm),
        url_("http://" + std::string(s.name) + ".test:" + std::to_string(farm.port())) {
    discovery_options o;
    o.nameservers = {nameserver};
    o.hosts_path = "";
    o.watch.ttl_cap = s.cap;
    o.listener = heard;
    names_ = discovery::create(io.get_executor(), o);
    http_options http;
    http.client.listener = heard;
    // One connection per address: the count says exactly how many lives were begun.
    http.client.pool.max_connections = 1;
    client_ = std::make_unique<http_client>(io.get_executor(), names_, url_, http);
    load = std::make_unique<steady_load>(io, *client_, 5ms, 4);
    load->start();
  }

  /// Every address that an answer has shown has a connection and has served.
  [[nodiscard]] bool is_settled() const {
    return heard->samples >= 2 && opened() >= heard->shown.size() && serving() == shown();
  }
  [[nodiscard]] std::uint64_t opened() const { return client_->connection_counters().opened; }
  [[nodiscard]] std::size_t shown() const { return heard->shown.size(); }
  [[nodiscard]] std::size_t serving() const {
    return static_cast<std::size_t>(
        std::count_if(heard->shown.begin(), heard->shown.end(), [&](const auto& a) {
          return farm_.at(a).requests > 0;
        }));
  }

  void print() const {
    const auto c = client_->connection_counters();
    std::string reasons;
    for (const auto& [reason, n] : heard->closed) reasons += " " + reason + ":" + std::to_string(n);
    std::printf(
        "%s: %zu answers, %zu samples, %zu of %d addresses shown; %llu opened, %llu closed%s, "
        "%zu absences, %zu departed; %zu requests, %zu failed\n",
        is.name,
        heard->answers,
        heard->samples,
        shown(),
        is.size,
        static_cast<unsigned long long>(c.opened),
        static_cast<unsigned long long>(c.closed),
        reasons.c_str(),
        heard->endpoints[endpoint_change::absent],
        heard->endpoints[endpoint_change::departed],
        load->served(),
        load->failed());
  }

  /// Sampling opened nothing but the first connection to each address, and closed nothing.
  void expect_undisturbed(const std::vector<std::string>& addresses) const {
    const auto c = client_->connection_counters();
    EXPECT_EQ(c.opened, shown());
    EXPECT_EQ(c.connects, shown());
    EXPECT_EQ(c.closed, 0U);
    EXPECT_EQ(heard->connections[connection_change::closed], 0U);
    EXPECT_EQ(heard->endpoints[endpoint_change::added], shown());
    EXPECT_EQ(heard->endpoints[endpoint_change::departed], 0U);
    EXPECT_EQ(heard->endpoints[endpoint_change::drained], 0U);
    EXPECT_GT(heard->endpoints[endpoint_change::absent], 0U) << "the answers were no samples";
    EXPECT_EQ(client_->connection_gauges().endpoints_active, shown());
    std::size_t accepted = 0;
    for (const auto& a : addresses) {
      accepted += farm_.at(a).accepted;
      EXPECT_EQ(farm_.at(a).closed, 0U) << a;
      EXPECT_EQ(farm_.at(a).requests > 0, heard->shown.count(a) > 0) << a;
    }
    EXPECT_EQ(accepted, shown());
    EXPECT_EQ(load->failed(), 0U) << load->first_failure();
    EXPECT_GT(load->served(), 1000U);
    EXPECT_EQ(client_->counters().retries, 0U);
  }

  /// An address was missed by at most as many statements as there were.
  void expect_copies_counted_once(boost::asio::io_context& io) const {
    bool done = false;
    explanation e;
    names_->async_explain(target(url_), [&](explanation got) {
      e = std::move(got);
      done = true;
    });
    ASSERT_TRUE(run_until(io, [&] { return done; }));
    ASSERT_EQ(e.endpoints.size(), shown());
    for (const auto& known : e.endpoints) {
      EXPECT_LT(known.missed, heard->samples) << to_string(known.where);
    }
    ASSERT_FALSE(e.sets.empty());
    EXPECT_TRUE(e.sets[0].rotating);
  }

  const scenario& is;
  std::shared_ptr<tally> heard = std::make_shared<tally>();
  std::unique_ptr<steady_load> load;

 private:
  const http_farm& farm_;
  std::string url_;
  std::shared_ptr<discovery> names_;
  std::unique_ptr<http_client> client_;
};

class sampled_world {
 public:
  sampled_world() : farm(io, everybody()) {
    dns.set_soa("test", 60s, 60s);
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      const scenario& s = scenarios[i];
      const std::string name = std::string(s.name) + ".test";
      dns.set(name, record_type::a, addresses_of(i), s.ttl);
      dns.sample(name, record_type::a, sample_size);
    }
  }
  ~sampled_world() {
    for (const auto& c : clients) c->load->stop();
    (void)run_until(io, [&] {
      return std::all_of(
          clients.begin(), clients.end(), [](const auto& c) { return c->load->in_flight() == 0; });
    });
  }

  static std::vector<std::string> everybody() {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      const auto some = addresses_of(i);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  boost::asio::io_context io;
  dns_server dns;
  unbound_server unbound{dns.port()};
  http_farm farm;
  std::vector<std::unique_ptr<sampled_client>> clients;
};

TEST(SampledNames, AMinuteOfSamplesOpensAndClosesNothing) {
  if (!unbound_server::is_installed()) GTEST_SKIP() << "needs the package unbound";
  sampled_world w;
  for (const scenario& s : scenarios) {
    w.clients.push_back(std::make_unique<sampled_client>(
        w.io, s, s.cached ? w.unbound.address() : w.dns.address(), w.farm));
  }
  const time_point until = clock::now() + run_time;
  ASSERT_TRUE(run_until(
      w.io,
      [&] {
        return clock::now() >= until && std::all_of(w.clients.begin(),
                                                    w.clients.end(),
                                                    [](const auto& c) { return c->is_settled(); });
      },
      run_time + 60s));

  for (std::size_t i = 0; i < w.clients.size(); ++i) {
    const sampled_client& c = *w.clients[i];
    SCOPED_TRACE(c.is.name);
    c.print();
    c.expect_undisturbed(addresses_of(i));
    c.expect_copies_counted_once(w.io);
    EXPECT_EQ(c.heard->failures, 0U);
    EXPECT_EQ(c.heard->largest, sample_size);
    if (c.is.cached) {
      EXPECT_GT(c.heard->answers, c.heard->samples) << "no copy came twice";
    } else {
      EXPECT_EQ(c.heard->answers, c.heard->samples);
      // Ten samples show an address of 50 with a probability of 0.83.
      EXPECT_GE(c.shown(), c.is.size == 20 ? 17U : 30U);
    }
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
