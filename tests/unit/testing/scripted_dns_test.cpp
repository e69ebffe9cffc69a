// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using redial::address;
using redial::answer;
using redial::answer_outcome;
using redial::errc;
using redial::question;
using redial::record_type;
using redial::srv_record;
using redial::testing::scripted_answer;
using redial::testing::scripted_dns;
using redial::testing::simulation;

question q(std::string name, record_type type = record_type::a) {
  question out;
  out.name = std::move(name);
  out.type = type;
  return out;
}

class ScriptedDns : public ::testing::Test {
 protected:
  // Asks and waits for the answer; also notes how long it took.
  answer ask(const question& what) { return ask(dns, what); }
  answer ask(redial::dns_source& source, const question& what) {
    std::optional<answer> got;
    const auto began = sim.now();
    source.ask(what, [&](const answer& a) {
      EXPECT_FALSE(got) << "answered twice";
      got = a;
    });
    EXPECT_FALSE(got) << "answered inline";
    EXPECT_TRUE(sim.run_until([&] { return got.has_value(); }));
    took = sim.now() - began;
    return got.value_or(answer{});
  }

  static std::vector<address> list(const std::vector<std::string>& texts) {
    std::vector<address> out;
    for (const auto& t : texts) out.push_back(redial::parse_address(t).value());
    return out;
  }

  simulation sim;
  scripted_dns dns{sim};
  redial::duration took{};
};

TEST_F(ScriptedDns, AnswersByFamily) {
  dns.set("Api.test.", {"10.0.0.2", "::1", "10.0.0.1", "10.0.0.2"}, 5s);
  const answer a = ask(q("api.test"));
  EXPECT_EQ(a.outcome, answer_outcome::records);
  EXPECT_EQ(a.addresses, list({"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(a.ttl, 5s);
  EXPECT_FALSE(a.error);
  EXPECT_EQ(ask(q("api.test", record_type::aaaa)).addresses, list({"::1"}));
  EXPECT_EQ(took, 0s);
}

TEST_F(ScriptedDns, AFamilyWithoutAddressesHasNoData) {
  dns.set("v4.test", {"10.0.0.1"});
  const answer a = ask(q("v4.test", record_type::aaaa));
  EXPECT_EQ(a.outcome, answer_outcome::no_data);
  EXPECT_EQ(a.error, errc::no_data);
  EXPECT_EQ(a.ttl, 60s);
}

TEST_F(ScriptedDns, WhatWasNeverNamedDoesNotExist) {
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::name_not_found);
  dns.set("x.test", {"10.0.0.1"});
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::records);
  dns.remove("x.test");
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::name_not_found);
}

TEST_F(ScriptedDns, DropsWhatNobodyCanDial) {
  dns.set("x.test", {"0.0.0.0", "10.0.0.1", "255.255.255.255"});
  const answer a = ask(q("x.test"));
  EXPECT_EQ(a.addresses, list({"10.0.0.1"}));
  EXPECT_EQ(a.dropped, 2U);
}

TEST_F(ScriptedDns, FollowsASequence) {
  dns.sequence("r.test", {{"10.0.0.1"}, {"10.0.0.2"}}, 1s);
  EXPECT_EQ(ask(q("r.test")).addresses, list({"10.0.0.1"}));
  EXPECT_EQ(ask(q("r.test")).addresses, list({"10.0.0.2"}));
  EXPECT_EQ(ask(q("r.test")).addresses, list({"10.0.0.2"}));
  dns.sequence("r.test", {{"10.0.0.1"}, {"10.0.0.2"}}, 1s, true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(q("r.test")).addresses, list({"10.0.0.1"}));
    EXPECT_EQ(ask(q("r.test")).addresses, list({"10.0.0.2"}));
  }
}

TEST_F(ScriptedDns, FailsInEveryWay) {
  for (const auto o : {answer_outcome::no_data,
                       answer_outcome::name_not_found,
                       answer_outcome::timeout,
                       answer_outcome::server_failure,
                       answer_outcome::refused,
                       answer_outcome::malformed,
                       answer_outcome::local_fault}) {
    dns.fail("x.test", o);
    const answer a = ask(q("x.test"));
    EXPECT_EQ(a.outcome, o);
    EXPECT_TRUE(a.error);
    EXPECT_TRUE(a.addresses.empty());
  }
  dns.fail("x.test", answer_outcome::timeout, errc::no_dns_servers);
  EXPECT_EQ(ask(q("x.test")).error, errc::no_dns_servers);
}

TEST_F(ScriptedDns, TakesItsTime) {
  dns.set("x.test", {"10.0.0.1"});
  dns.latency(40ms);
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::records);
  EXPECT_EQ(took, 40ms);
  scripted_answer slow;
  slow.addresses = list({"10.0.0.1"});
  slow.latency = 2s;
  dns.set(q("x.test"), slow);
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::records);
  EXPECT_EQ(took, 2s);
}

TEST_F(ScriptedDns, SilenceEndsAtItsOwnDeadline) {
  dns.silence("x.test");
  EXPECT_EQ(ask(q("x.test")).error, errc::dns_timeout);
  EXPECT_EQ(took, 5s);
  dns.give_up_after(1s);
  EXPECT_EQ(ask(q("x.test")).outcome, answer_outcome::timeout);
  EXPECT_EQ(took, 1s);
}

TEST_F(ScriptedDns, ClosingAnswersWhatIsInFlightAndAllThatComesLater) {
  dns.silence("x.test");
  dns.silence("y.test");
  std::vector<answer_outcome> got;
  const auto note = [&](const answer& a) { got.push_back(a.outcome); };
  dns.ask(q("x.test"), note);
  dns.ask(q("y.test"), note);
  EXPECT_EQ(dns.in_flight(), 2U);
  dns.close();
  dns.close();
  EXPECT_TRUE(got.empty());
  dns.ask(q("z.test"), note);
  sim.settle();
  EXPECT_EQ(got, std::vector(3, answer_outcome::closed));
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
}

TEST_F(ScriptedDns, RemembersWhatWasAsked) {
  dns.latency(1s);
  for (int i = 0; i < 3; ++i) dns.ask(q("x.test"), [](const answer&) {});
  EXPECT_EQ(dns.most_in_flight_per_question(), 3U);
  sim.advance(10s);
  EXPECT_EQ(dns.in_flight(), 0U);
  (void)ask(q("x.test", record_type::aaaa));
  EXPECT_EQ(dns.times_asked("X.test."), 4U);
  EXPECT_EQ(dns.times_asked(q("x.test")), 3U);
  EXPECT_EQ(dns.asked().back().at, redial::testing::sim_scheduler::start + 10s);
}

TEST_F(ScriptedDns, SharesItsScript) {
  auto shared = dns.share();
  dns.set("x.test", {"10.0.0.1"});
  EXPECT_EQ(ask(*shared, q("x.test")).outcome, answer_outcome::records);
  EXPECT_EQ(dns.times_asked("x.test"), 1U);
  std::optional<answer_outcome> got;
  dns.silence("x.test");
  shared->ask(q("x.test"), [&](const answer& a) { got = a.outcome; });
  shared.reset();
  sim.settle();
  EXPECT_EQ(got, answer_outcome::closed);
  EXPECT_EQ(ask(q("y.test")).outcome, answer_outcome::name_not_found);
}

TEST_F(ScriptedDns, AnswersSrvAsARealSourceDoes) {
  dns.set_srv(
      "_http._tcp.Calc.test.",
      {{"B.test.", 81, 1, 2}, {"a.test", 80, 2, 9}, {"A.test", 80, 1, 5}, {"a.test", 80, 1, 7}},
      5s);
  const answer a = ask(q("_http._tcp.calc.test", record_type::srv));
  EXPECT_EQ(a.outcome, answer_outcome::records);
  EXPECT_EQ(a.services, (std::vector<srv_record>{{"a.test", 80, 1, 7}, {"b.test", 81, 1, 2}}));
  EXPECT_TRUE(a.addresses.empty());
  EXPECT_EQ(a.ttl, 5s);
  EXPECT_FALSE(a.error);
  EXPECT_EQ(ask(q("_http._tcp.calc.test")).outcome, answer_outcome::name_not_found);
}

TEST_F(ScriptedDns, Fault48And53And54_DropsServicesThatNobodyCanUse) {
  dns.set_srv("x.test", {{"a.test", 0}, {"10.0.0.1", 80}, {".", 80}, {"b.test", 80}});
  EXPECT_EQ(ask(q("x.test", record_type::srv)).services, (std::vector<srv_record>{{"b.test", 80}}));
  EXPECT_EQ(ask(q("x.test", record_type::srv)).dropped, 3U);
  dns.set_srv("x.test", {{"a.test", 0}}, 7s);
  answer none = ask(q("x.test", record_type::srv));
  EXPECT_EQ(none.outcome, answer_outcome::no_data);
  EXPECT_EQ(none.error, errc::no_data);
  EXPECT_EQ(none.ttl, 7s);
  dns.set_srv("x.test", {{".", 0}}, 7s);
  none = ask(q("x.test", record_type::srv));
  EXPECT_EQ(none.outcome, answer_outcome::no_data);
  EXPECT_EQ(none.error, errc::no_service);
  EXPECT_EQ(none.ttl, 7s);
  EXPECT_EQ(none.dropped, 0U);
  dns.set_srv("x.test", {});
  EXPECT_EQ(ask(q("x.test", record_type::srv)).error, errc::no_data);
}

TEST_F(ScriptedDns, FollowsASequenceOfSrvAnswers) {
  const std::vector<srv_record> one{{"a.test", 80}};
  const std::vector<srv_record> two{{"b.test", 80}};
  dns.sequence_srv("x.test", {one, two}, 1s);
  EXPECT_EQ(ask(q("x.test", record_type::srv)).services, one);
  EXPECT_EQ(ask(q("x.test", record_type::srv)).services, two);
  EXPECT_EQ(ask(q("x.test", record_type::srv)).services, two);
  dns.sequence_srv("x.test", {one, two}, 1s, true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(q("x.test", record_type::srv)).services, one);
    EXPECT_EQ(ask(q("x.test", record_type::srv)).services, two);
  }
}

TEST_F(ScriptedDns, AnAnswerHoldsOnlyWhatItsQuestionIsFor) {
  scripted_answer both;
  both.addresses = list({"10.0.0.1"});
  both.services = {{"a.test", 80}};
  dns.set(q("x.test"), both);
  dns.set(q("x.test", record_type::srv), both);
  EXPECT_TRUE(ask(q("x.test")).services.empty());
  EXPECT_EQ(ask(q("x.test")).addresses, both.addresses);
  EXPECT_TRUE(ask(q("x.test", record_type::srv)).addresses.empty());
  EXPECT_EQ(ask(q("x.test", record_type::srv)).services, both.services);
  both.outcome = answer_outcome::timeout;
  dns.set(q("x.test", record_type::srv), both);
  EXPECT_TRUE(ask(q("x.test", record_type::srv)).services.empty());
}

TEST_F(ScriptedDns, SrvFailsAndIsSilentAsTheRest) {
  dns.set_srv("x.test", {{"a.test", 80}});
  dns.fail("x.test", answer_outcome::server_failure);
  EXPECT_EQ(ask(q("x.test", record_type::srv)).error, errc::dns_server_failure);
  dns.silence("x.test");
  EXPECT_EQ(ask(q("x.test", record_type::srv)).outcome, answer_outcome::timeout);
}

TEST_F(ScriptedDns, RefusesWhatIsNoAddress) {
  EXPECT_THROW(dns.set("x.test", {"nonsense"}), std::invalid_argument);
}

}  // namespace
