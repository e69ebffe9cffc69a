// SPDX-License-Identifier: Apache-2.0
// What is said of many clients while they run.

#include "churn/progress.hpp"

#include <gtest/gtest.h>

namespace redial::churn {
namespace {

TEST(FailuresText, NamesThoseWithFailuresOnly) {
  live_counters a;
  live_counters b;
  live_counters c;
  const std::vector<watched_contestant> all{
      {"redial", "redial", &a}, {"plain", "plain client", &b}, {"curl", "libcurl", &c}};
  EXPECT_EQ(failures_text(all), "failed so far: none");
  b.failed = 21;
  EXPECT_EQ(failures_text(all), "failed so far: plain 21");
  c.failed = 3;
  EXPECT_EQ(failures_text(all), "failed so far: plain 21, curl 3");
}

}  // namespace
}  // namespace redial::churn
