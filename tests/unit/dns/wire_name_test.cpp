// SPDX-License-Identifier: Apache-2.0
#include "dns/wire_name.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redial::detail {
namespace {

// Names follow a header; "\3www" and so on as in a message.
struct names {
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(dns_header_size);

  std::size_t add(std::string_view labels) {
    const auto at = bytes.size();
    bytes.insert(bytes.end(), labels.begin(), labels.end());
    return at;
  }
  std::size_t add_pointer(std::string_view labels, std::size_t to) {
    const auto at = add(labels);
    bytes.push_back(static_cast<std::uint8_t>(0xc0U | (to >> 8)));
    bytes.push_back(static_cast<std::uint8_t>(to));
    return at;
  }
};

using namespace std::string_view_literals;

wire_name name(std::string_view text) { return wire_name::of(text).value(); }

TEST(WireName, EndsAfterItsRootOrItsFirstPointer) {
  names m;
  const auto test = m.add("\4test\0"sv);
  const auto api = m.add_pointer("\3api"sv, test);
  const auto root = m.add("\0"sv);
  EXPECT_EQ(skip_name(m.bytes, test), test + 6);
  EXPECT_EQ(skip_name(m.bytes, api), api + 6);
  EXPECT_EQ(skip_name(m.bytes, root), root + 1);
}

TEST(WireName, HasNoEndWhenItLeavesTheMessageOrGoesRound) {
  names m;
  const auto cut = m.add("\4tes"sv);
  EXPECT_EQ(skip_name(m.bytes, cut), 0U);
  EXPECT_EQ(skip_name(m.bytes, m.bytes.size()), 0U);
  names loop;
  const auto self = loop.bytes.size();
  loop.add_pointer(""sv, self);
  EXPECT_EQ(skip_name(loop.bytes, self), 0U);
  names header;
  const auto into = header.add_pointer("\3api"sv, 4);
  EXPECT_EQ(skip_name(header.bytes, into), 0U);
  names half;
  const auto pointer = half.add("\xc0"sv);
  EXPECT_EQ(skip_name(half.bytes, pointer), 0U);
  names reserved;
  const auto label = reserved.add(
      "\x41"
      "a\0"sv);
  EXPECT_EQ(skip_name(reserved.bytes, label), 0U);
}

TEST(WireName, MayHave255BytesAndNoMore) {
  const std::string label = '\x3f' + std::string(63, 'x');
  names m;
  const auto longest = m.add(label + label + label + '\x3d' + std::string(61, 'x') + '\0');
  const auto too_long = m.add(label + label + label + '\x3e' + std::string(62, 'x') + '\0');
  EXPECT_EQ(skip_name(m.bytes, longest), longest + 255);
  EXPECT_EQ(skip_name(m.bytes, too_long), 0U);

  const std::string text = std::string(63, 'x') + '.' + std::string(63, 'x') + '.' +
                           std::string(63, 'x') + '.' + std::string(61, 'x');
  EXPECT_TRUE(name(text).is_at(m.bytes, longest));
  EXPECT_FALSE(wire_name::of(text + 'x'));
}

TEST(WireName, MayJump127TimesAndNoMore) {
  names m;
  auto at = m.add("\0"sv);
  for (int i = 0; i < 127; ++i) at = m.add_pointer(""sv, at);
  EXPECT_EQ(skip_name(m.bytes, at), at + 2);
  at = m.add_pointer(""sv, at);
  EXPECT_EQ(skip_name(m.bytes, at), 0U);
}

TEST(WireName, IsComparedWithoutRegardToCaseAndPointers) {
  names m;
  const auto test = m.add("\4TesT\0"sv);
  const auto api = m.add_pointer("\3aPi"sv, test);
  EXPECT_TRUE(name("api.test").is_at(m.bytes, api));
  EXPECT_TRUE(name("API.test").is_at(m.bytes, api));
  EXPECT_TRUE(wire_name::at(m.bytes, api).is_at(m.bytes, api));
  EXPECT_FALSE(name("api.tesu").is_at(m.bytes, api));
  EXPECT_FALSE(name("apj.test").is_at(m.bytes, api));
  EXPECT_FALSE(name("test").is_at(m.bytes, api));
  EXPECT_FALSE(name("api.test").is_at(m.bytes, test));
  EXPECT_FALSE(name("api.test.test").is_at(m.bytes, api));
}

TEST(WireName, DotsInsideALabelAreNotItsEnd) {
  names m;
  const auto odd = m.add("\10api.test\0"sv);
  EXPECT_FALSE(name("api.test").is_at(m.bytes, odd));
  EXPECT_TRUE(wire_name::at(m.bytes, odd).is_at(m.bytes, odd));
}

TEST(WireName, IsInsideItsZones) {
  names m;
  const auto test = m.add("\4TEST\0"sv);
  const auto api = m.add_pointer("\3api"sv, test);
  const auto root = m.add("\0"sv);
  const auto est = m.add("\3est\0"sv);
  EXPECT_TRUE(name("api.test").is_inside(m.bytes, api));
  EXPECT_TRUE(name("api.test").is_inside(m.bytes, test));
  EXPECT_TRUE(name("api.test").is_inside(m.bytes, root));
  EXPECT_TRUE(name(".").is_inside(m.bytes, root));
  EXPECT_FALSE(name("api.test").is_inside(m.bytes, est));
  EXPECT_FALSE(name("test").is_inside(m.bytes, api));
  EXPECT_FALSE(name(".").is_inside(m.bytes, test));
}

TEST(WireName, IsMadeOfPlainTextOnly) {
  for (const auto bad : {"", "a.", ".a", "a..b", "a b", "a\\.b", "a@b", "\x7f", "\xc3\xa9"}) {
    EXPECT_FALSE(wire_name::of(bad)) << bad;
  }
  EXPECT_FALSE(wire_name::of(std::string(64, 'a')));
  EXPECT_FALSE(wire_name::of("a\0b"sv));
  for (const auto good : {".", "a", "_http._tcp.a-b.test", "1.0.0.127"}) {
    EXPECT_TRUE(wire_name::of(good)) << good;
  }
}

}  // namespace
}  // namespace redial::detail
