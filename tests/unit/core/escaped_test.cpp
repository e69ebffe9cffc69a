// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using redial::escaped;
using namespace std::string_literals;

TEST(Escaped, Fault168_LeavesOnlyPrintableAscii) {
  EXPECT_EQ(escaped("api.test"), "api.test");
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("a\nb\0\x7f\xff"s), "a\\x0ab\\x00\\x7f\\xff");
  EXPECT_EQ(escaped("\"\\"), "\\\"\\\\");
}

TEST(Escaped, Fault168_CutsWhatIsTooLong) {
  EXPECT_EQ(escaped("abcdef", 3), "abc...");
  EXPECT_EQ(escaped("abc", 3), "abc");
  EXPECT_EQ(escaped("abc", 0), "...");
  EXPECT_EQ(escaped(std::string(1 << 20, '\n')).size(), 80U * 4 + 3);
}

}  // namespace
