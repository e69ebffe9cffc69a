// SPDX-License-Identifier: Apache-2.0
#include "dns/resolv_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> servers_in(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& s : parse_resolv_conf(text).servers) out.push_back(to_string(s));
  return out;
}

TEST(ResolvConf, Servers_Fault76And77) {
  EXPECT_THAT(servers_in(""), IsEmpty());
  EXPECT_THAT(servers_in("search a.test\noptions rotate\n"), IsEmpty());
  EXPECT_THAT(servers_in("# nameserver 10.0.0.9\n"
                         "nameserver\t10.0.0.1   ; the first\r\n"
                         "  nameserver ::1\n"
                         "nameserver 10.0.0.1\n"
                         "nameserver\n"
                         "nameserver dns.test\n"
                         "nameservers 10.0.0.8\n"
                         "nameserver 99999999999999999999\n"
                         "options timeout:99999999999999999999\n"
                         "nameserver 10.0.0.2:5353"),
              ElementsAre("10.0.0.1:53", "[::1]:53", "10.0.0.2:5353"));
}

TEST(ResolvConf, NulBytes_Fault77) {
  EXPECT_THAT(servers_in("\0nameserver 10.0.0.3\nnameserver\0 10.0.0.2\nnameserver 10.0.0.1\n\0"sv),
              ElementsAre("10.0.0.1:53"));
}

TEST(ResolvConf, NoMoreThanEightServers_Fault77) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "nameserver 10.0." + std::to_string(i / 200) + "." + std::to_string(i % 200) + "\n";
  }
  const auto got = servers_in(text);
  ASSERT_THAT(got, SizeIs(8));
  EXPECT_EQ(got.back(), "10.0.0.7:53");
}

TEST(ResolvConf, Options) {
  const auto none = parse_resolv_conf("nameserver 10.0.0.1\n");
  EXPECT_EQ(none.timeout, 0);
  EXPECT_EQ(none.attempts, 0);
  EXPECT_FALSE(none.rotate);
  EXPECT_FALSE(none.use_vc);
  const auto all =
      parse_resolv_conf("options ndots:2 timeout:3 rotate\r\noptions attempts:4\tuse-vc");
  EXPECT_EQ(all.timeout, 3);
  EXPECT_EQ(all.attempts, 4);
  EXPECT_TRUE(all.rotate);
  EXPECT_TRUE(all.use_vc);
  // The last one counts; a bad one does not.
  EXPECT_EQ(parse_resolv_conf("options timeout:3 timeout:5 timeout:x").timeout, 5);
}

TEST(ResolvConf, NumbersHaveBounds_Fault77) {
  const auto timeout = [](const std::string& text) {
    return parse_resolv_conf("options timeout:" + text).timeout;
  };
  const auto attempts = [](const std::string& text) {
    return parse_resolv_conf("options attempts:" + text).attempts;
  };
  for (const char* text : {"", "0", "-1", "-99999999999999999999", "x", "1x", "+1", " 1", "0x10"}) {
    EXPECT_EQ(timeout(text), 0) << text;
    EXPECT_EQ(attempts(text), 0) << text;
  }
  EXPECT_EQ(timeout("1"), 1);
  EXPECT_EQ(attempts("1"), 1);
  for (const char* text : {"30", "31", "2147483648", "99999999999999999999999999"}) {
    EXPECT_EQ(timeout(text), 30) << text;
    EXPECT_EQ(attempts(text), 5) << text;
  }
  EXPECT_EQ(attempts("5"), 5);
}

TEST(ResolvConf, WordsThatOnlyLookAlike_Fault77) {
  const auto got = parse_resolv_conf(
      "options rotates use-vcs xrotate timeout attempts retimeout:3\n"
      "option rotate\noptionsrotate\n# options rotate\n");
  EXPECT_EQ(got, resolv_conf{});
}

// Every prefix of a file, and bytes put in at random: whatever is read stays within bounds.
TEST(ResolvConf, AnyBytes_Fault77And79) {
  const std::string whole =
      "search a.test b.test\nnameserver 10.0.0.1\r\nnameserver fe80::1%1\n"
      "options timeout:7 attempts:3 rotate use-vc edns0\nnameserver [::1]:53";
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    auto text = whole.substr(0, random() % (whole.size() + 1));
    for (auto left = random() % 4; left > 0 && !text.empty(); --left) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    const auto got = parse_resolv_conf(text);
    EXPECT_LE(got.servers.size(), 3u);
    EXPECT_TRUE(got.timeout >= 0 && got.timeout <= 30);
    EXPECT_TRUE(got.attempts >= 0 && got.attempts <= 5);
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
