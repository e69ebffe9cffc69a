// SPDX-License-Identifier: Apache-2.0
#include <redial/core/address_range.hpp>
#include <redial/core/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using redial::address_range;
using redial::errc;

bool lies_in(const std::string& address, const std::string& range) {
  return address_range::parse(range).value().contains(boost::asio::ip::make_address(address));
}

bool is_internal(const std::string& address) {
  const auto all = redial::internal_address_ranges();
  return std::any_of(all.begin(), all.end(), [&](const auto& r) { return lies_in(address, r); });
}

TEST(AddressRange, EndsWithItsLastBit) {
  EXPECT_TRUE(lies_in("172.16.0.0", "172.16.0.0/12"));
  EXPECT_TRUE(lies_in("172.31.255.255", "172.16.0.0/12"));
  EXPECT_FALSE(lies_in("172.32.0.0", "172.16.0.0/12"));
  EXPECT_FALSE(lies_in("172.15.255.255", "172.16.0.0/12"));
  EXPECT_TRUE(lies_in("febf::1", "fe80::/10"));
  EXPECT_FALSE(lies_in("fec0::1", "fe80::/10"));
}

TEST(AddressRange, BitsBehindThePrefixDoNotMatter) {
  EXPECT_TRUE(lies_in("10.200.0.1", "10.1.2.3/8"));
}

TEST(AddressRange, OneAddressAndAll) {
  EXPECT_TRUE(lies_in("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(lies_in("10.0.0.2", "10.0.0.1"));
  EXPECT_TRUE(lies_in("::1", "::1/128"));
  EXPECT_TRUE(lies_in("1.2.3.4", "0.0.0.0/0"));
  EXPECT_FALSE(lies_in("::1", "0.0.0.0/0")) << "the other family";
  EXPECT_TRUE(lies_in("2001:db8::1", "::/0"));
}

TEST(AddressRange, Fault156_MappedAddressesAreThoseOfIpv4) {
  EXPECT_TRUE(lies_in("::ffff:127.0.0.1", "127.0.0.0/8"));
  EXPECT_TRUE(lies_in("127.0.0.1", "::ffff:127.0.0.0/104"));
  EXPECT_FALSE(lies_in("127.0.0.1", "::/0"));
}

TEST(AddressRange, Fault156_TheInternalOnes) {
  for (const char* a : {"127.0.0.1",
                        "::1",
                        "169.254.169.254",
                        "fe80::1",
                        "fe80::1%1",
                        "10.1.2.3",
                        "172.20.0.1",
                        "192.168.0.1",
                        "100.64.0.1",
                        "fd00:ec2::254",
                        "0.0.0.1",
                        "::ffff:127.0.0.1",
                        "::ffff:169.254.169.254",
                        "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_internal(a)) << a;
  }
  for (const char* a :
       {"8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(is_internal(a)) << a;
  }
}

TEST(AddressRange, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "/8",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0.0/8x",
                           "10.0.0.0/8/8",
                           "10.0.0/8",
                           "::/129",
                           "fe80::1%1/64",
                           "example.test"}) {
    EXPECT_EQ(address_range::parse(text).error(), errc::bad_address) << text;
  }
}

}  // namespace
