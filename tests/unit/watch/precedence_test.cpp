// SPDX-License-Identifier: Apache-2.0

#include "watch/precedence.hpp"

#include "service_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::addresses_of;
using testing::never_answered;
using testing::nxdomain;
using testing::v4s;

TEST(Precedence, OnlyTheFirstIsNeededUntilItHasSpoken) {
  const precedence p = decide({nullptr, nullptr, nullptr});
  EXPECT_EQ(p.needed, 1U);
  EXPECT_EQ(p.serving, nullptr);
}

TEST(Precedence, TheFirstWithEndpointsServesAndNobodyBelowIsNeeded) {
  const auto first = addresses_of(v4s({1}));
  const precedence p = decide({first, addresses_of(v4s({2})), nullptr});
  EXPECT_EQ(p.needed, 1U);
  EXPECT_EQ(p.serving, first);
}

TEST(Precedence, OneThatKnowsNothingOrFailedGivesWayToTheNext) {
  for (const snapshot_ptr& nothing : {nxdomain(), never_answered()}) {
    const auto second = addresses_of(v4s({2}));
    const precedence p = decide({nothing, second, nullptr});
    EXPECT_EQ(p.needed, 2U);
    EXPECT_EQ(p.serving, second);
  }
}

TEST(Precedence, WhileTheNextIsSilentTheReasonOfTheOneAboveIsTold) {
  const auto first = nxdomain();
  const precedence p = decide({first, nullptr, nullptr});
  EXPECT_EQ(p.needed, 2U);
  EXPECT_EQ(p.serving, first);
}

TEST(Precedence, WhenNobodyHasEndpointsTheLastIsHeard) {
  const auto last = nxdomain();
  const precedence p = decide({never_answered(), last});
  EXPECT_EQ(p.needed, 2U);
  EXPECT_EQ(p.serving, last);
}

TEST(Precedence, OneThatHasEndpointsAgainTakesOver) {
  const auto first = addresses_of(v4s({1}), freshness::stale);
  EXPECT_EQ(decide({first, addresses_of(v4s({2}))}).serving, first) << "stale ones, too";
}

TEST(Precedence, NobodyAtAll) {
  const precedence p = decide({});
  EXPECT_EQ(p.needed, 0U);
  EXPECT_EQ(p.serving, nullptr);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
