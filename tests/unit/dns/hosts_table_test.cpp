// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_table.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using addresses = std::vector<address>;

addresses list(const std::vector<std::string>& texts) {
  addresses all;
  for (const auto& t : texts) all.push_back(parse_address(t).value());
  return all;
}

addresses found(const hosts_table& t, std::string_view name) {
  const auto* const hit = t.find(name);
  return hit == nullptr ? addresses{} : *hit;
}

addresses found_in(std::string_view text, std::string_view name) {
  return found(hosts_table::parse(text), name);
}

TEST(HostsTable, NamesAndAliases) {
  const auto t = hosts_table::parse("10.0.0.1 calc.local calc c\n10.0.0.2\tdb.local\n");
  EXPECT_EQ(found(t, "calc.local"), list({"10.0.0.1"}));
  EXPECT_EQ(found(t, "calc"), list({"10.0.0.1"}));
  EXPECT_EQ(found(t, "c"), list({"10.0.0.1"}));
  EXPECT_EQ(found(t, "db.local"), list({"10.0.0.2"}));
  EXPECT_EQ(t.find("db"), nullptr);
  EXPECT_EQ(t.entries().size(), 4U);
  EXPECT_EQ(t.counts().good_lines, 2U);
  EXPECT_EQ(t.counts().bad_lines, 0U);
}

TEST(HostsTable, CommentsBlanksAndLineEnds) {
  const auto t = hosts_table::parse(
      "# 10.0.0.9 no\n\n   \t\n\t10.0.0.1 \t a#b c\n10.0.0.2 d # e\r\n10.0.0.3 f\r\n#\n10.0.0.4 g");
  EXPECT_EQ(found(t, "a"), list({"10.0.0.1"}));
  EXPECT_EQ(found(t, "d"), list({"10.0.0.2"}));
  EXPECT_EQ(found(t, "f"), list({"10.0.0.3"}));
  EXPECT_EQ(found(t, "g"), list({"10.0.0.4"}));
  EXPECT_EQ(t.entries().size(), 4U);
  EXPECT_EQ(t.counts().bad_lines, 0U);
}

TEST(HostsTable, ByteOrderMark) {
  EXPECT_EQ(found_in("\xEF\xBB\xBF"
                     "10.0.0.1 a\n",
                     "a"),
            list({"10.0.0.1"}));
}

TEST(HostsTable, NamesAreCanonical) {
  EXPECT_EQ(found_in("10.0.0.1 CaLC.Local.\n", "calc.local"), list({"10.0.0.1"}));
}

TEST(HostsTable, LinesOfOneNameAddUpSortedAndOnce) {
  EXPECT_EQ(
      found_in("fd00::1 a\n10.0.0.2 a\n10.0.0.10 b A a.\n10.0.0.2 a a\n::ffff:10.0.0.3 a\n", "a"),
      list({"10.0.0.2", "10.0.0.3", "10.0.0.10", "fd00::1"}));
}

TEST(HostsTable, Fault74_BadLinesCostTheGoodOnesNothing) {
  const auto t = hosts_table::parse(
      "10.0.0.300 a\n10.0.0.1\nonly-words here\n127.1 a\n10.0.0.1 b\n10.0.0.2 10.0.0.3\n"
      "10.0.0.4 ..\nfe80::1%no-such-zone a\n10.0.0.5 c\n10.0");
  EXPECT_EQ(t.entries(), (hosts_entries{{"b", list({"10.0.0.1"})}, {"c", list({"10.0.0.5"})}}));
  EXPECT_EQ(t.counts().good_lines, 2U);
  EXPECT_EQ(t.counts().bad_lines, 8U);
  EXPECT_TRUE(t.is_credible());
}

TEST(HostsTable, BadNamesCostTheOthersOnTheirLineNothing) {
  const auto t = hosts_table::parse("10.0.0.1 a b!d gr\xC3\xBC\xC3\x9F x.onion 10.0.0.2 e\n");
  EXPECT_EQ(t.entries(), (hosts_entries{{"a", list({"10.0.0.1"})}, {"e", list({"10.0.0.1"})}}));
  EXPECT_EQ(t.counts().good_lines, 1U);
  EXPECT_EQ(t.counts().bad_names, 4U);
}

TEST(HostsTable, ABlocklistIsNoHitAndNoExpense) {
  const auto t = hosts_table::parse(
      "0.0.0.0 ads.test tracker.test\n:: ads.test\n::ffff:0.0.0.0 ads.test\n224.0.0.1 all\n"
      "ff02::1 ip6-allnodes\n255.255.255.255 broadcasthost\n0.0.0.0 both\n10.0.0.1 both\n");
  EXPECT_EQ(t.entries(), (hosts_entries{{"both", list({"10.0.0.1"})}}));
  EXPECT_EQ(t.counts().undialable_lines, 7U);
  EXPECT_EQ(t.counts().good_lines, 1U);
  EXPECT_EQ(t.counts().bad_lines, 0U);
}

TEST(HostsTable, LocalhostIsNotItsBusiness) {
  const auto t = hosts_table::parse("10.0.0.1 localhost a.localhost b\n::1 localhost\n");
  EXPECT_EQ(t.entries(), (hosts_entries{{"b", list({"10.0.0.1"})}}));
  EXPECT_EQ(t.counts().good_lines, 2U);
  EXPECT_EQ(t.counts().bad_names, 0U);
}

TEST(HostsTable, Fault74_WhatProvesNothing) {
  EXPECT_FALSE(hosts_table{}.is_credible());
  EXPECT_FALSE(hosts_table::parse("").is_credible());
  EXPECT_FALSE(hosts_table::parse("# nothing here\n\n").is_credible());
  EXPECT_FALSE(hosts_table::parse("<html><body>404 not found</body></html>").is_credible());
  EXPECT_FALSE(hosts_table::parse("10.0.0.1").is_credible());
  EXPECT_FALSE(hosts_table::parse("0.0.0.0").is_credible());
  EXPECT_FALSE(hosts_table::parse(std::string(4096, '\0')).is_credible());
  EXPECT_FALSE(hosts_table::parse(std::string("10.0.0.1 a\n") + '\0').is_credible());
  EXPECT_TRUE(hosts_table::parse("127.0.0.1 localhost\n").is_credible());
  EXPECT_TRUE(hosts_table::parse("0.0.0.0 ads.test\n").is_credible());
}

TEST(HostsTable, Fault74_ANulByteCostsOneLine) {
  const std::string text("10.0.0.1 a\n10.0.0.2 b\0c\n10.0.0.3 d\n", 35);
  const auto t = hosts_table::parse(text);
  EXPECT_EQ(t.entries(), (hosts_entries{{"a", list({"10.0.0.1"})}, {"d", list({"10.0.0.3"})}}));
  EXPECT_TRUE(t.counts().binary);
}

TEST(HostsTable, ChangedNames) {
  const auto entries = [](std::string_view text) { return hosts_table::parse(text).entries(); };
  const auto before = entries("10.0.0.1 a b c\n10.0.0.2 d\n");
  EXPECT_TRUE(changed_names(before, before).empty());
  EXPECT_EQ(changed_names(before, entries("10.0.0.1 b c d\n10.0.0.2 b e\n")),
            (std::vector<std::string>{"a", "b", "d", "e"}));
  EXPECT_EQ(changed_names({}, before), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(changed_names(before, {}), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST(HostsTable, EntriesCanBeFoundToChangeThem) {
  auto entries = hosts_table::parse("10.0.0.1 a b\n").take_entries();
  ASSERT_NE(find_entry(entries, "b"), nullptr);
  find_entry(entries, "b")->addresses = list({"10.0.0.2"});
  EXPECT_EQ(std::as_const(entries)[1].addresses, list({"10.0.0.2"}));
  EXPECT_EQ(find_entry(std::as_const(entries), "c"), nullptr);
}

TEST(HostsTable, ALargeFile) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    const auto n = std::to_string(i);
    text += (i % 10 == 0 ? "10.0.0.1 host" : "0.0.0.0 ads") + n + ".example.test\n";
  }
  const auto t = hosts_table::parse(text);
  EXPECT_EQ(t.entries().size(), 10'000U);
  EXPECT_EQ(t.counts().undialable_lines, 90'000U);
  EXPECT_EQ(found(t, "host99990.example.test"), list({"10.0.0.1"}));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
