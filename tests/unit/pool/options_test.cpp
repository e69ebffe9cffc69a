// SPDX-License-Identifier: Apache-2.0
// Illegal options are refused by name.

#include <redial/pool/options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace redial {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string complaint(const std::function<void(pool_options&)>& change) {
  pool_options o;
  change(o);
  try {
    validate(o);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "none";
}

TEST(PoolOptions, TheDefaultsAreLegal) {
  EXPECT_EQ(complaint([](pool_options&) {}), "none");
}

TEST(PoolOptions, Fault89_LimitsThatContradictNameBoth) {
  EXPECT_THAT(complaint([](auto& o) { o.max_connections = 0; }), HasSubstr("max_connections is 0"));
  const auto over = complaint([](auto& o) {
    o.max_connections = 10;
    o.max_total_connections = 5;
  });
  EXPECT_THAT(over, HasSubstr("max_connections is 10"));
  EXPECT_THAT(over, HasSubstr("max_total_connections"));
  const auto idle = complaint([](auto& o) {
    o.min_idle = 9;
    o.max_connections = 8;
  });
  EXPECT_THAT(idle, HasSubstr("min_idle is 9"));
  EXPECT_THAT(idle, HasSubstr("max_connections (8)"));
  EXPECT_EQ(complaint([](auto& o) { o.queue_limit = 0; }), "none");
}

TEST(PoolOptions, Fault90_AConnectTimeoutOverTheCheckoutTimeoutIsLegal) {
  EXPECT_EQ(complaint([](auto& o) {
              o.checkout_timeout = 1s;
              o.connect_timeout = 10s;
            }),
            "none");
}

TEST(PoolOptions, Fault88_DurationsOutOfRange) {
  const std::vector<std::pair<std::string, duration pool_options::*>> all = {
      {"checkout_timeout", &pool_options::checkout_timeout},
      {"connect_timeout", &pool_options::connect_timeout},
      {"idle_timeout", &pool_options::idle_timeout},
      {"max_lifetime", &pool_options::max_lifetime},
      {"idle_check_after", &pool_options::idle_check_after},
      {"warm_stagger", &pool_options::warm_stagger},
      {"warm_backoff_base", &pool_options::warm_backoff_base},
      {"warm_backoff_max", &pool_options::warm_backoff_max},
      {"replacement_deadline", &pool_options::replacement_deadline},
      {"drain_deadline", &pool_options::drain_deadline},
      {"min_reset_interval", &pool_options::min_reset_interval},
  };
  for (const auto& [name, member] : all) {
    for (const duration bad : {duration{-1ns}, longest_duration + 1ns, duration::max()}) {
      EXPECT_THAT(complaint([&, m = member](auto& o) { o.*m = bad; }), HasSubstr(name + " is "));
    }
  }
}

TEST(PoolOptions, Fault91_AShareOutOfRange) {
  for (const double bad : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(complaint([&](auto& o) { o.lifetime_jitter = bad; }),
                HasSubstr("lifetime_jitter is "));
  }
}

TEST(PoolOptions, ABackoffThatStartsOverItsEndNamesBoth) {
  EXPECT_THAT(complaint([](auto& o) { o.warm_backoff_base = 20s; }),
              HasSubstr("warm_backoff_max (10 s)"));
}

}  // namespace
}  // namespace redial
