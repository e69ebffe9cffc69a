// SPDX-License-Identifier: Apache-2.0
// What operations say of their peers, and what becomes of it.
#include "client_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

class Verdict : public ClientWorld {
 protected:
  Verdict() : ClientWorld("http://api.test") { dns.set("api.test", {"10.0.0.1", "10.0.0.2"}); }
  // Questions are asked in both families.
  [[nodiscard]] std::size_t refreshes() const { return dns.times_asked("api.test") / 2; }
  void burst(void (attempt::*verdict)()) {
    for (int i = 0; i < 30; ++i) {
      (void)call(call_options(5s).idempotent());
      sim.settle();
      (last().view->*verdict)();
      last().complete({});
      sim.settle();
    }
  }
};

TEST_F(Verdict, ManyPoisonedInABurstAskForOneRefreshNowAndOneAfterTheInterval) {
  start();
  sim.advance(3s);
  ASSERT_EQ(refreshes(), 1U);
  const time_point now = sim.now();
  burst(&attempt::poison);
  ASSERT_EQ(sim.now(), now);
  EXPECT_EQ(refreshes(), 2U);
  sim.advance(1900ms);
  EXPECT_EQ(refreshes(), 2U);
  sim.advance(100ms);
  EXPECT_EQ(refreshes(), 3U);
  sim.advance(2s);
  EXPECT_EQ(refreshes(), 3U);
  EXPECT_EQ(names->counters().forced, 30U);
  EXPECT_EQ(names->counters().forced_deferred, 29U);
  EXPECT_EQ(client->counters().failed_calls, 0U);
}

TEST_F(Verdict, ManyMovedInABurstAskForOneRefreshNowAndOneAfterTheInterval) {
  start();
  sim.advance(3s);
  ASSERT_EQ(refreshes(), 1U);
  burst(&attempt::moved);
  EXPECT_EQ(refreshes(), 2U);
  on_start = [](started_operation& op) { op.complete({}); };  // the retries
  sim.advance(1900ms);
  EXPECT_EQ(refreshes(), 2U);
  sim.advance(100ms);
  EXPECT_EQ(refreshes(), 3U);
  sim.advance(2s);
  EXPECT_EQ(refreshes(), 3U);
  EXPECT_EQ(client->counters().failed_calls, 0U);
}

TEST_F(Verdict, AMovedRoleIsFollowedByTheRefreshThatItAsksFor) {
  dns.set("api.test", {"10.0.0.1"});
  start();
  sim.advance(3s);
  dns.set("api.test", {"10.0.0.9"});
  const auto result = call(5s);
  sim.settle();
  last().view->moved();
  last().complete({});
  sim.advance(200ms);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(last().where.addr.to_string(), "10.0.0.9");
  last().complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
