// SPDX-License-Identifier: Apache-2.0
// The whole library against servers that people run: Knot DNS as the authority, Unbound as a cache
// in front of it, nginx as the backend.

#include <redial/discovery/discovery.hpp>
#include <redial/http/http_client.hpp>
#include <redial/testing/certificates.hpp>

#include "support/dns_servers.hpp"
#include "support/event_wait.hpp"
#include "support/web_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace {

using namespace std::chrono_literals;
using redial::testing::knot_server;
using redial::testing::nginx_options;
using redial::testing::nginx_server;
using redial::testing::run_until;
using redial::testing::unbound_server;

#define REDIAL_NEEDS(server, package) \
  if (!server::is_installed()) GTEST_SKIP() << "needs the package " package

std::shared_ptr<redial::discovery> discovery_at(
    boost::asio::io_context& io,
    const std::string& nameserver,
    const redial::watch_options& watch = {},
    std::shared_ptr<redial::event_listener> listener = nullptr) {
  redial::discovery_options options;
  options.nameservers = {nameserver};
  options.watch = watch;
  options.listener = std::move(listener);
  return redial::discovery::create(io.get_executor(), options);
}

redial::watch_options one_second() {
  redial::watch_options watch;
  watch.ttl_cap = 1s;
  return watch;
}

std::string url(const nginx_server& server) {
  return "http://api.test:" + std::to_string(server.port());
}

struct reply {
  bool done = false;
  redial::error_code error;
  redial::http_response response;

  /// Who answered, or why nobody did.
  [[nodiscard]] std::string text() const {
    return error ? error.message() + "\n" + response.history.text() : response.body;
  }
};

reply get(boost::asio::io_context& io, redial::http_client& client) {
  reply r;
  client.async_get(
      "/", redial::call_options(10s), [&](redial::error_code ec, redial::http_response got) {
        r.error = ec;
        r.response = std::move(got);
        r.done = true;
      });
  EXPECT_TRUE(run_until(io, [&] { return r.done; }));
  return r;
}

TEST(RealServers, ACnameChainAtKnotIsFollowed) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot(
      {"api 60 CNAME middle", "middle 7 CNAME end", "end 60 A 127.0.0.2", "end 60 A 127.0.0.3"});
  boost::asio::io_context io;
  auto names = discovery_at(io, knot.address());
  redial::snapshot_ptr seen;
  auto subscription = names->subscribe(redial::target("http://api.test:80"),
                                       io.get_executor(),
                                       [&](redial::snapshot_ptr s) { seen = std::move(s); });
  ASSERT_TRUE(run_until(io, [&] { return seen && !seen->endpoints.empty(); }));
  ASSERT_EQ(seen->endpoints.size(), 2U);
  EXPECT_EQ(to_string(seen->endpoints[0].where), "127.0.0.2:80");
  EXPECT_EQ(to_string(seen->endpoints[1].where), "127.0.0.3:80");
  // The smallest TTL of the chain is in the middle: 7 s, below the cap of 10 s.
  const auto left = redial::remaining(redial::clock::now(), seen->fresh_until);
  EXPECT_LE(left, 7s);
}

TEST(RealServers, AMissingNameFailsAtOnceAndSaysSo) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"api 60 A 127.0.0.2"});
  boost::asio::io_context io;
  redial::http_client client(
      io.get_executor(), discovery_at(io, knot.address()), "http://missing.test");
  EXPECT_EQ(get(io, client).error, redial::errc::name_not_found);
}

TEST(RealServers, AMoveUnderLoadFailsNoRequest) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  nginx_options o;
  o.addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"};
  nginx_server nginx(o);
  knot_server knot({"api 60 A 127.0.0.2", "api 60 A 127.0.0.3"});
  boost::asio::io_context io;
  redial::http_client client(
      io.get_executor(), discovery_at(io, knot.address(), one_second()), url(nginx));

  int served = 0;
  int failed = 0;
  int on_new_in_a_row = 0;
  std::set<std::string> served_by;
  const auto count = [&](redial::error_code ec, const redial::http_response& r) {
    if (ec) {
      ++failed;
      ADD_FAILURE() << ec.message() << "\n" << r.history.text();
      return;
    }
    ++served;
    served_by.insert(r.body);
    const bool on_new = r.body == "127.0.0.4\n" || r.body == "127.0.0.5\n";
    on_new_in_a_row = on_new ? on_new_in_a_row + 1 : 0;
  };
  // Eight requests in flight, closed loop, until the new addresses have served 200 in a row.
  std::function<void()> next = [&] {
    if (on_new_in_a_row >= 200 || failed > 0) return;
    client.async_get(
        "/", redial::call_options(5s), [&](redial::error_code ec, redial::http_response r) {
          count(ec, r);
          next();
        });
  };
  for (int i = 0; i < 8; ++i) next();
  ASSERT_TRUE(run_until(io, [&] { return served >= 100; }));
  EXPECT_EQ(on_new_in_a_row, 0);
  knot.set_addresses("api", 60, {"127.0.0.4", "127.0.0.5"});
  ASSERT_TRUE(run_until(io, [&] { return on_new_in_a_row >= 200 || failed > 0; }));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(served_by.size(), 4U);
  ASSERT_TRUE(run_until(io, [&] { return client.connection_gauges().endpoints_departed == 0; }));
}

TEST(RealServers, IdleConnectionsSurviveARestartOfTheBackend) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  nginx_options o;
  o.addresses = {"127.0.0.2"};
  nginx_server nginx(o);
  knot_server knot({"api 60 A 127.0.0.2"});
  boost::asio::io_context io;
  redial::http_client client(io.get_executor(), discovery_at(io, knot.address()), url(nginx));
  EXPECT_EQ(get(io, client).text(), "127.0.0.2\n");
  EXPECT_EQ(get(io, client).text(), "127.0.0.2\n");
  EXPECT_EQ(client.connection_counters().opened, 1U);

  nginx.stop();
  nginx.start();
  // Nothing of ours ran meanwhile: the pool still believes in its idle connection.
  EXPECT_EQ(get(io, client).text(), "127.0.0.2\n");
  EXPECT_EQ(client.connection_counters().opened, 2U);
}

TEST(RealServers, OneOfTwoBackendsDownFailsNoRequest) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  nginx_options both;
  both.addresses = {"127.0.0.2", "127.0.0.3"};
  both.port = redial::testing::free_port(both.addresses);
  nginx_options one = both;
  nginx_options other = both;
  one.addresses = {"127.0.0.2"};
  other.addresses = {"127.0.0.3"};
  nginx_server first(one);
  nginx_server second(other);
  knot_server knot({"api 60 A 127.0.0.2", "api 60 A 127.0.0.3"});
  boost::asio::io_context io;
  redial::http_client client(io.get_executor(), discovery_at(io, knot.address()), url(first));
  EXPECT_FALSE(get(io, client).error);
  ASSERT_TRUE(run_until(io, [&] { return client.connection_gauges().endpoints_active == 2; }));
  first.stop();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(get(io, client).text(), "127.0.0.3\n");

  // And it gets its share again when it is back, although the other one could serve all.
  first.start();
  bool back = false;
  ASSERT_TRUE(
      run_until(io, [&] { return back = back || get(io, client).text() == "127.0.0.2\n"; }));
}

struct https_world {
  explicit https_world(const std::vector<std::string>& certificate_names) {
    const auto files = authority.issue_for(certificate_names);
    nginx_options o;
    o.addresses = {"127.0.0.2", "127.0.0.3"};
    o.certificate = files.certificate;
    o.private_key = files.private_key;
    nginx = std::make_unique<nginx_server>(o);
    http.tls.ca_file = authority.ca_file();
  }

  [[nodiscard]] std::string url() const {
    return "https://api.test:" + std::to_string(nginx->port());
  }

  redial::testing::certificate_authority authority;
  std::unique_ptr<nginx_server> nginx;
  knot_server knot{{"api 60 A 127.0.0.2", "api 60 A 127.0.0.3"}};
  boost::asio::io_context io;
  redial::http_options http;
};

TEST(RealServers, HttpsIsVerifiedAgainstTheNameAndFollowsIt) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  https_world w({"api.test"});
  redial::http_client client(
      w.io.get_executor(), discovery_at(w.io, w.knot.address(), one_second()), w.url(), w.http);
  EXPECT_FALSE(get(w.io, client).error);
  ASSERT_TRUE(run_until(w.io, [&] { return client.connection_gauges().endpoints_active == 2; }));
  w.knot.set_addresses("api", 60, {"127.0.0.3"});
  ASSERT_TRUE(run_until(w.io, [&] { return client.connection_gauges().endpoints_active == 1; }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(w.io, client).text(), "127.0.0.3\n");
}

TEST(RealServers, AWrongCertificateIsRefusedAndNoRequestIsSent) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  https_world w({"other.test"});
  redial::http_client client(
      w.io.get_executor(), discovery_at(w.io, w.knot.address()), w.url(), w.http);
  EXPECT_EQ(get(w.io, client).error, redial::errc::tls_name_mismatch);
  EXPECT_EQ(client.connection_counters().opened, 0U);
}

TEST(RealServers, AnUnknownAuthorityIsRefused) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  https_world w({"api.test"});
  w.http.tls.ca_file.clear();  // the system's store does not know ours
  redial::http_client client(
      w.io.get_executor(), discovery_at(w.io, w.knot.address()), w.url(), w.http);
  EXPECT_TRUE(get(w.io, client).error);
  EXPECT_EQ(client.connection_counters().opened, 0U);
}

/// Counts the answers without an address, and how many different cached copies they came from:
/// those of one copy expire at the same instant, give or take the second that TTLs are counted in.
class answers_without : public redial::event_listener {
 public:
  explicit answers_without(const char* address) : address_(*redial::parse_address(address)) {}
  void on_answer(const redial::answer_event& e) override {
    if (e.received.asked.type != redial::record_type::a) return;
    ttls.push_back(e.received.ttl);
    const auto& all = e.received.addresses;
    if (std::find(all.begin(), all.end(), address_) != all.end()) return;
    const auto expires = redial::clock::now() + e.received.ttl;
    if (copies == 0 || expires > expires_ + 1s) ++copies;
    expires_ = expires;
  }
  int copies = 0;
  std::vector<std::chrono::seconds> ttls;

 private:
  redial::address address_;
  redial::time_point expires_{};
};

TEST(RealServers, ACachedAnswerOfUnboundIsNoNewEvidence) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(unbound_server, "unbound");
  std::vector<std::string> all;
  for (int i = 1; i <= 40; ++i) all.push_back("127.0.1." + std::to_string(i));
  std::vector<std::string> records;
  for (const auto& a : all) records.push_back("api 3 A " + a);
  knot_server knot(records);
  unbound_server unbound(knot);
  boost::asio::io_context io;
  auto watch = one_second();
  watch.membership = redial::membership::sampled;
  watch.absence_window = 0s;
  watch.ipv6 = false;
  auto heard = std::make_shared<answers_without>("127.0.1.40");
  auto names = discovery_at(io, unbound.address(), watch, heard);
  redial::snapshot_ptr seen;
  auto subscription = names->subscribe(redial::target("http://api.test:80"),
                                       io.get_executor(),
                                       [&](redial::snapshot_ptr s) { seen = std::move(s); });
  ASSERT_TRUE(run_until(io, [&] { return seen && seen->endpoints.size() == 40; }));

  all.pop_back();
  knot.set_addresses("api", 3, all);
  ASSERT_TRUE(run_until(
      io, [&] { return seen->endpoints.size() == 39; }, 60s));
  // 39 of 40: departed after ln 1e-6 / ln(1 - 39/40), that is 4, independent answers. The cap of 1
  // s made us ask several times per life of Unbound's copy, and all but the first count nothing.
  EXPECT_GE(heard->copies, 4);
  // Unbound's copies count down.
  EXPECT_TRUE(std::any_of(heard->ttls.begin(), heard->ttls.end(), [](auto t) { return t < 3s; }));
}

}  // namespace
