// SPDX-License-Identifier: Apache-2.0
#include <redial/core/endpoint.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using redial::endpoint;

endpoint make(const char* addr, std::uint16_t port, std::string srv = {}) {
  endpoint e(redial::parse_address(addr).value(), port);
  e.srv_target = std::move(srv);
  return e;
}

TEST(Endpoint, HasAText) {
  EXPECT_EQ(to_string(make("10.0.0.1", 80)), "10.0.0.1:80");
  EXPECT_EQ(to_string(make("::1", 443)), "[::1]:443");
  EXPECT_EQ(to_string(make("10.0.0.1", 80, "node1.example")), "10.0.0.1:80 (node1.example)");
}

TEST(Endpoint, Fault168_TheTextOfAnSrvTargetIsEscapedAndBounded) {
  EXPECT_EQ(to_string(make("::1", 1, "a\nb\x1b")), "[::1]:1 (a\\x0ab\\x1b)");
  EXPECT_LT(to_string(make("::1", 1, std::string(100'000, '\n'))).size(), 1100U);
}

TEST(Endpoint, IsTheSameWhenTargetAddressAndPortAre) {
  endpoint weighted = make("10.0.0.1", 80);
  weighted.priority = 1;
  weighted.weight = 2;
  EXPECT_EQ(weighted, make("10.0.0.1", 80));
  EXPECT_NE(make("10.0.0.1", 80), make("10.0.0.1", 81));
  EXPECT_NE(make("10.0.0.1", 80), make("10.0.0.2", 80));
  EXPECT_NE(make("10.0.0.1", 80), make("10.0.0.1", 80, "node1"));
}

TEST(Endpoint, IsOrderedByAddressPortAndTarget) {
  const std::vector<endpoint> sorted = {make("10.0.0.1", 80),
                                        make("10.0.0.1", 80, "a"),
                                        make("10.0.0.1", 80, "b"),
                                        make("10.0.0.1", 81),
                                        make("10.0.0.2", 1),
                                        make("::1", 1)};
  std::vector<endpoint> mixed(sorted.rbegin(), sorted.rend());
  std::ranges::sort(mixed);
  EXPECT_EQ(mixed, sorted);
  EXPECT_EQ(sorted[0] <=> sorted[0], std::strong_ordering::equal);
}

}  // namespace
