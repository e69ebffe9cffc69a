// SPDX-License-Identifier: Apache-2.0

#include <redial/watch/options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

namespace redial {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string refusal(const std::function<void(watch_options&)>& change) {
  watch_options o;
  change(o);
  try {
    validate(o);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(WatchOptions, DefaultsAreLegal) { EXPECT_NO_THROW(validate(watch_options{})); }

TEST(WatchOptions, DefaultsAreTheDesignsNumbers) {
  const watch_options o;
  EXPECT_EQ(o.ttl_floor, 1s);
  EXPECT_EQ(o.ttl_cap, 10s);
  EXPECT_EQ(o.stale_limit, 1h);
  EXPECT_EQ(o.backoff_base, 200ms);
  EXPECT_EQ(o.backoff_max, 10s);
  EXPECT_EQ(o.min_forced_refresh_interval, 2s);
  EXPECT_EQ(o.first_family_wait, 50ms);
  EXPECT_EQ(o.absence_window, 30s);
  EXPECT_EQ(o.rotation_memory, 5min);
  EXPECT_EQ(o.rotation_end, 10min);
  EXPECT_EQ(o.max_endpoints, 4096U);
  EXPECT_EQ(o.max_srv_targets, 256U);
  EXPECT_EQ(o.on_empty_source, on_failure::keep);
}

TEST(WatchOptions, Fault90_CrossedOptionsNameBoth) {
  const auto crossed = refusal([](auto& o) { o.ttl_floor = 11s; });
  EXPECT_THAT(crossed, HasSubstr("ttl_floor is 11 s"));
  EXPECT_THAT(crossed, HasSubstr("ttl_cap (10 s)"));
  const auto stale = refusal([](auto& o) { o.stale_limit = 9999ms; });
  EXPECT_THAT(stale, HasSubstr("stale_limit is 9999 ms"));
  EXPECT_THAT(stale, HasSubstr("ttl_cap (10 s)"));
  EXPECT_THAT(refusal([](auto& o) { o.backoff_base = 11s; }), HasSubstr("backoff_max (10 s)"));
}

TEST(WatchOptions, Fault88_ImpossibleDurationsAreRefused) {
  for (const duration bad : {duration{-1}, duration::min(), duration::max()}) {
    EXPECT_THAT(refusal([&](auto& o) { o.ttl_floor = bad; }), HasSubstr("ttl_floor"));
    EXPECT_THAT(refusal([&](auto& o) { o.ttl_cap = bad; }), HasSubstr("ttl_cap"));
    EXPECT_THAT(refusal([&](auto& o) { o.backoff_base = bad; }), HasSubstr("backoff_base"));
    EXPECT_THAT(refusal([&](auto& o) { o.backoff_max = bad; }), HasSubstr("backoff_max"));
    EXPECT_THAT(refusal([&](auto& o) { o.min_forced_refresh_interval = bad; }),
                HasSubstr("min_forced_refresh_interval"));
    EXPECT_THAT(refusal([&](auto& o) { o.first_family_wait = bad; }),
                HasSubstr("first_family_wait"));
    EXPECT_THAT(refusal([&](auto& o) { o.absence_window = bad; }), HasSubstr("absence_window"));
    EXPECT_THAT(refusal([&](auto& o) { o.rotation_memory = bad; }), HasSubstr("rotation_memory"));
    EXPECT_THAT(refusal([&](auto& o) { o.rotation_end = bad; }), HasSubstr("rotation_end"));
  }
  EXPECT_THAT(refusal([](auto& o) { o.stale_limit = duration{-1}; }), HasSubstr("stale_limit"));
}

TEST(WatchOptions, ZeroIsRefusedWhereItWouldSpin) {
  EXPECT_THAT(refusal([](auto& o) { o.ttl_floor = 0s; }), HasSubstr("from 10 ms"));
  EXPECT_THAT(refusal([](auto& o) { o.backoff_base = 0s; }), HasSubstr("from 10 ms"));
  EXPECT_EQ(refusal([](auto& o) { o.min_forced_refresh_interval = 0s; }), "accepted");
  EXPECT_EQ(refusal([](auto& o) { o.absence_window = 0s; }), "accepted");
}

TEST(WatchOptions, NoLimitOnStaleness) {
  EXPECT_EQ(refusal([](auto& o) { o.stale_limit = longest_duration; }), "accepted");
  EXPECT_EQ(refusal([](auto& o) { o.stale_limit = duration::max(); }), "accepted");
}

TEST(WatchOptions, EndpointLimitAndFamilies) {
  EXPECT_THAT(refusal([](auto& o) { o.max_endpoints = 0; }), HasSubstr("max_endpoints is 0"));
  EXPECT_THAT(refusal([](auto& o) { o.max_endpoints = 65537; }), HasSubstr("1 to 65536"));
  EXPECT_THAT(refusal([](auto& o) { o.max_srv_targets = 0; }), HasSubstr("max_srv_targets is 0"));
  EXPECT_THAT(refusal([](auto& o) { o.max_srv_targets = 4097; }), HasSubstr("1 to 4096"));
  EXPECT_THAT(refusal([](auto& o) { o.ipv4 = o.ipv6 = false; }), HasSubstr("ipv4"));
}

}  // namespace
}  // namespace redial
