// SPDX-License-Identifier: Apache-2.0
#include "core/service_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using records = std::vector<srv_record>;

TEST(ServiceSet, NothingIsNothing) {
  const auto set = judge_services({});
  EXPECT_TRUE(set.usable.empty());
  EXPECT_EQ(set.dropped, 0U);
  EXPECT_FALSE(set.no_service);
}

TEST(ServiceSet, TargetsBecomeCanonicalAndSorted) {
  const auto set = judge_services({{"B.Test.", 1, 2, 3}, {"a.test", 2}, {"a.test", 1}});
  EXPECT_EQ(set.usable, (records{{"a.test", 1}, {"a.test", 2}, {"b.test", 1, 2, 3}}));
  EXPECT_EQ(set.dropped, 0U);
}

TEST(ServiceSet, Fault48_OnlyTheRootAloneMeansNoService) {
  const auto alone = judge_services({{".", 0}, {".", 80}});
  EXPECT_TRUE(alone.no_service);
  EXPECT_EQ(alone.dropped, 0U);
  EXPECT_TRUE(alone.usable.empty());
  const auto among = judge_services({{".", 0}, {"a.test", 80}});
  EXPECT_FALSE(among.no_service);
  EXPECT_EQ(among.dropped, 1U);
  EXPECT_EQ(among.usable, (records{{"a.test", 80}}));
}

TEST(ServiceSet, Fault53And54_WhatNobodyCanDialIsDroppedAndCounted) {
  const auto set = judge_services({{"a.test", 0},
                                   {"10.0.0.1", 80},
                                   {"[::1]", 80},
                                   {"::1", 80},
                                   {"", 80},
                                   {"a\\.b.test", 80},
                                   {"a.onion", 80},
                                   {"_a.test", 65535}});
  EXPECT_EQ(set.usable, (records{{"_a.test", 65535}}));
  EXPECT_EQ(set.dropped, 7U);
}

TEST(ServiceSet, RepeatedPlacesKeepTheBestWhateverTheOrder) {
  records all{
      {"a.test", 80, 2, 9}, {"A.test", 80, 1, 5}, {"a.test.", 80, 1, 7}, {"a.test", 80, 1, 0}};
  std::sort(all.begin(), all.end());
  do {
    EXPECT_EQ(judge_services(all).usable, (records{{"a.test", 80, 1, 7}}));
    EXPECT_EQ(judge_services(all).dropped, 0U);
  } while (std::next_permutation(all.begin(), all.end()));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
