// SPDX-License-Identifier: Apache-2.0
// The words between the harness and an external client.

#include "churn/line_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using kind = client_line::kind;

TEST(LineProtocol, AsksInWholeMicroseconds) {
  EXPECT_EQ(get_line(17, 1500us + 999ns), "get 17 1500\n");
}

TEST(LineProtocol, WhatIsPastIsZero) { EXPECT_EQ(get_line(17, -1s), "get 17 0\n"); }

TEST(LineProtocol, OkNamesTheBackend) {
  const auto line = parse_client_line("ok 17 A");
  EXPECT_EQ(line.what, kind::answer);
  EXPECT_EQ(line.number, 17U);
  EXPECT_TRUE(line.answer.ok);
  EXPECT_EQ(line.answer.backend, "A");
}

TEST(LineProtocol, FailGivesTheRestAsReason) {
  const auto line = parse_client_line("fail 18446744073709551615 connection refused: 127.0.0.2");
  EXPECT_EQ(line.what, kind::answer);
  EXPECT_EQ(line.number, 18446744073709551615U);
  EXPECT_FALSE(line.answer.ok);
  EXPECT_EQ(line.answer.error, "connection refused: 127.0.0.2");
}

TEST(LineProtocol, AFailureAlwaysHasAReason) {
  EXPECT_EQ(parse_client_line("fail 1").answer.error, "it does not say why");
}

TEST(LineProtocol, ConnectionsIsATotal) {
  const auto line = parse_client_line("connections 3");
  EXPECT_EQ(line.what, kind::connections);
  EXPECT_EQ(line.number, 3U);
}

TEST(LineProtocol, EverythingElseMeansNothing) {
  for (const auto* text : {"",
                           " ",
                           "ok",
                           "ok 17",
                           "ok 17 ",
                           "ok A 17",
                           "ok -1 A",
                           "ok 17x A",
                           "ok 18446744073709551616 A",
                           "OK 17 A",
                           " ok 17 A",
                           "fail",
                           "fail why",
                           "connections",
                           "connections many",
                           "connections 3 4",
                           "get 17 100",
                           "Traceback (most recent call last):"}) {
    EXPECT_EQ(parse_client_line(text).what, kind::unknown) << text;
  }
}

class Lines : public ::testing::Test {
 protected:
  bool feed(std::string_view bytes) {
    return splitter_.feed(bytes, [this](std::string_view line) { taken_.emplace_back(line); });
  }

  line_splitter splitter_;
  std::vector<std::string> taken_;
};

TEST_F(Lines, AreTheSameHoweverTheBytesArrive) {
  const std::string text = "ok 1 A\n\r\n\nfail 2 no\r\nok 3 B\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    taken_.clear();
    for (std::size_t at = 0; at < text.size(); at += size) {
      ASSERT_TRUE(feed(std::string_view(text).substr(at, size)));
    }
    EXPECT_THAT(taken_, ElementsAre("ok 1 A", "fail 2 no", "ok 3 B")) << size << " at once";
  }
}

TEST_F(Lines, WithoutAnEndAreNotTaken) {
  EXPECT_TRUE(feed("ok 1 A"));
  EXPECT_TRUE(taken_.empty());
}

TEST_F(Lines, MayBeAsLongAsTheLimit) {
  EXPECT_TRUE(feed(std::string(line_splitter::longest_line, 'x') + "\n"));
  EXPECT_EQ(taken_.size(), 1U);
}

TEST_F(Lines, MayNotBeLonger) {
  const std::string part(line_splitter::longest_line / 2, 'x');
  EXPECT_TRUE(feed(part));
  EXPECT_TRUE(feed(part));
  EXPECT_FALSE(feed("x"));
  EXPECT_TRUE(taken_.empty());
}

}  // namespace
}  // namespace redial::churn
