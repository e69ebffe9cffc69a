// SPDX-License-Identifier: Apache-2.0
#include <redial/core/listeners.hpp>
#include <redial/testing/event_recorder.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using redial::testing::event_recorder;

// One event of every kind.
void tell_all(redial::event_listener& l) {
  const redial::answer a;
  const redial::endpoint where{redial::parse_address("10.0.0.1").value(), 80};
  l.on_answer({a, 1ms});
  l.on_snapshot({"api.test", 1, redial::freshness::fresh, 1, 1, 0});
  l.on_endpoint({"api.test", where, redial::endpoint_change::active, {}});
  l.on_connection({"api.test", where, 1, redial::connection_change::opened, {}, {}, 1ms});
  l.on_attempt({"api.test", where, 1, {}, false, 1ms});
  l.on_reset({"api.test", false, {}});
  l.on_panic({"api.test", true, 1, 3});
  l.on_checkout_failed({"api.test", redial::errc::queue_full, {}});
  l.on_call({"api.test", {}, 1, 1ms});
}

struct thrower : redial::event_listener {
  void on_call(const redial::call_event&) override { throw std::runtime_error("listener"); }
};

TEST(Listeners, EachIsToldEverything) {
  const auto alone = std::make_shared<event_recorder>();
  tell_all(*alone);
  ASSERT_EQ(alone->all().size(), 9U);
  const auto first = std::make_shared<event_recorder>();
  const auto second = std::make_shared<event_recorder>();
  redial::listeners both({first, nullptr, second});
  tell_all(both);
  EXPECT_EQ(first->trace(), alone->trace());
  EXPECT_EQ(second->trace(), alone->trace());
}

TEST(Listeners, OneThatThrowsKeepsNoOtherFromBeingTold) {
  const auto last = std::make_shared<event_recorder>();
  redial::listeners both({std::make_shared<thrower>(), last});
  EXPECT_THROW(both.on_call({"api.test", {}, 1, 1ms}), std::runtime_error);
  EXPECT_EQ(last->all().size(), 1U);
}

}  // namespace
