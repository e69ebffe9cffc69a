// SPDX-License-Identifier: Apache-2.0
#include <redial/core/version.hpp>

#include <gtest/gtest.h>

#include <algorithm>

TEST(Version, HasThreeParts) { EXPECT_EQ(std::ranges::count(redial::version(), '.'), 2); }
