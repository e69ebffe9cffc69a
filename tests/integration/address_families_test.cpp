// SPDX-License-Identifier: Apache-2.0
// A and AAAA at once: one family that fails never hides the other, and a machine without IPv6 does
// not pay for names that have it.

#include <redial/http/http_client.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/event_wait.hpp"
#include "support/http_farm.hpp"
#include "support/own_network.hpp"
#include "support/watched_target.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;

// --- answers ------------------------------------------------------------------------------------

/// Answers about `type` that were of no use.
std::size_t failures(const watched_target& w, const char* type) {
  return w.events().count([&](const recorded_event& e) {
    return e.kind == event_kind::answer && e.where == type &&
           e.what != to_string(answer_outcome::records);
  });
}

/// Long enough that nobody waits for it by mistake.
watch_options waits_for_the_other_family() {
  watch_options w = every_second();
  w.first_family_wait = 10s;
  return w;
}

TEST(AddressFamilies, Fault43_AFamilyThatFailsDoesNotHoldUpTheOther) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
  dns.fail("api.test", record_type::aaaa, rcode::servfail);
  boost::asio::io_context io;
  watched_target w(io, dns.address(), "http://api.test:80", waits_for_the_other_family());
  ASSERT_TRUE(w.becomes({"127.0.0.2:80"}, 9s));
  EXPECT_EQ(w.seen().state, freshness::fresh);
}

TEST(AddressFamilies, Fault43_AFamilyThatIsSilentHoldsUpTheOtherForAMoment) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
  dns_manner silent;
  silent.drop = true;
  dns.behave("api.test", record_type::aaaa, silent);
  boost::asio::io_context io;
  watched_target w(io, dns.address(), "http://api.test:80");
  ASSERT_TRUE(w.becomes({"127.0.0.2:80"}));
  // The question is still in flight: nobody waited for its end.
  EXPECT_EQ(w.events().count(event_kind::answer, {}, "AAAA"), 0U) << w.events().trace();
}

TEST(AddressFamilies, Fault43_AFamilyThatFailsLaterKeepsItsAddresses) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  dns.set("api.test", record_type::aaaa, {"::1"}, 1s);
  boost::asio::io_context io;
  watched_target w(io, dns.address(), "http://api.test:80");
  ASSERT_TRUE(w.becomes({"127.0.0.2:80", "[::1]:80"}));
  dns.fail("api.test", record_type::aaaa, rcode::servfail);
  dns.set("api.test", record_type::a, {"127.0.0.3"}, 1s);
  ASSERT_TRUE(w.becomes({"127.0.0.3:80", "[::1]:80"}));
  ASSERT_TRUE(run_until(io, [&] { return failures(w, "AAAA") >= 3; })) << w.events().trace();
  EXPECT_THAT(w.texts(), ElementsAre("127.0.0.3:80", "[::1]:80"));
}

TEST(AddressFamilies, Fault44_ASilentFamilyAndAnEmptyOneAreNotAnEmptyName) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);  // AAAA: NODATA
  dns_manner silent;
  silent.drop = true;
  dns.behave("api.test", record_type::a, silent);
  boost::asio::io_context io;
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  o.query_timeout = 200ms;
  http_client client(io.get_executor(), discovery::create(io.get_executor(), o), "http://api.test");
  bool done = false;
  error_code error;
  client.async_get("/", call_options(2s), [&](error_code ec, const http_response&) {
    error = ec;
    done = true;
  });
  // A definite negative would fail at once; a failure is retried until the call's deadline.
  ASSERT_TRUE(run_until(io, [&] { return done; }));
  EXPECT_EQ(error, errc::unresolved) << error.message();
  EXPECT_GE(dns.queries("api.test", record_type::a), 2U);
}

TEST(AddressFamilies, Fault45_ANameThatDoesNotExistInOneFamilyOnlyHasTheOthersAddresses) {
  dns_server dns;
  dns.set("api.test", record_type::aaaa, {"::1"}, 60s);
  dns.fail("api.test", record_type::a, rcode::nxdomain);
  boost::asio::io_context io;
  watched_target w(io, dns.address(), "http://api.test:80");
  ASSERT_TRUE(w.becomes({"[::1]:80"}));
  // Whichever came first, and however often it is said.
  ASSERT_TRUE(run_until(io, [&] { return w.events().count(event_kind::answer, {}, "A") >= 3; }));
  EXPECT_THAT(w.texts(), ElementsAre("[::1]:80"));
}

TEST(AddressFamilies, Fault103_AFamilyThatIsSwitchedOffIsNeverAskedFor) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
  dns.set("api.test", record_type::aaaa, {"::1"}, 60s);
  boost::asio::io_context io;
  auto only_ipv4 = every_second();
  only_ipv4.ipv6 = false;
  watched_target w(io, dns.address(), "http://api.test:80", only_ipv4);
  ASSERT_TRUE(run_until(io, [&] { return dns.queries("api.test", record_type::a) >= 2; }));
  EXPECT_THAT(w.texts(), ElementsAre("127.0.0.2:80"));
  EXPECT_EQ(dns.queries("api.test", record_type::aaaa), 0U);
}

// --- a machine without IPv6 ---------------------------------------------------------------------

/// Cold, with IPv6 first (RFC 8305) and the attempts farther apart than a call may take, unless one
/// fails.
void get_from_a_name_with_both() {
  switch_ipv6_off();
  boost::asio::io_context io;
  http_farm farm(io, {"127.0.0.2"});
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
  dns.set("api.test", record_type::aaaa, {"::1"}, 60s);
  const auto events = std::make_shared<event_recorder>();
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  o.watch.first_family_wait = 10s;
  http_options http;
  http.client.listener = events;
  http.client.pool.warm_stagger = 10s;
  http.client.default_timeout = 9s;
  const std::string port = std::to_string(farm.port());
  http_client client(
      io.get_executor(), discovery::create(io.get_executor(), o), "http://api.test:" + port, http);
  int served = 0;
  for (int i = 0; i < 20; ++i) {
    bool done = false;
    client.async_get("/", [&](error_code ec, const http_response& r) {
      EXPECT_FALSE(ec) << ec.message() << "\n" << r.history.text();
      served += ec ? 0 : 1;
      done = true;
    });
    ASSERT_TRUE(run_until(io, [&] { return done; }));
  }
  EXPECT_EQ(served, 20);
  EXPECT_EQ(client.counters().retries, 0U) << "no call was sent to the address without a way";

  // IPv6 was tried, ended by an error of this machine, and that began the attempt with IPv4.
  const auto told = events->matching(event_is(event_kind::connection));
  ASSERT_GE(told.size(), 4U) << events->trace();
  EXPECT_EQ(told[0].what + " " + told[0].where, "opening [::1]:" + port);
  EXPECT_EQ(told[1].what + " " + told[1].where, "failed [::1]:" + port);
  EXPECT_EQ(told[2].what + " " + told[2].where, "opening 127.0.0.2:" + port);
  EXPECT_EQ(told[3].what + " " + told[3].where, "opened 127.0.0.2:" + port);
  EXPECT_THAT(told[1].error.value(), AnyOf(EADDRNOTAVAIL, ENETUNREACH, EAFNOSUPPORT))
      << told[1].error.message();
  EXPECT_EQ(events->count(event_kind::connection, "opened"), 1U) << "one is kept, and used";
}

/// Nothing else to turn to.
void get_from_a_name_with_ipv6_only() {
  switch_ipv6_off();
  boost::asio::io_context io;
  dns_server dns;
  dns.set("api.test", record_type::aaaa, {"::1"}, 60s);
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  http_client client(
      io.get_executor(), discovery::create(io.get_executor(), o), "http://api.test:80");
  bool done = false;
  client.async_get("/", call_options(3s), [&](error_code ec, const http_response& r) {
    EXPECT_THAT(ec.value(), AnyOf(EADDRNOTAVAIL, ENETUNREACH, EAFNOSUPPORT)) << ec.message() << "\n"
                                                                             << r.history.text();
    done = true;
  });
  ASSERT_TRUE(run_until(io, [&] { return done; }));
}

TEST(AddressFamilies, Fault103_WithoutIpv6ANameWithNothingElseSaysWhy) {
  REDIAL_PASSES_IN_OWN_NETWORK(get_from_a_name_with_ipv6_only);
}

TEST(AddressFamilies, Fault103_WithoutIpv6TheFirstRequestGoesOverIpv4AtOnce) {
  REDIAL_PASSES_IN_OWN_NETWORK(get_from_a_name_with_both);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
