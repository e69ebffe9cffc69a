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

TEST(PoolOptions, Fault91_HealthOptionsOutOfRange) {
  const auto of = [](const std::function<void(health_options&)>& change) {
    return complaint([&](pool_options& o) { change(o.health); });
  };
  EXPECT_THAT(of([](auto& h) { h.max_ejected_percent = 101; }),
              HasSubstr("health_options::max_ejected_percent is 101"));
  EXPECT_THAT(of([](auto& h) { h.panic_threshold_percent = 101; }),
              HasSubstr("panic_threshold_percent is 101"));
  EXPECT_THAT(of([](auto& h) { h.ejection_jitter = 1.5; }), HasSubstr("ejection_jitter is 1.5"));
  const auto base = of([](auto& h) { h.ejection_base = 301s; });
  EXPECT_THAT(base, HasSubstr("ejection_base is 301 s"));
  EXPECT_THAT(base, HasSubstr("ejection_max (300 s)"));
  EXPECT_THAT(of([](auto& h) { h.ejection_max = 25h; }), HasSubstr("ejection_max is "));
  EXPECT_THAT(of([](auto& h) { h.slow_start = -1s; }), HasSubstr("slow_start is "));
  EXPECT_THAT(of([](auto& h) { h.probe_interval = 0s; }), HasSubstr("probe_interval is "));
  EXPECT_THAT(of([](auto& h) { h.probe_timeout = 0s; }), HasSubstr("probe_timeout is "));
  EXPECT_THAT(of([](auto& h) { h.unhealthy_after = 0; }), HasSubstr("unhealthy_after is 0"));
  EXPECT_THAT(of([](auto& h) { h.healthy_after = 0; }), HasSubstr("healthy_after is 0"));
  EXPECT_EQ(of([](auto& h) { h.consecutive_failures = 0; }), "none");
}

TEST(PoolOptions, ConnectLimitsOutOfRange) {
  EXPECT_THAT(complaint([](auto& o) { o.max_connecting = 0; }), HasSubstr("max_connecting is 0"));
  EXPECT_THAT(complaint([](auto& o) { o.spare_connects_per_second = 0; }),
              HasSubstr("spare_connects_per_second is 0"));
}

TEST(PoolOptions, ABackoffThatStartsOverItsEndNamesBoth) {
  EXPECT_THAT(complaint([](auto& o) { o.warm_backoff_base = 20s; }),
              HasSubstr("warm_backoff_max (10 s)"));
}

}  // namespace
}  // namespace redial
