// SPDX-License-Identifier: Apache-2.0
#include <redial/core/address.hpp>
#include <redial/core/error.hpp>

#include <gtest/gtest.h>
#include <net/if.h>

#include <array>
#include <random>
#include <string>

namespace {

using redial::address;
using redial::errc;
using redial::parse_address;
using namespace std::string_literals;

struct named_index {
  std::string name;
  unsigned index;
};

// Some interface of this machine.
named_index any_interface() {
  std::array<char, IF_NAMESIZE> name{};
  for (unsigned i = 1; i < 64; ++i) {
    if (::if_indextoname(i, name.data()) != nullptr) return {name.data(), i};
  }
  return {};
}

TEST(Address, ReadsIpv4) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "1.2.3.4"}) {
    ASSERT_TRUE(parse_address(text)) << text;
    EXPECT_EQ(parse_address(text)->to_string(), text);
  }
}

TEST(Address, Fault68_OtherSpellingsOfIpv4AreRefused) {
  for (const std::string& text :
       {"127.1"s,      "0x7f.1"s,    "1.2.3"s,     "256.1.1.1"s,  "01.2.3.4"s,   "1.2.3.4."s,
        ".1.2.3.4"s,   "1..2.3"s,    "1.2.3.4.5"s, " 1.2.3.4"s,   "1.2.3.4 "s,   "1.2.3.4\n"s,
        "1.2.3.4\0"s,  "+1.2.3.4"s,  "1.2.3.-4"s,  "2130706433"s, "0127.0.0.1"s, "1.2.3.4/8"s,
        "1.2.3.4%lo"s, "[1.2.3.4]"s, ""s,          "localhost"s,  "00.0.0.0"s}) {
    const auto parsed = parse_address(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), errc::bad_address) << text;
  }
}

TEST(Address, Fault69_ReadsIpv6WithAndWithoutBrackets) {
  EXPECT_EQ(parse_address("::1")->to_string(), "::1");
  EXPECT_EQ(parse_address("[::1]")->to_string(), "::1");
  EXPECT_EQ(parse_address("2001:DB8:0:0::A")->to_string(), "2001:db8::a");
  EXPECT_EQ(parse_address("::ffff:1.2.3.4")->to_string(), "::ffff:1.2.3.4");
  for (const std::string& text : {"["s,
                                  "]"s,
                                  "[]"s,
                                  "[::1"s,
                                  "::1]"s,
                                  "[[::1]]"s,
                                  ":"s,
                                  ":::"s,
                                  "::1::2"s,
                                  "1:2:3:4:5:6:7"s,
                                  "1:2:3:4:5:6:7:8:9"s,
                                  "12345::"s,
                                  "::g"s,
                                  "::1 "s,
                                  "::1\0"s,
                                  "[::1\0]"s,
                                  "::1/64"s,
                                  "::256.1.1.1"s,
                                  "::1%"s,
                                  "%lo"s,
                                  "[::1]:80"s}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, Fault69_AZoneMustExist) {
  const auto [name, index] = any_interface();
  ASSERT_NE(index, 0U) << "this machine has no network interface";
  EXPECT_EQ(parse_address("fe80::1%" + name)->to_v6().scope_id(), index);
  EXPECT_EQ(parse_address("[fe80::1%" + name + "]")->to_v6().scope_id(), index);
  EXPECT_EQ(parse_address("fe80::1%" + std::to_string(index))->to_v6().scope_id(), index);
  for (const std::string& zone : {"nosuch0"s,
                                  "0"s,
                                  "4000000000"s,
                                  "99999999999999999999"s,
                                  "-1"s,
                                  "+1"s,
                                  "1x"s,
                                  ""s,
                                  "%"s + name,
                                  name + "\0x"s,
                                  std::string(40, 'x'),
                                  std::string(100'000, '1')}) {
    EXPECT_FALSE(parse_address("fe80::1%" + zone)) << zone.substr(0, 60);
  }
}

TEST(Address, AZoneCountsOnLinkLocalAddressesOnly) {
  const auto [name, index] = any_interface();
  ASSERT_NE(index, 0U);
  EXPECT_EQ(*parse_address("::1%" + name), *parse_address("::1"));
  EXPECT_NE(*parse_address("fe80::1%" + name), *parse_address("fe80::1"));
}

TEST(Address, UnmapsWhatIsIpv4InDisguise) {
  EXPECT_EQ(redial::unmapped(*parse_address("::ffff:1.2.3.4")), *parse_address("1.2.3.4"));
  for (const char* text : {"1.2.3.4", "::1", "::1.2.3.4", "64:ff9b::1.2.3.4"}) {
    EXPECT_EQ(redial::unmapped(*parse_address(text)), *parse_address(text)) << text;
  }
}

TEST(Address, KnowsWhatNobodyCanHave) {
  for (const char* text : {"0.0.0.0",
                           "255.255.255.255",
                           "224.0.0.1",
                           "239.255.255.255",
                           "::",
                           "ff02::1",
                           "::ffff:0.0.0.0",
                           "::ffff:255.255.255.255"}) {
    EXPECT_FALSE(redial::is_dialable(*parse_address(text))) << text;
  }
  for (const char* text : {"127.0.0.1",
                           "10.0.0.255",
                           "::1",
                           "fe80::1",
                           "2001:db8::1",
                           "::ffff:10.0.0.1",
                           "223.255.255.255"}) {
    EXPECT_TRUE(redial::is_dialable(*parse_address(text))) << text;
  }
}

TEST(Address, SurvivesAnyBytes) {
  std::mt19937 rng(3);
  const std::string tempting = "0123456789abcdef.:[]%x\0"s;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(rng() % 50, '\0');
    for (char& c : text) {
      c = rng() % 8 != 0 ? tempting[rng() % tempting.size()] : static_cast<char>(rng());
    }
    const auto parsed = parse_address(text);
    if (!parsed) continue;
    ASSERT_EQ(*parse_address(parsed->to_string()), *parsed) << parsed->to_string();
  }
  EXPECT_FALSE(parse_address(std::string(1 << 20, '1')));
  EXPECT_FALSE(parse_address(std::string(1 << 20, ':')));
}

}  // namespace
