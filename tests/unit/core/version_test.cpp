// SPDX-License-Identifier: Apache-2.0
#include <redial/core/version.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

TEST(Version, HasThreeParts) { EXPECT_EQ(std::ranges::count(redial::version(), '.'), 2); }

TEST(Version, OfTheHeadersIsTheLibrarys) {
  const auto text = [](int number) { return std::to_string(number); };
  EXPECT_EQ(redial::version(),
            text(REDIAL_VERSION_MAJOR) + "." + text(REDIAL_VERSION_MINOR) + "." +
                text(REDIAL_VERSION_PATCH));
}
