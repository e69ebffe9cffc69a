// SPDX-License-Identifier: Apache-2.0
// A and AAAA at once: one family that fails never hides the other, and a machine without IPv6 does
// not pay for names that have it.

#include <redial/http/http_client.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/event_wait.hpp"
#include "support/http_farm.hpp"
#include "support/watched_target.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

namespace redial::testing {
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

/// Moves this process, which has no other thread, into a network of its own: loopback without IPv6.
/// What cannot be done, or empty.
std::string leave_ipv6() {
  // Whoever is not root is it in a user namespace, where the system permits those.
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return std::string("unshare: ") + std::strerror(errno);
  }
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq lo{};
  std::strncpy(lo.ifr_name, "lo", sizeof lo.ifr_name - 1);
  lo.ifr_flags = IFF_UP | IFF_RUNNING;
  const int up = ::ioctl(s, SIOCSIFFLAGS, &lo);
  const int why = errno;
  ::close(s);
  if (up != 0) return std::string("loopback: ") + std::strerror(why);
  for (const char* which : {"all", "default", "lo"}) {
    const std::string path = std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6";
    if (::access(path.c_str(), F_OK) != 0) continue;  // a kernel without IPv6 is as good
    std::ofstream file(path);
    if (!(file << "1\n" << std::flush)) return "cannot write " + path;
  }
  return {};
}

constexpr int not_permitted = 77;

/// Runs `body` in a child process without IPv6. Its failures are printed there; the exit status
/// says whether there were any, or that it is `not_permitted`.
int run_without_ipv6(const std::function<void()>& body) {
  std::fflush(nullptr);  // else the child would print it again
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string reason = leave_ipv6();
    if (reason.empty()) body();
    if (!reason.empty()) std::fprintf(stderr, "%s\n", reason.c_str());
    std::fflush(nullptr);
    ::_exit(!reason.empty() ? not_permitted : ::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define REDIAL_PASSES_WITHOUT_IPV6(body)                                        \
  const int status = run_without_ipv6(body);                                    \
  if (status == not_permitted) {                                                \
    GTEST_SKIP() << "needs a network namespace of its own, which is forbidden"; \
  }                                                                             \
  EXPECT_EQ(status, 0)

/// Cold, with IPv6 first (RFC 8305) and the attempts farther apart than a call may take, unless one
/// fails.
void get_from_a_name_with_both() {
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
  REDIAL_PASSES_WITHOUT_IPV6(get_from_a_name_with_ipv6_only);
}

TEST(AddressFamilies, Fault103_WithoutIpv6TheFirstRequestGoesOverIpv4AtOnce) {
  REDIAL_PASSES_WITHOUT_IPV6(get_from_a_name_with_both);
}

}  // namespace
}  // namespace redial::testing
