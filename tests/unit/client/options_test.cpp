// SPDX-License-Identifier: Apache-2.0
#include <redial/client/call.hpp>
#include <redial/client/options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

namespace redial {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string complaint(const std::function<void(client_options&)>& change) {
  client_options o;
  change(o);
  try {
    validate(o);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(ClientOptions, DefaultsAndFinagleAreLegal) {
  client_options o;
  EXPECT_NO_THROW(validate(o));
  o.retry = retry_policy::finagle();
  EXPECT_NO_THROW(validate(o));
  EXPECT_EQ(o.retry.max_attempts, 4U);
  EXPECT_EQ(o.retry.delay, 200ms);
  EXPECT_EQ(o.retry.reset_grace, 2s);
  EXPECT_EQ(o.pool.min_reset_interval, 2s);
  EXPECT_TRUE(o.retry.reset_on_failure);
  EXPECT_FALSE(o.retry.first_at_once);
  EXPECT_FALSE(o.retry.retry_unsafe);
}

TEST(ClientOptions, Fault88_EveryComplaintNamesOptionValueAndRange) {
  EXPECT_EQ(complaint([](auto& o) { o.retry.max_attempts = 0; }),
            "retry_policy::max_attempts is 0: must be from 1 to 100");
  EXPECT_EQ(complaint([](auto& o) { o.retry.delay = -1ms; }),
            "retry_policy::delay is -1 ms: must be from 0 s to 60 s");
  EXPECT_EQ(complaint([](auto& o) { o.retry.delay = 61s; }),
            "retry_policy::delay is 61 s: must be from 0 s to 60 s");
  EXPECT_EQ(complaint([](auto& o) { o.retry.budget_window = 1ns; }),
            "retry_policy::budget_window is 1 ns: must be from 100 ms to 3600 s");
  EXPECT_EQ(complaint([](auto& o) { o.retry.reset_grace = 2h; }),
            "retry_policy::reset_grace is 7200 s: must be from 0 s to 3600 s");
  EXPECT_EQ(complaint([](auto& o) { o.attempt_timeout = -1s; }),
            "client_options::attempt_timeout is -1 s: must be from 0 s to 86400 s");
  EXPECT_EQ(complaint([](auto& o) { o.default_timeout = 0s; }),
            "client_options::default_timeout is 0 s: must be from 1 ms to 86400 s");
}

TEST(ClientOptions, Fault91_SharesAndPercentagesHaveTheirRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(complaint([](auto& o) { o.retry.jitter = 1.5; }), HasSubstr("jitter is 1.5"));
  EXPECT_THAT(complaint([&](auto& o) { o.retry.jitter = nan; }), HasSubstr("jitter is nan"));
  EXPECT_THAT(complaint([](auto& o) { o.retry.budget_percent = 101; }),
              HasSubstr("must be from 0 to 100"));
  EXPECT_THAT(complaint([](auto& o) { o.retry.budget_per_second = -1; }),
              HasSubstr("budget_per_second is -1"));
}

TEST(ClientOptions, Fault88_WaitsThatContradictNameBoth) {
  EXPECT_THAT(complaint([](auto& o) { o.retry.delay_max = 100ms; }),
              HasSubstr("retry_policy::delay_max is 100 ms: must be from delay (200 ms)"));
  EXPECT_THAT(complaint([](auto& o) { o.retry.delay_factor = 0.5; }),
              HasSubstr("delay_factor is 0.5"));
}

TEST(ClientOptions, Fault88_HedgingHasItsRanges) {
  EXPECT_THAT(complaint([](auto& o) { o.hedge.delay = 0s; }),
              HasSubstr("hedge_policy::delay is 0 s: must be from 1 ms to 60 s"));
  EXPECT_THAT(complaint([](auto& o) { o.hedge.percentile = 100; }), HasSubstr("percentile is 100"));
  EXPECT_THAT(complaint([](auto& o) { o.hedge.min_samples = 257; }),
              HasSubstr("min_samples is 257: must be from 10 to 256"));
  EXPECT_THAT(complaint([](auto& o) { o.hedge.max_percent = -1; }), HasSubstr("max_percent is -1"));
  EXPECT_EQ(client_options().hedge.when, hedge_policy::trigger::off);
}

TEST(ClientOptions, ThePoolsOptionsAreCheckedToo) {
  EXPECT_THAT(complaint([](auto& o) { o.pool.max_connections = 0; }), HasSubstr("max_connections"));
}

TEST(CallOptions, ConvertFromADeadlineAndFromTimeoutsInAnyUnit) {
  const auto timeout = [](call_options o) { return o.timeout; };
  EXPECT_EQ(timeout(2s), 2s);
  EXPECT_EQ(timeout(1500ms), 1500ms);
  EXPECT_EQ(timeout(std::chrono::duration<double>(0.5)), 500ms);
  EXPECT_EQ(timeout({}), std::nullopt);
  const time_point by = time_point{} + 5h;
  EXPECT_EQ(call_options(by).deadline, by);
  EXPECT_EQ(call_options().deadline, std::nullopt);
  EXPECT_EQ(call_options().is_idempotent, std::nullopt);
  EXPECT_EQ(call_options(2s).idempotent().is_idempotent, true);
  EXPECT_EQ(call_options(2s).idempotent(false).is_idempotent, false);
}

TEST(CallOptions, Fault88_ExtremeTimeoutsDoNotOverflow) {
  EXPECT_EQ(call_options(std::chrono::hours{24 * 365 * 400}).timeout, longest_duration);
  EXPECT_EQ(call_options(-std::chrono::hours{24 * 365 * 400}).timeout, duration::zero());
  EXPECT_EQ(call_options(-1s).timeout, duration::zero());
  EXPECT_EQ(call_options(std::chrono::duration<double>(std::nan(""))).timeout, duration::zero());
}

TEST(CallHistory, TellsOneLinePerAttempt) {
  call_history h;
  EXPECT_EQ(h.text(), "");
  h.attempts.emplace_back();
  h.attempts[0].error = errc::unresolved;
  h.attempts[0].elapsed = 1500us;
  h.attempts.emplace_back();
  h.attempts[1].where = endpoint(boost::asio::ip::make_address("10.0.0.1"), 80);
  h.attempts[1].error = errc::attempt_timeout;
  h.attempts[1].elapsed = 2s;
  h.attempts[1].sent = true;
  h.attempts[1].reused = true;
  const std::string text = h.text();
  EXPECT_THAT(text, HasSubstr("1: no connection, 1.5 ms, not sent: "));
  EXPECT_THAT(text, HasSubstr("\n2: 10.0.0.1:80, 2000.0 ms, sent, reused connection: "));
  EXPECT_THAT(text, HasSubstr("(redial:62)"));
}

}  // namespace
}  // namespace redial
