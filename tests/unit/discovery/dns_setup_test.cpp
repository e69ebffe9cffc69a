// SPDX-License-Identifier: Apache-2.0
#include "discovery/dns_setup.hpp"

#include "discovery/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <class Change>
std::string refusal(Change change) {
  discovery_options o;
  change(o);
  try {
    validate(o);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(DnsSetup, LimitsHaveRanges) {
  const auto rate = [](std::size_t value) {
    return refusal([&](auto& o) { o.max_queries_per_second = value; });
  };
  EXPECT_EQ(rate(0), "accepted");
  EXPECT_EQ(rate(1), "accepted");
  EXPECT_EQ(rate(1'000'000), "accepted");
  EXPECT_THAT(rate(1'000'001), HasSubstr("max_queries_per_second"));
}

TEST(DnsSetup, ZonesAreNamedInRefusals_Fault85And86) {
  const auto zones = [](std::vector<nameserver_zone> z) {
    return refusal([&](auto& o) { o.zones = std::move(z); });
  };
  EXPECT_EQ(zones({{"consul", {"127.0.0.1:8600"}}, {"Corp.Example.", {"10.0.0.1", "[::1]:53"}}}),
            "accepted");
  for (const char* suffix :
       {"", ".", ".consul", "a..b", "10.0.0.1", "localhost", "x.onion", "a b"}) {
    EXPECT_THAT(zones({{suffix, {"10.0.0.1"}}}),
                AllOf(HasSubstr("zones"), HasSubstr("'" + std::string{suffix} + "'")));
  }
  EXPECT_THAT(zones({{"consul", {}}}), AllOf(HasSubstr("zones: 'consul'"), HasSubstr("empty")));
  EXPECT_THAT(zones({{"consul", {"10.0.0.1:0"}}}),
              AllOf(HasSubstr("zones: 'consul'"), HasSubstr("'10.0.0.1:0'")));
  EXPECT_THAT(
      zones({{"consul", {"10.0.0.1"}}, {"b.test", {"10.0.0.1"}}, {"CONSUL.", {"10.0.0.2"}}}),
      AllOf(HasSubstr("zones: 'CONSUL.'"), HasSubstr("twice")));
}

TEST(DnsSetup, SearchDomainsAreNamedInRefusals_Fault72) {
  const auto search = [](std::vector<std::string> s) {
    return refusal([&](auto& o) { o.search = std::move(s); });
  };
  EXPECT_EQ(search({"prod.test", "test"}), "accepted");
  EXPECT_THAT(search({"prod.test", ".test"}), AllOf(HasSubstr("search"), HasSubstr("'.test'")));
  EXPECT_THAT(search({"a.test", "A.test"}), AllOf(HasSubstr("search"), HasSubstr("twice")));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
