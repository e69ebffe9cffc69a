// SPDX-License-Identifier: Apache-2.0
#include "dns/answer_check.hpp"

#include "answer_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using redial::testing::make_address_record;
using redial::testing::make_cname_record;
using redial::testing::make_soa_record;
using redial::testing::detail::encode_name;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int nxdomain = 3;

address ip(const std::string& text) { return boost::asio::ip::make_address(text); }
dns_record a(const std::string& owner, const std::string& where, std::uint32_t ttl = 60) {
  return make_address_record(owner, ip(where), ttl);
}
packet with(std::vector<dns_record> answers) {
  packet p;
  p.answers = std::move(answers);
  return p;
}

question asked(record_type type = record_type::a) {
  question q;
  q.name = "api.test";
  q.type = type;
  return q;
}

answer check(const packet& p, record_type type = record_type::a) {
  return check_answer(asked(type), p.bytes());
}

void expect_malformed(const dns_bytes& bytes) {
  const auto got = check_answer(asked(), bytes);
  EXPECT_EQ(got.outcome, answer_outcome::malformed);
  EXPECT_EQ(got.error, errc::dns_bad_answer);
  EXPECT_EQ(got.asked, asked());
}

TEST(AnswerCheck, RecordsSortedWithSmallestTtl_Fault26) {
  const auto got = check(with({a("api.test", "10.0.0.2", 60), a("api.test", "10.0.0.1", 40)}));
  EXPECT_EQ(got.outcome, answer_outcome::records);
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1"), ip("10.0.0.2")));
  EXPECT_EQ(got.ttl, 40s);
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.dropped, 0u);
}

TEST(AnswerCheck, AaaaRecords) {
  packet p = with({a("api.test", "2001:db8::1")});
  p.type = 28;
  EXPECT_THAT(check(p, record_type::aaaa).addresses, ElementsAre(ip("2001:db8::1")));
}

TEST(AnswerCheck, Fault1And2_ShorterThanAHeader) {
  const auto whole = with({a("api.test", "10.0.0.1")}).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_malformed(dns_bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

TEST(AnswerCheck, Fault3And4_CountsThatLie) {
  auto p = with({});
  p.answer_count = 3;
  expect_malformed(p.bytes());
  p = with({a("api.test", "10.0.0.1")});
  p.answer_count = 65535;
  expect_malformed(p.bytes());
}

TEST(AnswerCheck, Fault5_CompressionPointerLoops) {
  auto p = with({});
  p.answer_count = 1;
  const auto at = static_cast<std::uint8_t>(p.bytes().size());
  // To itself, past the end, and to the record's data, which points back.
  for (const int target : {int{at}, 0xff, at + 12}) {
    p.tail = {0xc0, static_cast<std::uint8_t>(target), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
    packet::append(p.tail, {0xc0, at, 0, 1});
    expect_malformed(p.bytes());
  }
}

TEST(AnswerCheck, Fault5_PointerIntoTheHeader) {
  // The header's last byte, the count of additional records, reads as the root.
  auto p = with({});
  p.answer_count = 1;
  p.tail = {0xc0, 11, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
  expect_malformed(p.bytes());
  p.tail[1] = 12;
  EXPECT_EQ(check_answer(asked(), p.bytes()).outcome, answer_outcome::records);
}

TEST(AnswerCheck, Fault6_LongPointerChainsCostLittle) {
  // 8000 pointers, each to the one before, and 2900 records whose owner is the last one.
  auto p = with({});
  std::size_t last = 0;
  packet::put(p.tail, pointer_trap(p, last));
  p.answer_count = 2901;
  for (int i = 0; i < 2900; ++i) {
    put16(p.tail, 0xc000 | last);
    packet::append(p.tail, {0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1});
  }
  const auto bytes = p.bytes();
  ASSERT_LT(bytes.size(), 65536U);
  expect_malformed(bytes);
}

TEST(AnswerCheck, Fault7_RecordPastTheEnd) {
  auto bytes = with({a("api.test", "10.0.0.1")}).bytes();
  bytes[bytes.size() - 5] = 200;
  expect_malformed(bytes);
}

TEST(AnswerCheck, Fault8_AddressOfTheWrongSize) {
  auto p = with({a("api.test", "10.0.0.1"), a("api.test", "10.0.0.2")});
  p.answers[0].rdata.pop_back();
  const auto got = check(p);
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.2")));
  EXPECT_EQ(got.dropped, 1u);
}

TEST(AnswerCheck, Fault10And11_QuestionThatIsNotOurs) {
  const std::vector<dns_record> records{a("api.test", "10.0.0.1")};
  auto p = with(records);
  p.name = "other.test";
  expect_malformed(p.bytes());
  p = with(records);
  p.type = 28;
  expect_malformed(p.bytes());
  p = with(records);
  p.question_class = 3;
  expect_malformed(p.bytes());
  p = with(records);
  p.question_count = 0;
  expect_malformed(p.bytes());
}

TEST(AnswerCheck, Fault12And13And18_HeaderThatIsNoAnswer) {
  for (const int flags : {0x0180, 0x8980, 0x9180, 0x8380}) {
    auto p = with({a("api.test", "10.0.0.1")});
    p.flags = flags;
    expect_malformed(p.bytes());
  }
}

TEST(AnswerCheck, Fault14_TrailingBytesAreTrimmed) {
  auto p = with({a("api.test", "10.0.0.1")});
  p.tail = {1, 2, 3, 4, 5};
  EXPECT_EQ(check(p).outcome, answer_outcome::records);
}

TEST(AnswerCheck, Fault15_OtherClassesAreIgnored) {
  auto p = with({a("api.test", "10.0.0.1"), a("api.test", "10.0.0.2")});
  p.answers[0].class_number = 3;
  EXPECT_THAT(check(p).addresses, ElementsAre(ip("10.0.0.2")));
}

TEST(AnswerCheck, Fault16_CaseDoesNotMatter) {
  auto p = with({make_cname_record("aPi.tesT", "OTHER.test"), a("other.TEST", "10.0.0.1")});
  p.name = "API.test";
  EXPECT_THAT(check(p).addresses, ElementsAre(ip("10.0.0.1")));
}

TEST(AnswerCheck, Fault23To25_Ttls) {
  EXPECT_EQ(check(with({a("api.test", "10.0.0.1", 0)})).ttl, 0s);
  EXPECT_EQ(check(with({a("api.test", "10.0.0.1", 0x7fffffff)})).ttl, 2147483647s);
  EXPECT_EQ(check(with({a("api.test", "10.0.0.1", 0x80000000)})).ttl, 0s);
  EXPECT_EQ(check(with({a("api.test", "10.0.0.1", 0xffffffff)})).ttl, 0s);
}

TEST(AnswerCheck, Fault27And28_ChainInAnyOrder) {
  std::vector<dns_record> records{make_cname_record("api.test", "b.test", 200),
                                  make_cname_record("b.test", "c.test", 3),
                                  a("c.test", "10.0.0.1", 300)};
  std::sort(records.begin(), records.end(), [](auto& x, auto& y) { return x.name < y.name; });
  do {
    const auto got = check(with(records));
    EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1")));
    EXPECT_EQ(got.ttl, 3s);
  } while (std::next_permutation(
      records.begin(), records.end(), [](auto& x, auto& y) { return x.name < y.name; }));
}

TEST(AnswerCheck, Fault29_AliasLoopsAndLongChains) {
  expect_malformed(with({make_cname_record("api.test", "api.test")}).bytes());
  expect_malformed(
      with({make_cname_record("api.test", "b.test"), make_cname_record("b.test", "api.test")})
          .bytes());
  for (const int hops : {16, 17}) {
    packet p;
    std::string owner = "api.test";
    for (int i = 0; i < hops; ++i) {
      const auto next = "n" + std::to_string(i) + ".test";
      p.answers.push_back(make_cname_record(owner, next));
      owner = next;
    }
    p.answers.push_back(a(owner, "10.0.0.1"));
    EXPECT_EQ(check(p).outcome, hops == 16 ? answer_outcome::records : answer_outcome::malformed);
  }
}

TEST(AnswerCheck, Fault30_AliasOnlyIsNoData) {
  const auto got = check(with({make_cname_record("api.test", "gone.test")}));
  EXPECT_EQ(got.outcome, answer_outcome::no_data);
  EXPECT_EQ(got.error, errc::no_data);
  EXPECT_EQ(got.ttl, 0s);
}

TEST(AnswerCheck, Fault31_TheFirstOfTwoAliases) {
  const auto got = check(with({make_cname_record("api.test", "b.test"),
                               make_cname_record("api.test", "c.test"),
                               a("b.test", "10.0.0.1"),
                               a("c.test", "10.0.0.2")}));
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1")));
}

TEST(AnswerCheck, Fault32To34_WhatWasNotAskedForIsIgnored) {
  dns_record dname;
  dname.name = "test";
  dname.type = 39;
  dname.rdata = encode_name("elsewhere");
  const auto got = check(with({dname,
                               a("evil.test", "10.6.6.6"),
                               a("api.test", "10.0.0.1"),
                               a("api.test", "2001:db8::1"),
                               a("test", "10.6.6.7")}));
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1")));
  packet p = with({a("api.test", "10.0.0.1")});
  p.type = 28;
  EXPECT_EQ(check(p, record_type::aaaa).outcome, answer_outcome::no_data);
}

TEST(AnswerCheck, Fault35And36_DuplicatesAndManyAddresses) {
  packet p;
  for (int i = 0; i < 2000; ++i) {
    const int host = i % 1000;
    p.answers.push_back(
        a("api.test", "10.0." + std::to_string(host / 250) + "." + std::to_string(host % 250)));
  }
  const auto got = check(p);
  EXPECT_THAT(got.addresses, SizeIs(1000));
  EXPECT_TRUE(std::is_sorted(got.addresses.begin(), got.addresses.end()));
}

TEST(AnswerCheck, Fault37_OrderDoesNotMatter) {
  const auto one = check(with({a("api.test", "10.0.0.1"), a("api.test", "10.0.0.2")}));
  const auto two = check(with({a("api.test", "10.0.0.2"), a("api.test", "10.0.0.1")}));
  EXPECT_EQ(one.addresses, two.addresses);
}

TEST(AnswerCheck, Fault38To40_NegativeTtl) {
  struct row {
    const char* zone;
    std::uint32_t ttl, minimum;
    std::chrono::seconds expected;
  };
  for (const int rcode : {0, nxdomain}) {
    for (const auto& r : {row{"test", 900, 7, 7s},
                          row{"test", 5, 900, 5s},
                          row{"TEST", 900, 0x80000000, 0s},
                          row{"", 30, 40, 30s},
                          row{"api.test", 30, 40, 30s},
                          row{"other.test", 30, 40, 0s},
                          row{"i.test", 30, 40, 0s}}) {
      packet p;
      p.flags |= rcode;
      p.authority = {make_soa_record(r.zone, r.ttl, r.minimum)};
      const auto got = check(p);
      EXPECT_EQ(got.outcome, rcode == 0 ? answer_outcome::no_data : answer_outcome::name_not_found);
      EXPECT_EQ(got.error, rcode == 0 ? errc::no_data : errc::name_not_found);
      EXPECT_EQ(got.ttl, r.expected) << r.zone;
    }
  }
  packet without_soa;
  without_soa.flags |= nxdomain;
  EXPECT_EQ(check(without_soa).ttl, 0s);
}

TEST(AnswerCheck, NameNotFoundBehindAnAliasLastsNoLongerThanTheAlias) {
  packet p = with({make_cname_record("api.test", "gone.test", 4)});
  p.flags |= nxdomain;
  p.authority = {make_soa_record("test", 900, 900)};
  EXPECT_EQ(check(p).outcome, answer_outcome::name_not_found);
  EXPECT_EQ(check(p).ttl, 4s);
}

TEST(AnswerCheck, Fault41And42_ResponseCodes) {
  for (int code = 1; code < 16; ++code) {
    if (code == nxdomain) continue;
    packet p;
    p.flags |= code;
    const auto got = check(p);
    EXPECT_EQ(got.outcome, code == 5 ? answer_outcome::refused : answer_outcome::server_failure);
    EXPECT_EQ(got.error, code == 5 ? errc::dns_refused : errc::dns_server_failure);
    // Servers that answer FORMERR often leave out the question.
    p.question_count = 0;
    EXPECT_EQ(check(p).outcome, got.outcome);
  }
}

TEST(AnswerCheck, Fault46_UndialableAddressesAreDroppedAndCounted) {
  auto got = check(with({a("api.test", "0.0.0.0"),
                         a("api.test", "224.0.0.1"),
                         a("api.test", "255.255.255.255"),
                         a("api.test", "10.0.0.1")}));
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1")));
  EXPECT_EQ(got.dropped, 3u);
  got = check(with({a("api.test", "0.0.0.0")}));
  EXPECT_EQ(got.outcome, answer_outcome::no_data);
  EXPECT_EQ(got.dropped, 1u);
}

TEST(AnswerCheck, Fault47_MappedAddressesAreUnmapped) {
  packet p = with(
      {a("api.test", "::ffff:10.0.0.1"), a("api.test", "::ffff:0.0.0.0"), a("api.test", "::")});
  p.type = 28;
  const auto got = check(p, record_type::aaaa);
  EXPECT_THAT(got.addresses, ElementsAre(ip("10.0.0.1")));
  EXPECT_EQ(got.dropped, 2u);
}

TEST(AnswerCheck, Fault26_DroppedRecordsCountForTheTtlOfTheirSet) {
  EXPECT_EQ(check(with({a("api.test", "0.0.0.0", 5), a("api.test", "10.0.0.1", 60)})).ttl, 5s);
}

TEST(AnswerCheck, Fault7_AliasThatDoesNotFillItsRecord) {
  for (const std::size_t size : {0U, 1U, 5U, 7U, 8U}) {
    auto p = with({make_cname_record("api.test", "b.test"), a("b.test", "10.0.0.1")});
    ASSERT_EQ(p.answers[0].rdata.size(), 8U);
    p.answers[0].rdata.resize(size);
    EXPECT_EQ(check(p).outcome, size == 8 ? answer_outcome::records : answer_outcome::malformed);
  }
  auto p = with({make_cname_record("api.test", "b.test"), a("b.test", "10.0.0.1")});
  p.answers[0].rdata.push_back(0);
  expect_malformed(p.bytes());
}

// Whatever the bytes are, the answer keeps its promises.
TEST(AnswerCheck, MutantsNeverBreakAPromise) {
  packet p = with({make_cname_record("api.test", "b.test", 5),
                   a("b.test", "10.0.0.1"),
                   a("b.test", "10.0.0.2"),
                   a("evil.test", "10.6.6.6")});
  p.authority = {make_soa_record("test", 9, 9)};
  const auto seed = p.bytes();
  std::mt19937 random{20240607};
  int usable = 0;
  for (int round = 0; round < 200'000; ++round) {
    auto bytes = seed;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 20));
    const auto got = check_answer(asked(), bytes);
    ASSERT_EQ(got.outcome == answer_outcome::records, !got.addresses.empty());
    ASSERT_EQ(got.outcome == answer_outcome::records, !got.error);
    ASSERT_GE(got.ttl, 0s);
    ASSERT_TRUE(std::is_sorted(got.addresses.begin(), got.addresses.end()));
    ASSERT_TRUE(std::all_of(got.addresses.begin(), got.addresses.end(), is_dialable));
    usable += got.outcome == answer_outcome::records ? 1 : 0;
  }
  EXPECT_GT(usable, 1000);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
