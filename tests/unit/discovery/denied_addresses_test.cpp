// SPDX-License-Identifier: Apache-2.0
// DNS rebinding: names that somebody else points at our own machines.
#include <redial/core/address_range.hpp>

#include "discovery_world.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

TEST(DeniedAddresses, Fault156_AreLeftOutAndCounted) {
  discovery_world w;
  w.options.denied_addresses = internal_address_ranges();
  w.dns.set("evil.test", {"127.0.0.1", "169.254.169.254", "8.8.8.8", "10.0.0.1", "fd00::1"});
  const auto d = w.make();
  reader r(*d, "tcp://evil.test:80", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(r.endpoints(), texts{"8.8.8.8:80"});
  EXPECT_EQ(d->counters().dropped_records, 4U);
}

TEST(DeniedAddresses, Fault156_NothingElseIsNoData) {
  discovery_world w;
  w.options.denied_addresses = {"127.0.0.0/8"};
  w.dns.set("evil.test", {"127.0.0.1"});
  const auto d = w.make();
  reader r(*d, "tcp://evil.test:80", w.sim.executor());
  w.sim.advance(1s);
  ASSERT_FALSE(r.got.empty());
  EXPECT_EQ(r.endpoints(), texts{});
  EXPECT_EQ(r.got.back()->error, errc::no_data);
}

TEST(DeniedAddresses, Fault156_ARebindingNameKeepsItsLastGoodAddresses) {
  discovery_world w;
  w.options.denied_addresses = internal_address_ranges();
  w.dns.set("evil.test", {"8.8.8.8"});
  const auto d = w.make();
  reader r(*d, "tcp://evil.test:80", w.sim.executor());
  w.sim.advance(1s);
  w.dns.set("evil.test", {"127.0.0.1"});
  w.sim.advance(1min);
  for (const auto& s : r.got) {
    for (const auto& e : s->endpoints) EXPECT_EQ(to_string(e.where), "8.8.8.8:80");
  }
  EXPECT_EQ(r.endpoints(), texts{"8.8.8.8:80"});
  EXPECT_GE(d->counters().dropped_records, 5U);
}

TEST(DeniedAddresses, NoneByDefaultAndNotForAddressesInTheTarget) {
  discovery_world w;
  w.dns.set("api.test", {"127.0.0.1"});
  const auto any = w.make();
  reader of_name(*any, "tcp://api.test:80", w.sim.executor());
  w.options.denied_addresses = {"0.0.0.0/0", "::/0"};
  const auto none = w.make();
  reader of_target(*none, "static://127.0.0.1:80", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(of_name.endpoints(), texts{"127.0.0.1:80"});
  EXPECT_EQ(of_target.endpoints(), texts{"127.0.0.1:80"});
}

// Whoever runs the zone of a service names its targets, too.
TEST(DeniedAddresses, Fault156_AServiceCannotPointAtThisMachineByATargetsName) {
  discovery_world w;
  w.options.denied_addresses = internal_address_ranges();
  w.dns.set("good.test", {"8.8.8.8"});
  w.dns.set("127.0.0.1", {"127.0.0.1"});
  w.dns.set_srv("evil.test",
                {{"localhost", 80}, {"a.localhost", 81}, {"127.0.0.1", 82}, {"good.test", 83}},
                5s);
  const auto d = w.make();
  reader r(*d, "srv://evil.test", w.sim.executor());
  w.sim.advance(30s);
  ASSERT_EQ(r.endpoints().size(), 1U);
  EXPECT_NE(r.endpoints().front().find("8.8.8.8:83"), std::string::npos);
  EXPECT_GE(d->counters().dropped_records, 2U);
}

TEST(DeniedAddresses, WhatIsNoRangeIsRefusedByName) {
  discovery_world w;
  w.options.denied_addresses = {"10.0.0.0/8", "10.0.0.0/40"};
  try {
    (void)w.make();
    FAIL() << "accepted";
  } catch (const std::invalid_argument& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("discovery_options::denied_addresses"), std::string::npos) << what;
    EXPECT_NE(what.find("10.0.0.0/40"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
