// SPDX-License-Identifier: Apache-2.0
//
// Which servers are asked, and how often: turns, the bound on our own rate, failover, resolv.conf,
// the environment.
#include <redial/testing/sim_scheduler.hpp>

#include "support/dns_client.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

using answers_ptr = std::shared_ptr<dns_client::answers>;

class DnsSourceServers : public ::testing::Test {
 protected:
  DnsSourceServers() {
    first.set("api.test", record_type::a, {"127.0.0.1"});
    second.set("api.test", record_type::a, {"127.0.0.2"});
  }

  // Which server it was.
  static std::string answer_of(const answer& a) {
    return a.addresses.size() == 1 ? a.addresses[0].to_string() : to_string(a.outcome);
  }

  redial::detail::cares_options both(duration query_timeout = 2s) {
    return options_for({first.address(), second.address()}, query_timeout);
  }

  // Asks until `silent` is not asked any more: each question that asks it waits for a timeout. The
  // order changes at most once a second, so this ends after a few.
  static bool leaves(dns_client& client, const dns_server& silent) {
    for (int i = 0; i < 40; ++i) {
      const auto before = silent.queries();
      if (client.ask("api.test").outcome != answer_outcome::records) return false;
      if (silent.queries() == before) return true;
    }
    return false;
  }

  dns_server first;
  dns_server second;
};

TEST_F(DnsSourceServers, Fault75_WaitingForATurnIsNoTimeout) {
  auto o = options_for({first.address()}, 100ms);
  o.max_in_flight = 1;
  dns_manner silent;
  silent.drop = true;
  first.set("slow.test", record_type::a, {"127.0.0.3"});
  first.behave("slow.test", silent);
  dns_client client{o};
  std::vector<answers_ptr> slow;
  for (int i = 0; i < 5; ++i) slow.push_back(client.start("slow.test"));
  const auto got = client.start("api.test");
  client.wait_for(got);
  EXPECT_EQ(got->front().outcome, answer_outcome::records);
  for (const auto& s : slow) {
    ASSERT_THAT(*s, SizeIs(1));
    EXPECT_EQ(s->front().outcome, answer_outcome::timeout);
  }
}

TEST_F(DnsSourceServers, Fault75_TheDeadlineBeginsWithTheTurn) {
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  const auto time = std::make_shared<sim_scheduler>(io);
  auto o = options_for({first.address()}, 5s);
  o.max_in_flight = 1;
  auto source = redial::detail::make_cares_source(strand, o, time);
  first.silence(true);
  int timeouts = 0;
  boost::asio::post(strand, [&] {
    for (int i = 0; i < 3; ++i) {
      source->ask(make_question("api.test"), [&](const answer& a) {
        EXPECT_EQ(a.outcome, answer_outcome::timeout);
        ++timeouts;
      });
    }
  });
  for (int turn = 0; turn < 3; ++turn) {
    time->advance(4900ms);
    EXPECT_EQ(timeouts, turn);
    time->advance(100ms);
    EXPECT_EQ(timeouts, turn + 1);

    ASSERT_TRUE(first.wait_for_queries("api.test", static_cast<std::size_t>(turn) + 1));
  }
}

TEST_F(DnsSourceServers, Fault75_CloseEndsThoseThatWaitForATurn) {
  auto o = options_for({first.address()}, 30s);
  o.max_in_flight = 1;
  first.silence(true);
  dns_client client{o};
  std::vector<answers_ptr> all;
  for (int i = 0; i < 1000; ++i) all.push_back(client.start("api.test"));
  ASSERT_TRUE(run_until(client.io(), [&] { return first.queries() > 0; }));
  boost::asio::post(client.io(), [&] { client.source().close(); });
  for (const auto& got : all) client.wait_for(got);
  for (const auto& got : all) {
    EXPECT_THAT(*got, ElementsAre(Field(&answer::outcome, answer_outcome::closed)));
  }
}

// Time stands still unless told: what the bound holds back is not asked.
TEST_F(DnsSourceServers, Fault75_ABoundOnOurOwnRate) {
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  const auto time = std::make_shared<sim_scheduler>(io);
  auto o = options_for({first.address()});
  o.max_per_second = 1;
  auto source = redial::detail::make_cares_source(strand, o, time);
  std::size_t answered = 0;
  const auto ask = [&] {
    source->ask(make_question("api.test"), [&](const answer& a) {
      EXPECT_EQ(a.outcome, answer_outcome::records);
      ++answered;
    });
  };
  boost::asio::post(strand, [&] {
    for (int i = 0; i < 4; ++i) ask();
  });
  for (std::size_t turn = 1; turn <= 4; ++turn) {
    ASSERT_TRUE(run_until(io, [&] { return answered == turn; }));
    time->settle();
    EXPECT_EQ(first.queries(), turn);
    time->advance(999ms);
    EXPECT_EQ(first.queries(), turn);
    time->advance(1ms);
  }
}

TEST_F(DnsSourceServers, Fault80_ASilentServerIsPaidForOnce) {
  first.silence(true);
  dns_client client{both()};
  std::vector<answers_ptr> at_first;
  for (int i = 0; i < 4; ++i) at_first.push_back(client.start("api.test"));
  for (const auto& got : at_first) client.wait_for(got);
  for (const auto& got : at_first) EXPECT_EQ(answer_of(got->front()), "127.0.0.2");
  const auto paid = first.queries();
  EXPECT_GE(paid, 1u);
  EXPECT_EQ(client.source().rebuilds(), 1u);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.2");
  EXPECT_EQ(first.queries(), paid);
  EXPECT_EQ(client.source().rebuilds(), 1u);
}

TEST_F(DnsSourceServers, Fault80_ItStaysWithTheGoodOneUntilThatFallsSilent) {
  first.silence(true);
  dns_client client{both(1s)};
  EXPECT_TRUE(leaves(client, first));
  first.silence(false);
  const auto paid = first.queries();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.2");
  EXPECT_EQ(first.queries(), paid);
  second.silence(true);
  EXPECT_TRUE(leaves(client, second));
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
}

TEST_F(DnsSourceServers, Fault84_AServerThatRefusesCostsNoTimeout) {
  first.stop();
  dns_client client{both(30s)};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.2");
}

TEST_F(DnsSourceServers, Fault78_OtherServersInResolvConf) {
  temp_dir dir;
  auto o = options_for({}, 30s);
  o.resolv_conf = dir.write("resolv.conf", "nameserver " + first.address() + "\n");
  dns_client client{o};
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");

  // A question in flight on the old channel finishes there.
  first.silence(true);
  const auto old = client.start("api.test");
  ASSERT_TRUE(run_until(client.io(), [&] { return first.queries() == 2; }));
  dir.write("resolv.conf", "nameserver " + second.address() + "\n");
  // While one question is open the change is confirmed without another.
  const auto asked_here = [&] { return second.queries() > 0; };
  const auto limit = clock::now() + 30s;
  std::vector<answers_ptr> more;
  while (!asked_here() && clock::now() < limit) {
    more.push_back(client.start("api.test"));
    (void)run_until(client.io(), asked_here, 1s);
  }
  ASSERT_TRUE(asked_here());
  EXPECT_EQ(client.source().rebuilds(), 1u);
  first.silence(false);
  client.wait_for(old);
  EXPECT_EQ(answer_of(old->front()), "127.0.0.1");
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.2");
}

// A change is confirmed by a timer while a question is open, and no timer is left when none is.
TEST_F(DnsSourceServers, Fault78_AChangeIsConfirmedWithoutAnotherQuestion) {
  temp_dir dir;
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  const auto time = std::make_shared<sim_scheduler>(io);
  auto o = options_for({}, 30s);
  o.resolv_conf = dir.write("resolv.conf", "nameserver " + first.address() + "\n");
  auto source = redial::detail::make_cares_source(strand, o, time);
  int answered = 0;
  const auto ask = [&] {
    boost::asio::post(strand, [&] {
      source->ask(make_question("api.test"), [&](const answer&) { ++answered; });
    });
  };
  ask();
  ASSERT_TRUE(run_until(io, [&] { return answered == 1; }));
  EXPECT_EQ(time->armed_timers(), 0u);
  time->advance(2s);
  dir.write("resolv.conf", "nameserver " + second.address() + "\n");
  time->advance(2s);
  EXPECT_EQ(source->rebuilds(), 0u);  // nobody asks, nobody looks
  first.silence(true);
  ask();
  time->settle();
  ASSERT_TRUE(first.wait_for_queries("api.test", 2));
  time->advance(190ms);
  EXPECT_EQ(source->rebuilds(), 0u);
  time->advance(20ms);
  EXPECT_EQ(source->rebuilds(), 1u);
  source->close();
  time->settle();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(time->armed_timers(), 0u);
}

TEST_F(DnsSourceServers, Fault78_FollowingAFileKeepsNoExecutorAlive) {
  temp_dir dir;
  auto o = options_for({});
  o.resolv_conf = dir.write("resolv.conf", "nameserver " + first.address() + "\n");
  dns_client client{o};
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
  dir.write("resolv.conf", "nameserver " + second.address() + "\n");
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
  client.io().restart();
  client.io().run();
}

TEST_F(DnsSourceServers, ResolvConfMayWantTcp) {
  temp_dir dir;
  auto o = options_for({});
  o.resolv_conf =
      dir.write("resolv.conf", "nameserver " + first.address() + "\noptions use-vc timeout:1\n");
  dns_client client{o};
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
  EXPECT_THAT(first.log(), Each(Field(&dns_query::tcp, true)));
}

// Another value of an environment variable while this lives.
class environment {
 public:
  environment(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~environment() { unsetenv(name_); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

 private:
  const char* name_;
};

TEST_F(DnsSourceServers, Fault73_TheEnvironmentHasNoEffect) {
  temp_dir dir;
  const environment aliases{"HOSTALIASES", dir.write("aliases", "api api.evil.test\n")};
  const environment domain{"LOCALDOMAIN", "evil.test"};
  const environment options{"RES_OPTIONS", "ndots:15 rotate timeout:30 attempts:1"};
  first.set("api", record_type::a, {"127.0.0.1"});
  for (const char* name : {"api.evil.test", "none.evil.test", "api.test.evil.test"}) {
    first.set(name, record_type::a, {"127.6.6.6"});
  }
  dns_client client{options_for({first.address()})};
  EXPECT_EQ(answer_of(client.ask("api")), "127.0.0.1");
  EXPECT_EQ(answer_of(client.ask("none")), "name_not_found");
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
  const auto log = first.log();
  ASSERT_THAT(log, SizeIs(3));
  EXPECT_EQ(log[0].name, "api");
  EXPECT_EQ(log[1].name, "none");
  EXPECT_EQ(log[2].name, "api.test");
  EXPECT_THAT(log, Each(Field(&dns_query::tcp, false)));
}

// Newer c-ares (1.34 for one) goes to TCP when told there, whatever its options say; 1.18.1 does
// not.
TEST_F(DnsSourceServers, Fault73_TheEnvironmentMayAtMostChooseTcp) {
  const environment options{"RES_OPTIONS", "use-vc"};
  dns_client client{options_for({first.address()})};
  EXPECT_EQ(answer_of(client.ask("api.test")), "127.0.0.1");
  EXPECT_EQ(answer_of(client.ask("none.test")), "name_not_found");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
