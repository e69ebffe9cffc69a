// SPDX-License-Identifier: Apache-2.0
#include "answer_packet.hpp"
#include "dns/answer_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace redial {

// How a failed test shows one.
void PrintTo(const srv_record& r, std::ostream* out) {
  *out << r.target << ':' << r.port << " priority " << r.priority << " weight " << r.weight;
}

namespace detail {
namespace {

using namespace std::chrono_literals;
using redial::testing::make_address_record;
using redial::testing::make_cname_record;
using redial::testing::make_soa_record;
using redial::testing::srv_data;
using redial::testing::detail::encode_name;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* service = "_http._tcp.api.test";

dns_record srv(const std::string& target,
               std::uint16_t port = 80,
               std::uint16_t priority = 0,
               std::uint16_t weight = 0,
               std::uint32_t ttl = 60) {
  return redial::testing::make_srv_record(service, srv_data{priority, weight, port, target}, ttl);
}

redial::srv_record place(std::string target,
                         std::uint16_t port = 80,
                         std::uint16_t priority = 0,
                         std::uint16_t weight = 0) {
  return {std::move(target), port, priority, weight};
}

// A target as raw labels: what no text can say.
dns_record srv_raw(dns_bytes target) {
  dns_record r = srv("x");
  r.rdata.resize(6);
  r.rdata.insert(r.rdata.end(), target.begin(), target.end());
  return r;
}

packet with(std::vector<dns_record> answers) {
  packet p;
  p.name = service;
  p.type = 33;
  p.answers = std::move(answers);
  return p;
}

answer check(const packet& p, record_type type = record_type::srv) {
  question q;
  q.name = p.name;
  q.type = type;
  return check_answer(q, p.bytes());
}

answer check(std::vector<dns_record> answers) { return check(with(std::move(answers))); }

void expect_malformed(const packet& p) {
  const auto got = check(p);
  EXPECT_EQ(got.outcome, answer_outcome::malformed);
  EXPECT_EQ(got.error, errc::dns_bad_answer);
  EXPECT_THAT(got.services, IsEmpty());
}

TEST(AnswerCheckSrv, RecordsSortedAndCanonical) {
  const auto got = check({srv("B.Test", 81, 1, 2, 60), srv("a.test", 80, 3, 4, 40)});
  EXPECT_EQ(got.outcome, answer_outcome::records);
  EXPECT_THAT(got.services, ElementsAre(place("a.test", 80, 3, 4), place("b.test", 81, 1, 2)));
  EXPECT_EQ(got.ttl, 40s);
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.dropped, 0U);
  EXPECT_THAT(got.addresses, IsEmpty());
}

TEST(AnswerCheckSrv, NumbersAreReadInFull) {
  EXPECT_THAT(check({srv("a.test", 0x1234, 0x5678, 0x9abc)}).services,
              ElementsAre(place("a.test", 0x1234, 0x5678, 0x9abc)));
  EXPECT_THAT(check({srv("a.test", 65535, 65535, 65535)}).services,
              ElementsAre(place("a.test", 65535, 65535, 65535)));
}

TEST(AnswerCheckSrv, CompressedTargetsAreRead) {
  // To the question's "test", 12 bytes of header and 19 characters of labels on.
  EXPECT_THAT(check({srv_raw({1, 'n', 0xc0, 12 + 15})}).services, ElementsAre(place("n.test")));
  EXPECT_THAT(check({srv_raw({0xc0, 12})}).services, ElementsAre(place(service)));
}

TEST(AnswerCheckSrv, Fault5_TargetThatLoops) {
  auto p = with({srv("good.test"), srv_raw({0xc0, 0})});
  const auto at = static_cast<std::uint8_t>(p.bytes().size() - 2);
  for (const int to : {int{at}, at + 1, 0xff}) {
    p.answers[1].rdata.back() = static_cast<std::uint8_t>(to);
    expect_malformed(p);
  }
  // Two that point at each other.
  p.answers[1] = srv_raw({0xc0, static_cast<std::uint8_t>(at + 2), 0xc0, at});
  expect_malformed(p);
}

TEST(AnswerCheckSrv, Fault6_TargetsWithLongPointerChainsCostLittle) {
  auto p = with({});
  std::size_t last = 0;
  p.answers.push_back(pointer_trap(p, last));
  dns_bytes target;
  put16(target, 0xc000 | last);
  for (int i = 0; i < 1200; ++i) p.answers.push_back(srv_raw(target));
  ASSERT_LT(p.bytes().size(), 65536U);
  expect_malformed(p);
}

TEST(AnswerCheckSrv, Fault7_TargetThatDoesNotFillItsRecord) {
  for (const int change : {-3, -1, 1}) {
    auto p = with({srv("good.test"), srv("a.test")});
    auto& data = p.answers[1].rdata;
    data.resize(static_cast<std::size_t>(static_cast<int>(data.size()) + change));
    p.tail = dns_bytes(8, 0);
    expect_malformed(p);
  }
}

TEST(AnswerCheckSrv, Fault8_RecordTooShortToHoldATarget) {
  for (std::size_t size = 0; size < 7; ++size) {
    auto p = with({srv("a.test"), srv("b.test")});
    p.answers[0].rdata.resize(size);
    const auto got = check(p);
    EXPECT_THAT(got.services, ElementsAre(place("b.test")));
    EXPECT_EQ(got.dropped, 1U);
    EXPECT_EQ(got.outcome, answer_outcome::records);
  }
}

TEST(AnswerCheckSrv, Fault15And33_OtherClassesAndOwnersAreIgnored) {
  auto p = with({srv("a.test"), srv("b.test"), srv("c.test")});
  p.answers[0].class_number = 3;
  p.answers[1].name = "_http._tcp.evil.test";
  EXPECT_THAT(check(p).services, ElementsAre(place("c.test")));
  EXPECT_EQ(check(p).dropped, 0U);
}

TEST(AnswerCheckSrv, Fault34_OtherTypesAreIgnoredBothWays) {
  auto p =
      with({srv("a.test"), make_address_record(service, parse_address("10.0.0.1").value(), 7)});
  const auto services = check(p);
  EXPECT_THAT(services.services, ElementsAre(place("a.test")));
  EXPECT_THAT(services.addresses, IsEmpty());
  EXPECT_EQ(services.ttl, 60s);
  p.type = 1;
  const auto addresses = check(p, record_type::a);
  EXPECT_THAT(addresses.addresses, ElementsAre(parse_address("10.0.0.1").value()));
  EXPECT_THAT(addresses.services, IsEmpty());
  EXPECT_EQ(addresses.ttl, 7s);
  p.answers.pop_back();
  EXPECT_EQ(check(p, record_type::a).outcome, answer_outcome::no_data);
}

TEST(AnswerCheckSrv, Fault25To28And52_OwnerBehindAnAlias) {
  packet p = with({srv("n1.test", 80, 0, 0, 90),
                   srv("n2.test", 80, 0, 0, 50),
                   make_cname_record("mid.test", "end.test", 9),
                   make_cname_record(service, "MID.test", 40)});
  p.answers[0].name = p.answers[1].name = "END.test";
  auto got = check(p);
  EXPECT_THAT(got.services, ElementsAre(place("n1.test"), place("n2.test")));
  EXPECT_EQ(got.ttl, 9s);
  p.answers[1].ttl = 0xffffffff;
  EXPECT_EQ(check(p).ttl, 0s);
  // A record of the alias itself is not the answer.
  p.answers[0].name = p.answers[1].name = service;
  got = check(p);
  EXPECT_EQ(got.outcome, answer_outcome::no_data);
  EXPECT_EQ(got.error, errc::no_data);
}

TEST(AnswerCheckSrv, Fault29_AliasLoop) {
  expect_malformed(with({make_cname_record(service, service), srv("a.test")}));
}

TEST(AnswerCheckSrv, Fault38And39_NegativeAnswers) {
  packet p = with({});
  p.authority = {make_soa_record("test", 900, 7)};
  EXPECT_EQ(check(p).outcome, answer_outcome::no_data);
  EXPECT_EQ(check(p).error, errc::no_data);
  EXPECT_EQ(check(p).ttl, 7s);
  p.flags |= 3;
  p.answers = {srv("a.test")};
  EXPECT_EQ(check(p).outcome, answer_outcome::name_not_found);
  EXPECT_THAT(check(p).services, IsEmpty());
}

TEST(AnswerCheckSrv, Fault48_TargetOfOneDotMeansNoSuchService) {
  packet p = with({srv(".", 0, 0, 0, 30)});
  p.authority = {make_soa_record("test", 900, 7)};
  for (const int port : {0, 80}) {
    p.answers[0] = srv(".", static_cast<std::uint16_t>(port), 0, 0, 30);
    const auto got = check(p);
    EXPECT_EQ(got.outcome, answer_outcome::no_data);
    EXPECT_EQ(got.error, errc::no_service);
    EXPECT_EQ(got.ttl, 30s);
    EXPECT_EQ(got.dropped, 0U);
  }
  p.answers.push_back(make_cname_record("x.test", "y.test", 1));
  EXPECT_EQ(check(p).error, errc::no_service) << "what belongs to others does not count";
}

TEST(AnswerCheckSrv, Fault48_NoSuchServiceBehindAnAliasLastsNoLongerThanTheAlias) {
  packet p = with({make_cname_record(service, "end.test", 4), srv(".", 0, 0, 0, 30)});
  p.answers[1].name = "end.test";
  EXPECT_EQ(check(p).error, errc::no_service);
  EXPECT_EQ(check(p).ttl, 4s);
}

TEST(AnswerCheckSrv, Fault48_OneDotAmongOthersIsDropped) {
  auto got = check({srv("."), srv("a.test"), srv(".", 80, 1)});
  EXPECT_THAT(got.services, ElementsAre(place("a.test")));
  EXPECT_EQ(got.dropped, 2U);
  // With nothing usable left: no such record, but nobody said that there is no service.
  got = check({srv("."), srv("10.0.0.1")});
  EXPECT_EQ(got.outcome, answer_outcome::no_data);
  EXPECT_EQ(got.error, errc::no_data);
  EXPECT_EQ(got.dropped, 2U);
}

TEST(AnswerCheckSrv, Fault49And50_WeightsOfZeroAndPrioritiesAreKept) {
  EXPECT_THAT(check({srv("a.test", 80, 1, 0), srv("b.test", 80, 0, 9)}).services,
              ElementsAre(place("a.test", 80, 1, 0), place("b.test", 80, 0, 9)));
}

TEST(AnswerCheckSrv, Fault53_TargetsThatAreNoNames) {
  for (const char* text :
       {"10.0.0.1", "127.1", "1.2.3", "::1", "a b.test", "x.onion", "a/b.test"}) {
    const auto got = check({srv(text), srv("a.test")});
    EXPECT_THAT(got.services, ElementsAre(place("a.test"))) << text;
    EXPECT_EQ(got.dropped, 1U) << text;
  }
  // A dot inside a label, a NUL, a byte that is no ASCII.
  for (const std::uint8_t odd : dns_bytes{0x2e, 0x00, 0x5c, 0xff}) {
    const auto got = check({srv_raw({3, 'a', odd, 'b', 4, 't', 'e', 's', 't', 0}), srv("a.test")});
    EXPECT_THAT(got.services, ElementsAre(place("a.test"))) << int{odd};
    EXPECT_EQ(got.dropped, 1U) << int{odd};
  }
  EXPECT_EQ(check({srv("10.0.0.1")}).outcome, answer_outcome::no_data);
}

TEST(AnswerCheckSrv, UnderscoresAndDigitsInTargetsAreFine_Fault65) {
  EXPECT_THAT(check({srv("_n.1.test"), srv("-n.test")}).services,
              ElementsAre(place("-n.test"), place("_n.1.test")));
}

TEST(AnswerCheckSrv, Fault54_PortZeroIsDropped) {
  const auto got = check({srv("a.test", 0), srv("a.test", 80)});
  EXPECT_THAT(got.services, ElementsAre(place("a.test", 80)));
  EXPECT_EQ(got.dropped, 1U);
  EXPECT_EQ(check({srv("a.test", 0)}).outcome, answer_outcome::no_data);
  EXPECT_EQ(check({srv("a.test", 0)}).error, errc::no_data);
}

TEST(AnswerCheckSrv, Fault55_AddressesBesideTheAnswerAreIgnored) {
  packet p = with({srv("a.test")});
  p.authority = {make_address_record("a.test", parse_address("10.6.6.6").value(), 1)};
  EXPECT_EQ(check(p).ttl, 60s);
  EXPECT_THAT(check(p).addresses, IsEmpty());
  // In the additional section, where servers put them: the counts of the header, moved.
  auto bytes = p.bytes();
  std::swap(bytes[9], bytes[11]);
  question q;
  q.name = service;
  q.type = record_type::srv;
  const auto got = check_answer(q, bytes);
  EXPECT_THAT(got.services, ElementsAre(place("a.test")));
  EXPECT_THAT(got.addresses, IsEmpty());
  EXPECT_EQ(got.ttl, 60s);
}

TEST(AnswerCheckSrv, Fault56_ManyTargets) {
  for (const int many : {200, 1000}) {
    std::vector<dns_record> records;
    for (int i = 0; i < many; ++i) records.push_back(srv("n" + std::to_string(i) + ".test", 8080));
    const auto got = check(std::move(records));
    EXPECT_THAT(got.services, SizeIs(many));
    EXPECT_TRUE(std::ranges::is_sorted(got.services));
  }
}

TEST(AnswerCheckSrv, RepeatedPlacesKeepTheLowestPriorityThenTheHighestWeight) {
  std::vector<dns_record> records{srv("a.test", 80, 1, 5, 60),
                                  srv("A.test", 80, 1, 7, 30),
                                  srv("a.test", 80, 2, 9, 60),
                                  srv("a.test", 81, 3, 1, 60)};
  std::ranges::sort(records, {}, &dns_record::rdata);
  do {
    const auto got = check(records);
    EXPECT_THAT(got.services, ElementsAre(place("a.test", 80, 1, 7), place("a.test", 81, 3, 1)));
    EXPECT_EQ(got.ttl, 30s);
    EXPECT_EQ(got.dropped, 0U);
  } while (std::ranges::next_permutation(records, {}, &dns_record::rdata).found);
}

// Whatever the bytes are, the answer keeps its promises.
TEST(AnswerCheckSrv, MutantsNeverBreakAPromise) {
  packet p =
      with({make_cname_record(service, "b.test", 5), srv("n1.test"), srv("."), srv("n2.test")});
  for (std::size_t i = 1; i < p.answers.size(); ++i) p.answers[i].name = "b.test";
  question q;
  q.name = service;
  q.type = record_type::srv;
  const auto seed = p.bytes();
  std::mt19937 random{20240608};
  int usable = 0;
  for (int round = 0; round < 100'000; ++round) {
    auto bytes = seed;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 20));
    const auto got = check_answer(q, bytes);
    ASSERT_EQ(got.outcome == answer_outcome::records, !got.services.empty());
    ASSERT_EQ(got.outcome == answer_outcome::records, !got.error);
    ASSERT_TRUE(got.addresses.empty());
    ASSERT_TRUE(std::ranges::is_sorted(got.services));
    for (const auto& s : got.services) ASSERT_NE(s.port, 0);
    usable += got.outcome == answer_outcome::records ? 1 : 0;
  }
  EXPECT_GT(usable, 1000);
}

}  // namespace
}  // namespace detail
}  // namespace redial
