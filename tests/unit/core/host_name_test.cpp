// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/core/host_name.hpp>

#include <gtest/gtest.h>
#include <net/if.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace {

using redial::errc;
using redial::error_code;
using redial::host_name;
using namespace std::string_literals;

error_code error_of(std::string_view text) {
  const auto parsed = host_name::parse(text);
  return parsed ? error_code{} : parsed.error();
}

std::string text_of(std::string_view text) {
  const auto parsed = host_name::parse(text);
  return parsed ? parsed->text() : "error: " + parsed.error().message();
}

std::string loopback_interface() {
  std::array<char, IF_NAMESIZE> name{};
  for (unsigned i = 1; i < 16; ++i) {
    if (::if_indextoname(i, name.data()) != nullptr) return name.data();
  }
  return "lo";
}

TEST(HostName, Fault61_TheRootIsRefused) {
  EXPECT_EQ(error_of(""), errc::bad_name);
  EXPECT_EQ(error_of("."), errc::bad_name);
}

TEST(HostName, Fault62_LengthsAreThoseOfRfc1035) {
  const std::string label(63, 'a');
  EXPECT_FALSE(error_of(label));
  EXPECT_EQ(error_of(label + "a"), errc::bad_name);
  EXPECT_EQ(error_of("x." + label + "a.test"), errc::bad_name);
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_FALSE(error_of(longest));
  EXPECT_FALSE(error_of(longest + '.'));
  EXPECT_EQ(error_of(longest + "b"), errc::bad_name);
  for (const char* text : {"..", "a..b", ".a", "a..", "...", "a.test.."}) {
    EXPECT_EQ(error_of(text), errc::bad_name) << text;
  }
}

TEST(HostName, Fault63_CharactersThatAreNoNamesAreRefused) {
  for (const std::string& text :
       {"a b"s,  " a"s,    "a "s,    "a\n"s, "a\tb"s, "a\0b"s, "\0"s,  "a/b"s,
        "a\\b"s, "a\x7f"s, "a\x01"s, "a*b"s, "a@b"s,  "a%b"s,  "a,b"s, "a\"b"s,
        "a'b"s,  "a;b"s,   "a#b"s,   "a?b"s, "a!b"s,  "a$b"s}) {
    EXPECT_EQ(error_of(text), errc::bad_name) << text;
  }
}

TEST(HostName, Fault64_NonAsciiIsRefusedWithAHint) {
  for (const char* text : {"m\xc3\xbcller.example", "\xff", "a b\x80"}) {
    EXPECT_EQ(error_of(text), errc::name_not_ascii) << text;
  }
  EXPECT_NE(error_of("m\xc3\xbcller.example").message().find("xn--"), std::string::npos);
  EXPECT_EQ(text_of("xn--mller-kva.example"), "xn--mller-kva.example");
}

TEST(HostName, Fault65_UnderscoresHyphensAndDigitsAreAccepted) {
  for (const char* text : {"_http._tcp.example",
                           "-a.test",
                           "a-.test",
                           "1.2.3.test",
                           "42.example",
                           "a_b",
                           "my_service",
                           "0x7f.example",
                           "3com"}) {
    EXPECT_EQ(text_of(text), text);
  }
}

TEST(HostName, Fault66_TheTrailingDotIsStripped) {
  EXPECT_EQ(text_of("a.test."), "a.test");
  EXPECT_EQ(*host_name::parse("A.Test."), *host_name::parse("a.test"));
}

TEST(HostName, IsLowerCase) {
  EXPECT_EQ(text_of("API.Internal"), "api.internal");
  EXPECT_FALSE(host_name::parse("API.Internal")->is_fixed());
  EXPECT_FALSE(host_name::parse("API.Internal")->is_literal());
  EXPECT_TRUE(host_name::parse("API.Internal")->addresses().empty());
}

TEST(HostName, Fault67_AnIpv4AddressNeedsNoDns) {
  const auto host = host_name::parse("10.0.0.1");
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->is_fixed());
  EXPECT_TRUE(host->is_literal());
  EXPECT_EQ(host->text(), "10.0.0.1");
  ASSERT_EQ(host->addresses().size(), 1U);
  EXPECT_EQ(host->addresses()[0], redial::parse_address("10.0.0.1").value());
}

TEST(HostName, Fault68_WhatEndsInANumberIsAnAddressOrNothing) {
  for (const char* text : {"127.1",
                           "0x7f.1",
                           "1.2.3",
                           "256.1.1.1",
                           "2130706433",
                           "1.2.3.4.5",
                           "01.2.3.4",
                           "a.test.1",
                           "1.2.3.04",
                           "10.0.0.1.",
                           "1",
                           "0",
                           "1.2.3.4.",
                           "999999999999999999999"}) {
    EXPECT_EQ(error_of(text), errc::bad_address) << text;
  }
}

TEST(HostName, Fault69_AnIpv6AddressWithOrWithoutBracketsNeedsNoDns) {
  for (const char* text : {"::1", "[::1]", "[0:0::0:1]"}) {
    const auto host = host_name::parse(text);
    ASSERT_TRUE(host) << text;
    EXPECT_TRUE(host->is_literal());
    EXPECT_EQ(host->text(), "::1");
  }
  const std::string lo = loopback_interface();
  const auto zoned = host_name::parse("[fe80::1%" + lo + "]");
  ASSERT_TRUE(zoned);
  EXPECT_EQ(zoned->addresses()[0].to_v6().scope_id(), ::if_nametoindex(lo.c_str()));
  EXPECT_EQ(zoned->text(), "fe80::1%" + lo);
  for (const char* text : {"fe80::1%no-such-if",
                           "[::1",
                           "::1]",
                           "[]",
                           ":",
                           "::1::",
                           "[a.test]",
                           "[10.0.0.1]",
                           "a:b",
                           "[::1]x",
                           "fe80::1%"}) {
    EXPECT_EQ(error_of(text), errc::bad_address) << text;
  }
}

TEST(HostName, AnAddressOfNobodyIsRefused) {
  for (const char* text : {"0.0.0.0",
                           "255.255.255.255",
                           "224.0.0.1",
                           "::",
                           "ff02::1",
                           "::ffff:0.0.0.0",
                           "::ffff:224.0.0.1"}) {
    EXPECT_EQ(error_of(text), errc::bad_address) << text;
  }
}

TEST(HostName, AMappedAddressIsItsIpv4Address) {
  EXPECT_EQ(text_of("[::ffff:10.0.0.1]"), "10.0.0.1");
  EXPECT_TRUE(host_name::parse("::ffff:10.0.0.1")->addresses()[0].is_v4());
}

TEST(HostName, Fault70_LocalhostIsLoopbackWithoutDns) {
  for (const char* text : {"localhost", "LocalHost.", "foo.localhost", "a.b.localhost."}) {
    const auto host = host_name::parse(text);
    ASSERT_TRUE(host) << text;
    EXPECT_TRUE(host->is_fixed());
    EXPECT_FALSE(host->is_literal());
    const std::vector<redial::address> both{redial::parse_address("127.0.0.1").value(),
                                            redial::parse_address("::1").value()};
    EXPECT_EQ(host->addresses(), both);
  }
  EXPECT_FALSE(host_name::parse("notlocalhost")->is_fixed());
  EXPECT_FALSE(host_name::parse("localhost.example")->is_fixed());
}

TEST(HostName, Fault71_OnionDoesNotExistAndLocalIsPlainDns) {
  EXPECT_EQ(error_of("abc.onion"), errc::name_not_found);
  EXPECT_EQ(error_of("ABC.Onion."), errc::name_not_found);
  EXPECT_EQ(error_of("onion"), errc::name_not_found);
  EXPECT_FALSE(error_of("notonion"));
  EXPECT_FALSE(host_name::parse("printer.local")->is_fixed());
}

TEST(HostName, SurvivesAnyBytes) {
  std::mt19937 rng(1);
  const std::string tempting = "aA0-_.:[]%fx1\0\x80/"s;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(rng() % 40, '\0');
    for (char& c : text) {
      c = rng() % 4 != 0 ? tempting[rng() % tempting.size()] : static_cast<char>(rng());
    }
    const auto host = host_name::parse(text);
    if (!host) continue;
    // What was accepted is canonical: it is accepted again, as itself.
    const auto again = host_name::parse(host->text());
    ASSERT_TRUE(again) << host->text();
    ASSERT_EQ(again->text(), host->text());
    ASSERT_EQ(again->addresses(), host->addresses());
  }
  EXPECT_EQ(error_of(std::string(1 << 20, 'a')), errc::bad_name);
  EXPECT_EQ(error_of(std::string(1 << 20, ':')), errc::bad_address);
  EXPECT_EQ(error_of(std::string(1 << 20, '1')), errc::bad_name);
}

}  // namespace
