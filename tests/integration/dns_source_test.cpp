// SPDX-License-Identifier: Apache-2.0
//
// c-ares against a server that answers badly: what every fault of a message or of a server looks
// like from above. Where c-ares versions differ the test accepts both and says so.
#include "support/dns_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

address ip(const std::string& text) { return boost::asio::ip::make_address(text); }

MATCHER(IsTransient, "") { return !is_definite(arg.outcome) && arg.error; }

class DnsSource : public ::testing::Test {
 protected:
  DnsSource() {
    dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"}, 60s);
    dns.set("api.test", record_type::aaaa, {"::1"}, 30s);
    dns.set("good.test", record_type::a, {"127.0.0.9"}, 60s);
  }

  redial::detail::cares_options options(duration query_timeout = 5s) {
    return options_for({dns.address()}, query_timeout);
  }

  void misbehave(const dns_manner& m) { dns.behave("api.test", m); }
  void misbehave(dns_defect d, bool right_one_follows = false) {
    dns_manner m;
    m.defect = d;
    m.right_one_follows = right_one_follows;
    misbehave(m);
  }
  void truncate() {
    dns_manner m;
    m.truncate = true;
    misbehave(m);
  }

  void expect_records(const answer& a) {
    EXPECT_EQ(a.outcome, answer_outcome::records);
    EXPECT_FALSE(a.error) << a.error.message();
    EXPECT_THAT(a.addresses, ElementsAre(ip("127.0.0.2"), ip("127.0.0.3")));
  }

  // In the order of their first query.
  std::vector<std::string> asked_names() {
    std::vector<std::string> names;
    for (const auto& q : dns.log()) {
      if (std::find(names.begin(), names.end(), q.name) == names.end()) names.push_back(q.name);
    }
    return names;
  }

  dns_server dns;
};

TEST_F(DnsSource, AnswersBothFamiliesSeparately) {
  dns_client client{options()};
  const auto a = client.ask("api.test");
  expect_records(a);
  EXPECT_EQ(a.ttl, 60s);
  EXPECT_EQ(a.asked, make_question("api.test"));
  const auto aaaa = client.ask("api.test", record_type::aaaa);
  EXPECT_THAT(aaaa.addresses, ElementsAre(ip("::1")));
  EXPECT_EQ(aaaa.ttl, 30s);
}

TEST_F(DnsSource, EveryQuestionReachesTheServer) {
  dns_client client{options()};
  for (int i = 0; i < 5; ++i) expect_records(client.ask("api.test"));
  EXPECT_EQ(dns.queries("api.test"), 5u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ask("none.test").outcome, answer_outcome::name_not_found);
  }
  EXPECT_EQ(dns.queries("none.test"), 3u);
}

TEST_F(DnsSource, Fault85_ServerOnIpv6AndAnyPort) {
  dns_server_options v6;
  v6.address = "::1";
  dns_server other{v6};
  other.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"});
  dns_client client{options_for({other.address()})};
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault1To5And7And11_BrokenMessagesEndSoftly) {
  for (const auto defect : {dns_defect::short_header,
                            dns_defect::empty,
                            dns_defect::lying_count,
                            dns_defect::pointer_loop,
                            dns_defect::cut_record,
                            dns_defect::no_question}) {
    dns_client client{options(1s)};
    misbehave(defect);
    EXPECT_THAT(client.ask("api.test"), IsTransient()) << static_cast<int>(defect);
    misbehave(dns_manner{});
    expect_records(client.ask("api.test"));
  }
}

TEST_F(DnsSource, Fault9And10_ResponsesToOthersAreIgnored) {
  dns_client client{options()};
  for (const auto defect : {dns_defect::wrong_id, dns_defect::wrong_name, dns_defect::wrong_type}) {
    misbehave(defect, true);
    expect_records(client.ask("api.test"));
  }
  dns_client hurried{options(300ms)};
  misbehave(dns_defect::wrong_name);
  EXPECT_THAT(hurried.ask("api.test"), IsTransient());
}

TEST_F(DnsSource, Fault12And13And15_HeadersAndClassesThatAreWrong) {
  dns_client client{options()};
  for (const auto defect : {dns_defect::not_a_response, dns_defect::wrong_opcode}) {
    misbehave(defect);
    EXPECT_THAT(client.ask("api.test"), IsTransient());
  }
  // One record of class CH, one of class IN.
  misbehave(dns_defect::wrong_class);
  EXPECT_THAT(client.ask("api.test").addresses, SizeIs(1));
}

TEST_F(DnsSource, Fault14_TrailingBytes) {
  dns_client client{options()};
  dns_manner m;
  m.trailing = 11;
  misbehave(m);
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault17And36_LargeAnswers) {
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  dns.set("big.test", record_type::a, many);
  dns.set("medium.test", record_type::a, {many.begin(), many.begin() + 100});
  dns_manner over_udp;
  over_udp.oversize = true;
  dns.behave("medium.test", over_udp);
  dns_client client{options()};
  EXPECT_THAT(client.ask("medium.test").addresses, SizeIs(100));
  // This one comes over TCP.
  EXPECT_THAT(client.ask("big.test").addresses, SizeIs(1000));
  EXPECT_TRUE(dns.log().back().tcp);
}

TEST_F(DnsSource, Fault18_TruncatedAnswersComeOverTcp) {
  truncate();
  dns_client client{options()};
  expect_records(client.ask("api.test"));
  EXPECT_TRUE(dns.log().back().tcp);
}

TEST_F(DnsSource, Fault19_TcpRefused) {
  truncate();
  dns.tcp(tcp_manner::refuse);
  dns_client client{options()};
  EXPECT_THAT(client.ask("api.test"), IsTransient());
  dns.tcp(tcp_manner::serve);
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault20_TcpMute) {
  truncate();
  dns.tcp(tcp_manner::mute);
  dns_client client{options(300ms)};
  const auto got = client.ask("api.test");
  EXPECT_EQ(got.outcome, answer_outcome::timeout);
  EXPECT_THAT(got, IsTransient());
}

TEST_F(DnsSource, Fault21_TcpCutInTheMiddle) {
  truncate();
  dns.tcp(tcp_manner::cut);
  dns_client client{options(2s)};
  EXPECT_THAT(client.ask("api.test"), IsTransient());
  dns.tcp(tcp_manner::serve);
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault22_TcpByteByByte) {
  truncate();
  dns.tcp(tcp_manner::drip);
  dns_client client{options()};
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault28And33_ChainsAndStrangers) {
  dns.set_cname("www.test", "api.test", 5s);
  dns.order("www.test", record_type::a, record_order::reversed);
  dns.set_records("mixed.test",
                  record_type::a,
                  {make_address_record("evil.test", ip("127.6.6.6")),
                   make_address_record("mixed.test", ip("127.0.0.4"))});
  dns.set_records(
      "alien.test", record_type::a, {make_address_record("evil.test", ip("127.6.6.6"))});
  dns_client client{options()};
  const auto chained = client.ask("www.test");
  expect_records(chained);
  EXPECT_EQ(chained.ttl, 5s);
  EXPECT_THAT(client.ask("mixed.test").addresses, ElementsAre(ip("127.0.0.4")));
  EXPECT_THAT(client.ask("alien.test").addresses, IsEmpty());
}

TEST_F(DnsSource, Fault38To40_NegativeAnswersAreDefinite) {
  dns_client client{options()};
  EXPECT_EQ(client.ask("none.test").ttl, 0s);
  dns.set_soa("test", 900s, 7s);
  const auto none = client.ask("none.test");
  EXPECT_EQ(none.outcome, answer_outcome::name_not_found);
  EXPECT_EQ(none.error, errc::name_not_found);
  EXPECT_EQ(none.ttl, 7s);
  const auto no_data = client.ask("good.test", record_type::aaaa);
  EXPECT_EQ(no_data.outcome, answer_outcome::no_data);
  EXPECT_EQ(no_data.error, errc::no_data);
  EXPECT_EQ(no_data.ttl, 7s);
}

// c-ares 1.18.1 says ECONNREFUSED for three of them and keeps the bytes to itself.
TEST_F(DnsSource, Fault41And42_ResponseCodes) {
  dns_client client{options()};
  for (const auto code :
       {rcode::servfail, rcode::refused, rcode::notimp, rcode::formerr, rcode{9}}) {
    dns.fail("api.test", code);
    const auto got = client.ask("api.test");
    EXPECT_THAT(got, IsTransient());
    EXPECT_THAT(got.outcome, AnyOf(answer_outcome::server_failure, answer_outcome::refused));
    EXPECT_EQ(got.error, condition::retryable);
  }
}

TEST_F(DnsSource, Fault41_TheNextServerIsAsked) {
  dns_server first;
  first.fail("api.test", rcode::servfail);
  dns_client client{options_for({first.address(), dns.address()})};
  expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault43_OneFamilyDoesNotWaitForTheOther) {
  dns_manner silent;
  silent.drop = true;
  dns.behave("api.test", record_type::aaaa, silent);
  dns_client client{options()};
  const auto aaaa = client.start("api.test", record_type::aaaa);
  expect_records(client.ask("api.test"));
  EXPECT_THAT(*aaaa, IsEmpty());
}

TEST_F(DnsSource, Fault59_LateResponsesAreForgotten) {
  std::promise<void> timed_out;
  dns.raw(
      "api.test", record_type::a, [&, late = timed_out.get_future().share()](const auto& query) {
        late.wait();
        auto response = query;
        response[2] |= 0x80;
        return response;
      });
  dns_client client{options(100ms)};
  const auto first = client.start("api.test");
  client.wait_for(first);
  EXPECT_EQ(first->front().outcome, answer_outcome::timeout);
  timed_out.set_value();
  // The server answers in order: when this one has come, the late one has, too.
  dns_client patient{options()};
  EXPECT_THAT(patient.ask("good.test").addresses, ElementsAre(ip("127.0.0.9")));
  client.poll();
  dns.raw("api.test", record_type::a, nullptr);
  const auto second = client.start("api.test");
  client.wait_for(second);
  EXPECT_THAT(*first, SizeIs(1));
  EXPECT_THAT(*second, SizeIs(1));
}

TEST_F(DnsSource, Fault60_DuplicateResponses) {
  dns_manner m;
  m.copies = 3;
  misbehave(m);
  dns_client client{options()};
  const auto first = client.start("api.test");
  expect_records(client.ask("api.test"));
  expect_records(client.ask("api.test"));
  EXPECT_THAT(*first, SizeIs(1));
}

TEST_F(DnsSource, Fault75_QuestionsBeyondTheCapWaitInOrder) {
  dns.silence(true);
  auto o = options(30s);
  o.max_in_flight = 10;
  dns_client client{o};
  std::vector<std::shared_ptr<dns_client::answers>> all;
  for (int i = 0; i < 100; ++i) all.push_back(client.start("n" + std::to_string(i) + ".test"));
  ASSERT_TRUE(run_until(client.io(), [&] { return dns.queries("n9.test") > 0; }));
  client.poll();
  EXPECT_EQ(asked_names().size(), 10u);
  dns.silence(false);
  for (const auto& got : all) client.wait_for(got);
  const auto names = asked_names();
  ASSERT_THAT(names, SizeIs(100));
  // The first ten were tried again in some order; from then on it is first come, first served.
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(names[i], "n" + std::to_string(i) + ".test");
}

TEST_F(DnsSource, Fault75_ManyNamesAllGetTheirAnswers) {
  constexpr int names = 2000;
  for (int i = 0; i < names; ++i) {
    dns.set("n" + std::to_string(i) + ".test",
            record_type::a,
            {"10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)});
  }
  auto o = options(30s);
  o.max_in_flight = 16;
  dns_client client{o};
  std::vector<std::shared_ptr<dns_client::answers>> all;
  for (int i = 0; i < names; ++i) all.push_back(client.start("n" + std::to_string(i) + ".test"));
  for (const auto& got : all) client.wait_for(got);
  for (int i = 0; i < names; ++i) {
    const auto& got = *all[static_cast<std::size_t>(i)];
    ASSERT_THAT(got, SizeIs(1));
    ASSERT_EQ(got[0].asked.name, "n" + std::to_string(i) + ".test");
    ASSERT_THAT(
        got[0].addresses,
        ElementsAre(ip("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1))));
  }
}

TEST_F(DnsSource, Fault80_SilentServerBeforeAGoodOne) {
  dns_server silent;
  silent.silence(true);
  dns_client client{options_for({silent.address(), dns.address()}, 2s)};
  for (int i = 0; i < 3; ++i) expect_records(client.ask("api.test"));
}

TEST_F(DnsSource, Fault83_SlowServer) {
  dns_client client{options()};
  for (int i = 0; i < 5; ++i) expect_records(client.ask("api.test"));  // a fast one at first
  dns_manner slow;
  slow.delay = 1200ms;
  misbehave(slow);
  expect_records(client.ask("api.test"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
