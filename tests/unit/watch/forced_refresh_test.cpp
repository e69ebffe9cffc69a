// SPDX-License-Identifier: Apache-2.0

#include "watch/forced_refresh.hpp"

#include "watch_world.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using namespace std::chrono_literals;

TEST(ForcedRefresh, TheFirstIsGrantedAtOnce) {
  forced_refresh f{2s};
  EXPECT_EQ(f.due(), time_point::max());
  EXPECT_TRUE(f.want(at(0s)));
  EXPECT_EQ(f.due(), time_point::max());
}

TEST(ForcedRefresh, ASecondOneIsPutOffToTheEndOfTheInterval) {
  forced_refresh f{2s};
  EXPECT_TRUE(f.want(at(0s)));
  EXPECT_FALSE(f.want(at(1s)));
  EXPECT_FALSE(f.want(at(1999ms)));
  EXPECT_EQ(f.due(), at(2s));
  EXPECT_TRUE(f.want(at(2s)));
  EXPECT_EQ(f.due(), time_point::max());
  EXPECT_FALSE(f.want(at(3s)));
  EXPECT_EQ(f.due(), at(4s));
}

TEST(ForcedRefresh, OneThatComesLateIsGrantedAndClearsWhatWasPutOff) {
  forced_refresh f{2s};
  EXPECT_TRUE(f.want(at(0s)));
  EXPECT_FALSE(f.want(at(1s)));
  EXPECT_TRUE(f.want(at(10s)));
  EXPECT_EQ(f.due(), time_point::max());
}

TEST(ForcedRefresh, WithoutAnIntervalAllAreGranted) {
  forced_refresh f{0s};
  EXPECT_TRUE(f.want(at(0s)));
  EXPECT_TRUE(f.want(at(0s)));
  EXPECT_EQ(f.due(), time_point::max());
}

TEST(ForcedRefresh, AtTheEndOfTimeNothingOverflows) {
  forced_refresh f{longest_duration};
  EXPECT_TRUE(f.want(time_point::max() - 1s));
  EXPECT_FALSE(f.want(time_point::max() - 1ns));
  EXPECT_EQ(f.due(), time_point::max());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
