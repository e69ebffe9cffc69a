// SPDX-License-Identifier: Apache-2.0
// Names and services as servers that people run answer for them: Knot DNS, whose zone changes at
// run time; dnsmasq, which a hosts file drives; Unbound as a cache.

#include <redial/dns/hosts_writer.hpp>
#include <redial/http/http_client.hpp>

#include "support/dns_servers.hpp"
#include "support/watched_target.hpp"
#include "support/web_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

#define REDIAL_NEEDS(server, package) \
  if (!server::is_installed()) GTEST_SKIP() << "needs the package " package

using texts = std::vector<std::string>;

/// The `ttl` of every answer that was about `type`, oldest first; from `... ttl 5s`.
std::vector<int> ttls(const watched_target& w, const char* type) {
  std::vector<int> all;
  for (const auto& e : w.events().matching(event_is(event_kind::answer, {}, type))) {
    const auto at = e.detail.rfind("ttl ");
    if (at != std::string::npos) all.push_back(std::stoi(e.detail.substr(at + 4)));
  }
  return all;
}

// --- services -----------------------------------------------------------------------------------

TEST(RealServices, Fault49_50_52_PortsPrioritiesAndWeightsArriveAndAliasesAreFollowed) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"_api._tcp 60 SRV 10 5 8080 node1",
                    "_api._tcp 60 SRV 10 0 8081 node1",
                    "_api._tcp 60 SRV 20 7 8080 alias",
                    "node1 60 A 127.0.0.2",
                    "alias 60 CNAME host2",
                    "host2 60 A 127.0.0.3",
                    "host2 60 AAAA ::1"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "srv://_api._tcp.test");
  EXPECT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/5",
                         "127.0.0.2:8081 (node1.test) 10/0",
                         "127.0.0.3:8080 (alias.test) 20/7",
                         "[::1]:8080 (alias.test) 20/7"}))
      << ::testing::PrintToString(w.texts());
}

TEST(RealServices, ANameWithoutUnderscoresIsAsGood) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"calc 60 SRV 1 1 9000 task1", "task1 60 A 127.0.0.2"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "srv://calc.test");
  EXPECT_TRUE(w.becomes({"127.0.0.2:9000 (task1.test) 1/1"}));
}

TEST(RealServices, TheSmallestTtlOfServiceAndAddressesIsThatOfTheTarget) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"a 60 SRV 1 1 9000 short",
                    "short 3 A 127.0.0.2",
                    "short 3 AAAA ::1",
                    "b 3 SRV 1 1 9000 long",
                    "long 60 A 127.0.0.2",
                    "long 60 AAAA ::1"});
  boost::asio::io_context io;
  for (const char* name : {"srv://a.test", "srv://b.test"}) {
    SCOPED_TRACE(name);
    watched_target w(io, knot.address(), name, watch_options{});
    ASSERT_TRUE(run_until(io, [&] { return w.texts().size() == 2; }));
    EXPECT_LE(remaining(clock::now(), w.seen().fresh_until), 3s);
    EXPECT_GT(w.seen().fresh_until, clock::now() - 30s);
  }
}

TEST(RealServices, AChangedSetIsFollowedAndTheOthersKeepTheirLives) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"_api._tcp 1 SRV 10 5 8080 node1",
                    "_api._tcp 1 SRV 10 5 8080 node2",
                    "node1 60 A 127.0.0.2",
                    "node2 60 A 127.0.0.3",
                    "node3 60 A 127.0.0.4"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "srv://_api._tcp.test");
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/5", "127.0.0.3:8080 (node2.test) 10/5"}));
  const auto before = w.lives();
  // Another weight, another tier and port, and a new target.
  knot.set_records(
      "_api._tcp", 1, "SRV", {"10 9 8080 node1", "20 5 8081 node2", "20 0 8080 node3"});
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/9",
                         "127.0.0.3:8081 (node2.test) 20/5",
                         "127.0.0.4:8080 (node3.test) 20/0"}))
      << ::testing::PrintToString(w.texts());
  EXPECT_EQ(w.lives().at("127.0.0.2:8080 (node1.test)"), before.at("127.0.0.2:8080 (node1.test)"));
  const auto departed =
      w.events().matching(event_is(event_kind::endpoint, to_string(endpoint_change::departed)));
  ASSERT_EQ(departed.size(), 1U) << w.events().trace();
  EXPECT_EQ(departed[0].where, "127.0.0.3:8080 (node2.test)");
}

TEST(RealServices, Fault57_ATargetThatMovesTakesOnlyItsOwnEndpointAlong) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"_api._tcp 60 SRV 10 5 8080 node1",
                    "_api._tcp 60 SRV 10 5 8080 node2",
                    "node1 60 A 127.0.0.2",
                    "node2 60 A 127.0.0.3"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "srv://_api._tcp.test");
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/5", "127.0.0.3:8080 (node2.test) 10/5"}));
  const auto before = w.lives();
  knot.set_addresses("node2", 60, {"127.0.0.4"});
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/5", "127.0.0.4:8080 (node2.test) 10/5"}));
  EXPECT_EQ(w.lives().at("127.0.0.2:8080 (node1.test)"), before.at("127.0.0.2:8080 (node1.test)"));
  EXPECT_EQ(w.changes(endpoint_change::departed), 1U) << w.events().trace();
  EXPECT_EQ(w.changes(endpoint_change::added), 3U);
}

TEST(RealServices, Fault48_TheRootAsTargetMeansNoServiceUntilThereIsOne) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"_api._tcp 1 SRV 0 0 0 .", "node1 60 A 127.0.0.2"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "srv+http://_api._tcp.test");
  ASSERT_TRUE(w.fails_with(errc::no_service));
  EXPECT_TRUE(w.seen().definite);

  http_client client(io.get_executor(), w.names(), "srv+http://_api._tcp.test");
  bool done = false;
  client.async_get("/", call_options(30s), [&](error_code ec, const http_response&) {
    EXPECT_EQ(ec, errc::no_service) << ec.message();
    done = true;
  });
  ASSERT_TRUE(run_until(io, [&] { return done; }));

  knot.set_records("_api._tcp", 1, "SRV", {"0 0 8080 node1"});
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 0/0"}));
  EXPECT_FALSE(w.seen().error);
  // Taken back: the last good ones stay, and the reason is told.
  knot.set_records("_api._tcp", 1, "SRV", {"0 0 0 ."});
  ASSERT_TRUE(w.fails_with(errc::no_service));
  EXPECT_THAT(w.texts(), ElementsAre("127.0.0.2:8080 (node1.test) 0/0"));
}

TEST(RealServices, Fault50_TheSecondTierServesOnlyWhileTheFirstIsDown) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(nginx_server, "nginx-light");
  nginx_options first_options;
  first_options.addresses = {"127.0.0.2", "127.0.0.3"};
  nginx_options second_options;
  second_options.addresses = {"127.0.0.4"};
  nginx_server first(first_options);
  nginx_server second(second_options);
  const auto at = [](const nginx_server& s) { return std::to_string(s.port()); };
  knot_server knot({"_web._tcp 60 SRV 10 1 " + at(first) + " node1",
                    "_web._tcp 60 SRV 10 1 " + at(first) + " node2",
                    "_web._tcp 60 SRV 20 1 " + at(second) + " node3",
                    "node1 60 A 127.0.0.2",
                    "node2 60 A 127.0.0.3",
                    "node3 60 A 127.0.0.4"});
  boost::asio::io_context io;
  discovery_options o;
  o.nameservers = {knot.address()};
  http_client client(
      io.get_executor(), discovery::create(io.get_executor(), o), "srv+http://_web._tcp.test");
  std::string body;
  const auto get = [&] {
    bool done = false;
    client.async_get("/", call_options(10s), [&](error_code ec, const http_response& r) {
      EXPECT_FALSE(ec) << ec.message() << "\n" << r.history.text();
      body = r.body;
      done = true;
    });
    return run_until(io, [&] { return done; });
  };
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(get());
    ASSERT_NE(body, "127.0.0.4\n");
  }
  first.stop();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(get());
    ASSERT_EQ(body, "127.0.0.4\n");
  }
  first.start();
  for (int i = 0; i < 20'000 && body == "127.0.0.4\n"; ++i) ASSERT_TRUE(get());
  EXPECT_NE(body, "127.0.0.4\n") << "the first tier is back";
}

TEST(RealServices, ThroughACacheTheTtlCountsDownAndAChangeIsFollowed) {
  REDIAL_NEEDS(knot_server, "knot");
  REDIAL_NEEDS(unbound_server, "unbound");
  knot_server knot({"_api._tcp 4 SRV 10 5 8080 node1", "node1 60 A 127.0.0.2"});
  unbound_server unbound(knot);
  boost::asio::io_context io;
  watched_target w(io, unbound.address(), "srv://_api._tcp.test");
  ASSERT_TRUE(w.becomes({"127.0.0.2:8080 (node1.test) 10/5"}));
  // The smallest TTL, that of the service, as old as the cache's copy is; and our cap.
  EXPECT_LE(remaining(clock::now(), w.seen().fresh_until), 1s);
  ASSERT_TRUE(run_until(io, [&] { return ttls(w, "SRV").size() >= 3; }));
  const auto heard = ttls(w, "SRV");
  EXPECT_LE(heard.front(), 4);
  EXPECT_TRUE(std::any_of(heard.begin(), heard.end(), [](int t) { return t < 4; }));
  knot.set_records("_api._tcp", 4, "SRV", {"10 5 8081 node1"});
  EXPECT_TRUE(w.becomes({"127.0.0.2:8081 (node1.test) 10/5"}));
}

// --- names --------------------------------------------------------------------------------------

texts fifty(int first = 1) {
  texts all;
  for (int i = first; i <= 50; ++i) all.push_back("127.0.1." + std::to_string(i));
  return all;
}

TEST(RealNames, OneTakenOutOfFiftyDepartsWithTheNextAnswer) {
  REDIAL_NEEDS(knot_server, "knot");
  texts records;
  for (const auto& a : fifty()) records.push_back("api 5 A " + a);
  knot_server knot(records);
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "http://api.test:80");
  ASSERT_TRUE(run_until(io, [&] { return w.texts().size() == 50; }));
  EXPECT_FALSE(w.seen().rotating);
  knot.remove_record("api", "A", "127.0.1.1");
  ASSERT_TRUE(run_until(io, [&] { return w.texts().size() == 49; }));
  const auto without = w.events().count([](const recorded_event& e) {
    return e.kind == event_kind::answer && e.where == "A" &&
           e.detail.find("127.0.1.1 ") == std::string::npos;
  });
  EXPECT_EQ(without, 1U) << w.events().trace();
  EXPECT_EQ(w.changes(endpoint_change::absent), 0U);
  EXPECT_EQ(w.changes(endpoint_change::departed), 1U);
}

TEST(RealNames, ARoleThatMovesAndComesBackIsFollowedAtOnceEachTime) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"primary 1 A 127.0.0.2"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "tcp://primary.test:5432");
  ASSERT_TRUE(w.becomes({"127.0.0.2:5432"}));
  const auto first_life = w.seen().endpoints[0].life;
  knot.set_addresses("primary", 1, {"127.0.0.3"});
  ASSERT_TRUE(w.becomes({"127.0.0.3:5432"}));
  knot.set_addresses("primary", 1, {"127.0.0.2"});
  ASSERT_TRUE(w.becomes({"127.0.0.2:5432"}));
  EXPECT_NE(w.seen().endpoints[0].life, first_life);
  EXPECT_EQ(w.changes(endpoint_change::departed), 2U);
  EXPECT_EQ(w.changes(endpoint_change::absent), 0U) << "never two roles at once";
}

TEST(RealNames, Fault38_39_NegativeAnswersLastAsLongAsTheSoaSays) {
  REDIAL_NEEDS(knot_server, "knot");
  // The zone's SOA has a minimum of 5 s.
  knot_server knot({"empty 60 TXT nothing"});
  boost::asio::io_context io;
  watched_target missing(io, knot.address(), "http://missing.test:80", watch_options{});
  watched_target empty(io, knot.address(), "http://empty.test:80", watch_options{});
  ASSERT_TRUE(missing.fails_with(errc::name_not_found));
  ASSERT_TRUE(empty.fails_with(errc::no_data));
  for (watched_target* w : {&missing, &empty}) {
    EXPECT_TRUE(w->seen().definite);
    EXPECT_THAT(ttls(*w, "A"), ElementsAre(5));
    const explanation e = w->explain();
    ASSERT_FALSE(e.sets.empty());
    ASSERT_EQ(e.sets[0].last_answers.size(), 1U);
    const duration pause = e.sets[0].next_refresh - e.sets[0].last_answers[0].at;
    EXPECT_GE(pause, 5s);
    EXPECT_LE(pause, 5500ms);
  }
  knot.set_addresses("missing", 60, {"127.0.0.2"});
  knot.set_addresses("empty", 60, {"127.0.0.3"});
  EXPECT_TRUE(missing.becomes({"127.0.0.2:80"}));
  EXPECT_TRUE(empty.becomes({"127.0.0.3:80"}));
}

TEST(RealNames, AFamilyThatIsTakenAwayIsGoneTheLastOneIsKept) {
  REDIAL_NEEDS(knot_server, "knot");
  knot_server knot({"both 1 A 127.0.0.2", "both 1 AAAA ::1", "both 1 TXT stays"});
  boost::asio::io_context io;
  watched_target w(io, knot.address(), "http://both.test:80");
  ASSERT_TRUE(w.becomes({"127.0.0.2:80", "[::1]:80"}));
  knot.set_records("both", 1, "A", {});
  ASSERT_TRUE(w.becomes({"[::1]:80"}));
  EXPECT_FALSE(w.seen().error);
  knot.set_records("both", 1, "AAAA", {});
  ASSERT_TRUE(w.fails_with(errc::no_data));
  EXPECT_THAT(w.texts(), ElementsAre("[::1]:80"));
}

// --- dnsmasq ------------------------------------------------------------------------------------

/// As a program that edits the file does, then tells dnsmasq.
void write(dnsmasq_server& server, const char* name, const texts& addresses) {
  hosts_update update;
  update.path = server.hosts_path();
  for (const auto& a : addresses) update.hosts[name].push_back(*parse_address(a));
  const error_code ec = write_hosts(update);
  ASSERT_FALSE(ec) << ec.message();
  server.reload();
}

TEST(RealHostsFile, WhatDnsmasqReadsFromItIsFollowed) {
  REDIAL_NEEDS(dnsmasq_server, "dnsmasq-base");
  dnsmasq_server server("127.0.0.2 api.test\n", 1);
  boost::asio::io_context io;
  watched_target w(io, server.address(), "http://api.test:80");
  ASSERT_TRUE(w.becomes({"127.0.0.2:80"}));
  write(server, "api.test", {"127.0.0.2", "127.0.0.3"});
  ASSERT_TRUE(w.becomes({"127.0.0.2:80", "127.0.0.3:80"}));
  write(server, "api.test", {"127.0.0.3"});
  ASSERT_TRUE(w.becomes({"127.0.0.3:80"}));
  write(server, "api.test", {"127.0.0.4", "::1"});
  ASSERT_TRUE(w.becomes({"127.0.0.4:80", "[::1]:80"}));
  EXPECT_EQ(w.changes(endpoint_change::absent), 0U);
}

TEST(RealHostsFile, Fault39_40_ANameThatComesIsFoundAndOneThatGoesIsKept) {
  REDIAL_NEEDS(dnsmasq_server, "dnsmasq-base");
  dnsmasq_server server("127.0.0.9 other.test\n", 1);
  boost::asio::io_context io;
  auto believing = every_second();
  believing.on_name_not_found = on_failure::believe;
  watched_target keeps(io, server.address(), "http://api.test:80");
  watched_target believes(io, server.address(), "http://api.test:80", believing);
  // dnsmasq's NXDOMAIN has no SOA.
  ASSERT_TRUE(keeps.fails_with(errc::name_not_found));
  EXPECT_EQ(ttls(keeps, "A").front(), 0);
  write(server, "api.test", {"127.0.0.2"});
  ASSERT_TRUE(keeps.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(believes.becomes({"127.0.0.2:80"}));
  std::ofstream(server.hosts_path()) << "127.0.0.9 other.test\n";
  server.reload();
  ASSERT_TRUE(keeps.fails_with(errc::name_not_found));
  EXPECT_THAT(keeps.texts(), ElementsAre("127.0.0.2:80"));
  ASSERT_TRUE(believes.fails_with(errc::name_gone));
  EXPECT_THAT(believes.texts(), ElementsAre());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
