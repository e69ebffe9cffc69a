// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_rewrite.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

hosts_map to(const std::vector<std::pair<std::string, std::vector<std::string>>>& all) {
  hosts_map hosts;
  for (const auto& [name, texts] : all) {
    for (const auto& t : texts) hosts[name].push_back(parse_address(t).value());
  }
  return hosts;
}

const hosts_map calc = to({{"calc", {"10.0.0.9"}}});

TEST(HostsRewrite, ANewNameComesAtTheEnd) {
  EXPECT_EQ(rewritten_hosts("", calc), "10.0.0.9\tcalc\n");
  EXPECT_EQ(rewritten_hosts("# x\n127.0.0.1 localhost\n", calc),
            "# x\n127.0.0.1 localhost\n10.0.0.9\tcalc\n");
  EXPECT_EQ(rewritten_hosts("127.0.0.1 localhost", calc), "127.0.0.1 localhost\n10.0.0.9\tcalc\n");
}

TEST(HostsRewrite, OneLineForEachAddress) {
  EXPECT_EQ(rewritten_hosts("", to({{"b", {"10.0.0.2", "fd00::1"}}, {"a", {"10.0.0.3"}}})),
            "10.0.0.3\ta\n10.0.0.2\tb\nfd00::1\tb\n");
}

TEST(HostsRewrite, LinesOfANameAreReplacedWhereTheFirstWas) {
  EXPECT_EQ(rewritten_hosts("1.0.0.1 a\n10.0.0.1 calc # old\n1.0.0.2 b\n10.0.0.2 calc\n1.0.0.3 c\n",
                            calc),
            "1.0.0.1 a\n10.0.0.9\tcalc\n1.0.0.2 b\n1.0.0.3 c\n");
}

TEST(HostsRewrite, OtherNamesOnTheLineStayWithTheirBytes) {
  EXPECT_EQ(rewritten_hosts("  10.0.0.1 \ta  calc\t b # keep me\r\n", calc),
            "10.0.0.9\tcalc\n  10.0.0.1 \ta\t b # keep me\r\n");
  EXPECT_EQ(rewritten_hosts("127.0.0.1 localhost calc", calc),
            "10.0.0.9\tcalc\n127.0.0.1 localhost");
}

TEST(HostsRewrite, WhatItDoesNotOwnStaysByteForByte) {
  const std::string text =
      "\xEF\xBB\xBF# 10.0.0.1 calc\r\n\n \t\n10.0.0.1 calculator calc.local # calc\n"
      "garbage\ncalc\n::1\tip6-localhost ip6-loopback\n\x01\xFF\n" +
      std::string("10.0.0.5 n\0l\n", 13) + "10.0.0.6#calc\n10.0.0.7 other";
  EXPECT_EQ(rewritten_hosts(text, calc), text + "\n10.0.0.9\tcalc\n");
  EXPECT_EQ(rewritten_hosts(text, {}), text);
}

TEST(HostsRewrite, AByteOrderMarkStaysInFront) {
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(rewritten_hosts(mark + "10.0.0.1 calc b\n", calc),
            mark + "10.0.0.9\tcalc\n10.0.0.1 b\n");
  EXPECT_EQ(rewritten_hosts(mark, calc), mark + "10.0.0.9\tcalc\n");
}

TEST(HostsRewrite, AnySpellingOfTheNameIsTheName) {
  EXPECT_EQ(rewritten_hosts("10.0.0.1 CALC\n10.0.0.2 Calc.\n", calc), "10.0.0.9\tcalc\n");
}

TEST(HostsRewrite, ALineWithABadAddressIsOwnedToo) {
  EXPECT_EQ(rewritten_hosts("10.0.0.300 calc\n10.0.0.301 a\n", calc),
            "10.0.0.9\tcalc\n10.0.0.301 a\n");
}

TEST(HostsRewrite, TwiceIsOnce) {
  const auto hosts = to({{"b", {"10.0.0.2", "fd00::1"}}, {"a", {"10.0.0.3"}}});
  for (const char* text :
       {"", "x", "1.0.0.1 b c\n1.0.0.2 a\n1.0.0.3 d", "1.0.0.3 d\n1.0.0.1 a b\n"}) {
    const auto once = rewritten_hosts(text, hosts);
    EXPECT_EQ(rewritten_hosts(once, hosts), once);
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
