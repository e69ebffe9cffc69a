// SPDX-License-Identifier: Apache-2.0
#include "dns/nameserver.hpp"

#include <redial/core/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> texts(const std::vector<nameserver>& servers) {
  std::vector<std::string> out;
  for (const auto& s : servers) out.push_back(to_string(s));
  return out;
}

TEST(Nameserver, ReadsEveryForm_Fault85) {
  EXPECT_EQ(to_string(*parse_nameserver("10.0.0.1")), "10.0.0.1:53");
  EXPECT_EQ(to_string(*parse_nameserver("10.0.0.1:5353")), "10.0.0.1:5353");
  EXPECT_EQ(to_string(*parse_nameserver("::1")), "[::1]:53");
  EXPECT_EQ(to_string(*parse_nameserver("[::1]")), "[::1]:53");
  EXPECT_EQ(to_string(*parse_nameserver("[2001:db8::1]:65535")), "[2001:db8::1]:65535");
}

TEST(Nameserver, RefusesTheRest) {
  for (const char* text : {"",
                           ":53",
                           "dns.test",
                           "dns.test:53",
                           "127.1:53",
                           "[10.0.0.1]:53",
                           "[::1",
                           "::1]",
                           "[::1]53",
                           "[[::1]]:53",
                           "10.0.0.1 :53",
                           "[]:53"}) {
    EXPECT_EQ(parse_nameserver(text).error(), errc::bad_address) << text;
  }
  for (const char* text : {":",
                           "10.0.0.1:",
                           "10.0.0.1:0",
                           "10.0.0.1:65536",
                           "10.0.0.1:-1",
                           "10.0.0.1:5x",
                           "[::1]:",
                           "[::1]:99999999999",
                           "10.0.0.1: 53"}) {
    EXPECT_EQ(parse_nameserver(text).error(), errc::bad_port) << text;
  }
}

TEST(Nameserver, ListNamesTheOptionAndTheText) {
  EXPECT_THAT(texts(parse_nameservers({"10.0.0.1:53", "[::1]:5353", "10.0.0.1"})),
              ElementsAre("10.0.0.1:53", "[::1]:5353"));
  try {
    (void)parse_nameservers({"10.0.0.1", "dns.test"});
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("nameservers"), HasSubstr("'dns.test'")));
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
