// SPDX-License-Identifier: Apache-2.0
#include <redial/core/log.hpp>

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using redial::close_reason;
using redial::connection_change;
using redial::endpoint_change;
using redial::errc;
using redial::freshness;
using redial::log_level;
using redial::log_record;

const redial::endpoint where{redial::parse_address("10.0.0.1").value(), 80};

class Log : public ::testing::Test {
 protected:
  const log_record& last() { return records.back(); }
  std::string field(std::string_view key) {
    for (const auto& f : last().fields) {
      if (f.key == key) return f.value;
    }
    return "none";
  }
  log_level level_of(endpoint_change c, redial::error_code why = {}) {
    log.on_endpoint({"api.test", where, c, why});
    return last().level;
  }
  log_level level_of(close_reason r) {
    log.on_connection({"api.test", where, 1, connection_change::closed, r, {}, 1s});
    return last().level;
  }
  log_level level_of(connection_change c, redial::error_code why = {}) {
    log.on_connection({"api.test", where, 1, c, {}, why, 1s});
    return last().level;
  }
  log_level level_of(freshness f, std::uint32_t added = 0) {
    log.on_snapshot({"api.test", 1, f, 2, added, 0});
    return last().level;
  }
  log_level level_of(redial::error_code call_error) {
    log.on_call({"api.test", call_error, 1, 1s});
    return last().level;
  }

  std::vector<log_record> records;
  redial::log_listener log{[this](const log_record& r) { records.push_back(r); }, log_level::debug};
};

TEST_F(Log, ARecordSaysWhatTheEventSays) {
  log.on_connection({"https://api.test",
                     where,
                     7,
                     connection_change::closed,
                     close_reason::error,
                     errc::peer_closed,
                     1500ms});
  EXPECT_EQ(last().level, log_level::warning);
  EXPECT_EQ(last().component, "connection");
  EXPECT_EQ(field("name"), "https://api.test");
  EXPECT_EQ(field("endpoint"), "10.0.0.1:80");
  EXPECT_EQ(field("connection"), "7");
  EXPECT_EQ(field("reason"), "error");
  EXPECT_EQ(field("seconds"), "1.500000");
  EXPECT_EQ(last().message.find("connection closed name=https://api.test endpoint=10.0.0.1:80"), 0U)
      << last().message;
}

TEST_F(Log, LevelsSayWhoIsAffected) {
  EXPECT_EQ(level_of(endpoint_change::warming), log_level::debug);
  EXPECT_EQ(level_of(endpoint_change::departed), log_level::info);
  EXPECT_EQ(level_of(endpoint_change::ejected), log_level::warning);
  EXPECT_EQ(level_of(endpoint_change::quarantined), log_level::error);
  EXPECT_EQ(level_of(endpoint_change::retained), log_level::debug);
  EXPECT_EQ(level_of(endpoint_change::retained, errc::no_usable_endpoint), log_level::warning);
  EXPECT_EQ(level_of(close_reason::idle), log_level::debug);
  EXPECT_EQ(level_of(close_reason::drain_deadline), log_level::warning);
  EXPECT_EQ(level_of(connection_change::failed, errc::connect_timeout), log_level::warning);
  EXPECT_EQ(level_of(connection_change::failed, boost::asio::error::operation_aborted),
            log_level::debug);
  EXPECT_EQ(level_of(freshness::fresh), log_level::debug);
  EXPECT_EQ(level_of(freshness::fresh, 1), log_level::info);
  EXPECT_EQ(level_of(freshness::stale), log_level::warning);
  EXPECT_EQ(level_of(freshness::expired), log_level::error);
  EXPECT_EQ(level_of(redial::error_code{}), log_level::debug);
  EXPECT_EQ(level_of(errc::deadline_exceeded), log_level::error);
  EXPECT_EQ(level_of(errc::closed), log_level::info);
  EXPECT_EQ(level_of(boost::asio::error::operation_aborted), log_level::info);
}

TEST_F(Log, AnAnswerThatFailedIsAWarning) {
  redial::answer a;
  a.asked.name = "api.test";
  a.error = errc::dns_timeout;
  log.on_answer({a, 5s, redial::refresh_result::stale});
  EXPECT_EQ(last().level, log_level::warning);
  EXPECT_EQ(field("outcome"), "timeout");
  EXPECT_EQ(field("result"), "stale");
  EXPECT_NE(field("error").find("redial:20 "), std::string::npos);
  a.outcome = redial::answer_outcome::records;
  log.on_answer({a, 5ms});
  EXPECT_EQ(last().level, log_level::debug);
}

TEST_F(Log, CallersAndAttempts) {
  log.on_attempt({"api.test", where, 1, errc::peer_closed, true, 1ms});
  EXPECT_EQ(last().level, log_level::warning);
  log.on_attempt({"api.test", redial::endpoint(), 2, {}, false, 1ms});
  EXPECT_EQ(last().level, log_level::debug);
  EXPECT_EQ(field("endpoint"), "none");
  log.on_checkout_failed({"api.test", errc::checkout_timeout, 5s});
  EXPECT_EQ(last().level, log_level::warning);
  EXPECT_EQ(field("seconds"), "5.000000");
  log.on_reset({"api.test", false, errc::connect_timeout});
  EXPECT_EQ(last().level, log_level::info);
  log.on_reset({"api.test", true, {}});
  EXPECT_EQ(last().level, log_level::debug);
  log.on_panic({"api.test", true, 1, 3});
  EXPECT_EQ(last().level, log_level::error);
  EXPECT_EQ(field("healthy"), "1");
  log.on_panic({"api.test", false, 2, 3});
  EXPECT_EQ(last().level, log_level::info);
}

TEST_F(Log, WhatIsBelowTheLeastLevelIsNotWritten) {
  redial::log_listener quiet([this](const log_record& r) { records.push_back(r); });
  quiet.on_endpoint({"api.test", where, endpoint_change::warming, {}});
  quiet.on_call({"api.test", {}, 1, 1s});
  EXPECT_TRUE(records.empty());
  quiet.on_endpoint({"api.test", where, endpoint_change::departed, {}});
  EXPECT_EQ(records.size(), 1U);
}

TEST_F(Log, Fault168_NamesFromOutsideWriteNoLinesOfTheirOwn) {
  redial::endpoint hostile = where;
  hostile.srv_target = "a\n2026-01-01 level=error \"fake\"\x1b[31m" + std::string(10000, 'x');
  log.on_endpoint({"api\r\n.test", hostile, endpoint_change::added, {}});
  EXPECT_LT(last().message.size(), 1000U);
  const auto printable = [](unsigned char c) { return c >= 0x20 && c <= 0x7e; };
  EXPECT_TRUE(std::ranges::all_of(last().message, printable)) << last().message;
  EXPECT_EQ(field("name"), "api\\x0d\\x0a.test");
  for (const auto& f : last().fields) EXPECT_TRUE(std::ranges::all_of(f.value, printable));
}

TEST(LogListener, NeedsAFunction) {
  EXPECT_THROW(redial::log_listener{redial::log_listener::sink{}}, std::invalid_argument);
}

}  // namespace
