// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/event_recorder.hpp>
#include <redial/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using redial::endpoint;
using redial::errc;
using redial::testing::event_is;
using redial::testing::event_kind;
using redial::testing::event_recorder;
using redial::testing::recorded_event;
using redial::testing::simulation;

const endpoint where{redial::parse_address("10.0.0.1").value(), 80};

redial::connection_event closed_connection(std::uint64_t number) {
  return {"api.test",
          where,
          number,
          redial::connection_change::closed,
          redial::close_reason::idle,
          {},
          50s};
}

TEST(EventRecorder, TellsEveryKindInALine) {
  simulation sim;
  event_recorder events(sim.time());
  redial::answer a;
  a.asked.name = "api.test";
  a.outcome = redial::answer_outcome::records;
  a.addresses = {redial::parse_address("10.0.0.1").value(),
                 redial::parse_address("10.0.0.2").value()};
  a.ttl = 5s;
  a.dropped = 1;
  events.on_answer({a, 3ms});
  sim.advance(1250ms);
  events.on_snapshot({"api.test", 2, redial::freshness::fresh, 2, 1, 0});
  events.on_endpoint({"api.test", where, redial::endpoint_change::departed, {}});
  events.on_connection(closed_connection(3));
  events.on_attempt({"api.test", where, 1, errc::peer_closed, true, 10ms});
  events.on_attempt({"api.test", where, 2, {}, false, {}});
  events.on_reset({"api.test", true, errc::connect_timeout});
  events.on_checkout_failed({"api.test", errc::queue_full, 2s});
  events.on_call({"api.test", errc::peer_closed, 3, 5s});
  events.on_call({"api.test", {}, 1, 5ms});
  EXPECT_EQ(
      events.trace(),
      "0.000s answer api.test A records 10.0.0.1 10.0.0.2 ttl 5s dropped 1 unchanged after 0.003s\n"
      "1.250s snapshot api.test #2 fresh 2 endpoints +1 -0\n"
      "1.250s endpoint api.test 10.0.0.1:80 departed\n"
      "1.250s connection api.test 10.0.0.1:80 #3 closed idle after 50.000s\n"
      "1.250s attempt api.test 10.0.0.1:80 #1 retried after 0.010s "
      "(redial: the peer closed the connection before any byte of its response)\n"
      "1.250s attempt api.test 10.0.0.1:80 #2 succeeded\n"
      "1.250s reset api.test suppressed (redial: connecting took longer than connect_timeout)\n"
      "1.250s checkout api.test failed after 2.000s "
      "(redial: queue_limit callers wait already: slow down or raise max_connections)\n"
      "1.250s call api.test #3 failed after 5.000s "
      "(redial: the peer closed the connection before any byte of its response)\n"
      "1.250s call api.test #1 succeeded after 0.005s\n");
}

TEST(EventRecorder, FindsAndCounts) {
  event_recorder events;
  for (std::uint64_t n = 1; n <= 3; ++n) events.on_connection(closed_connection(n));
  EXPECT_EQ(events.count(event_kind::connection), 3U);
  EXPECT_EQ(events.count(event_kind::connection, "closed", "10.0.0.1:80"), 3U);
  EXPECT_EQ(events.count(event_kind::connection, "opened"), 0U);
  EXPECT_EQ(events.count(event_kind::connection, "closed", "10.0.0.2:80"), 0U);
  EXPECT_EQ(events.count(event_kind::reset), 0U);
  EXPECT_EQ(events.first(event_is(event_kind::connection))->number, 1U);
  EXPECT_EQ(events.last(event_is(event_kind::connection))->number, 3U);
  EXPECT_FALSE(events.last(event_is(event_kind::reset)));
  EXPECT_EQ(events.matching([](const recorded_event& e) { return e.number > 1; }).size(), 2U);
  EXPECT_EQ(events.all()[0], events.all()[0]);
  EXPECT_NE(events.all()[0], events.all()[1]);
  events.clear();
  EXPECT_TRUE(events.all().empty());
}

TEST(EventRecorder, Fault168_NamesAreEscapedInTheTrace) {
  event_recorder events;
  events.on_reset({"evil\n\x1b[2Jname", false, {}});
  EXPECT_EQ(events.trace(), "0.000s reset evil\\x0a\\x1b[2Jname done\n");
}

TEST(EventRecorder, WaitsForEventsOfOtherThreads) {
  event_recorder events;
  std::thread other([&] {
    for (std::uint64_t n = 1; n <= 100; ++n) events.on_connection(closed_connection(n));
  });
  EXPECT_TRUE(events.wait_for(event_is(event_kind::connection), 100));
  other.join();
  EXPECT_FALSE(events.wait_for(event_is(event_kind::reset), 1, 0ms));
}

}  // namespace
