// SPDX-License-Identifier: Apache-2.0
#include "pool_world.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class PoolExplains : public PoolWorld {
 protected:
  pooled_endpoint_explanation about(const std::string& address) {
    const auto all = pool->explain().endpoints;
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const auto& e) { return e.where == ep(address); });
    EXPECT_NE(it, all.end()) << address;
    return it == all.end() ? pooled_endpoint_explanation() : *it;
  }
};

TEST_F(PoolExplains, AnEndpointThatServes) {
  start({"10.0.0.1"});
  sim.advance(4s);
  const auto held = take(2);
  take();
  const auto e = about("10.0.0.1");
  EXPECT_EQ(e.standing, endpoint_standing::present);
  EXPECT_EQ(e.health, endpoint_health::active);
  EXPECT_TRUE(e.leasable && e.serving);
  EXPECT_EQ(e.leased, 2U);
  EXPECT_EQ(e.idle, 1U);
  EXPECT_EQ(e.opening + e.draining, 0U);
  EXPECT_EQ(sim.now() - e.known_since, 4s);
  EXPECT_EQ(e.why, "proven");
  EXPECT_EQ(e.next, "");
  EXPECT_EQ(e.missing_since, time_point::max());
}

TEST_F(PoolExplains, OneThatCannotBeReached) {
  net->refuse(ep("10.0.0.1"));
  start({"10.0.0.1"});
  sim.advance(3s);
  const auto e = about("10.0.0.1");
  EXPECT_EQ(e.health, endpoint_health::warming);
  EXPECT_FALSE(e.leasable);
  EXPECT_GE(e.failures, 3U);
  EXPECT_TRUE(e.last_error);
  EXPECT_EQ(e.last_error, pool->last_connect_error());
  EXPECT_EQ(e.why, "its warming attempts failed");
  EXPECT_EQ(e.next, "warmed");
  // What it says comes true.
  const auto asked = net->counts(ep("10.0.0.1")).asked;
  sim.advance(e.next_at - sim.now() - 20ms);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, asked);
  sim.advance(40ms);
  EXPECT_EQ(net->counts(ep("10.0.0.1")).asked, asked + 1);
}

TEST_F(PoolExplains, OneThatIsBeingOpened) {
  net->hang(ep("10.0.0.1"));
  start({"10.0.0.1"});
  const auto e = about("10.0.0.1");
  EXPECT_EQ(e.opening, 1U);
  EXPECT_EQ(e.why, "not proven yet");
  EXPECT_EQ(e.next, "leased when its first connection is open");
}

TEST_F(PoolExplains, OneThatHasLeftAndStillServes) {
  start({"10.0.0.1"});
  net->hang(ep("10.0.0.2"));
  dns({"10.0.0.2"});
  sim.advance(2s);
  take();
  sim.advance(1s);
  auto e = about("10.0.0.1");
  EXPECT_EQ(e.standing, endpoint_standing::retained);
  EXPECT_EQ(sim.now() - e.missing_since, 3s);
  EXPECT_EQ(sim.now() - e.last_leased, 1s);
  EXPECT_EQ(e.next_at, e.missing_since + options.replacement_deadline);
  sim.advance(30s);
  e = about("10.0.0.1");
  EXPECT_EQ(e.standing, endpoint_standing::last_resort);
  EXPECT_EQ(e.why, "it has left, and nothing else serves");
}

TEST_F(PoolExplains, OneThatIsDrained) {
  start({"10.0.0.1"});
  auto held = take();
  dns({"10.0.0.2"});
  sim.advance(1s);
  const auto e = about("10.0.0.1");
  EXPECT_EQ(e.standing, endpoint_standing::drained);
  EXPECT_FALSE(e.leasable);
  EXPECT_EQ(e.draining, 1U);
  EXPECT_EQ(e.leased, 0U);
  EXPECT_EQ(e.next, "what is still leased is cancelled");
  EXPECT_EQ(e.next_at, sim.now() - 1s + options.drain_deadline);
  held = {};
  sim.settle();
  EXPECT_EQ(pool->explain().endpoints.size(), 1U) << "forgotten with its last connection";
}

TEST_F(PoolExplains, OneThatMayHaveLeft) {
  start({"10.0.0.1"});
  snapshot s = answer_of({"10.0.0.1", "10.0.0.2"});
  s.endpoints[0].presence = presence::absent;
  s.endpoints[1].presence = presence::absent;
  s.endpoints[1].doubted = true;
  publish(s);
  EXPECT_EQ(about("10.0.0.1").standing, endpoint_standing::absent);
  EXPECT_EQ(about("10.0.0.1").why, "proven, and not known to have left");
  EXPECT_EQ(about("10.0.0.2").why, "doubted, and nothing proves who answers there");
  EXPECT_EQ(about("10.0.0.2").next, "warmed when an answer shows it again");
}

TEST_F(PoolExplains, AsText) {
  net->refuse(ep("10.0.0.2"));
  start({"10.0.0.1", "10.0.0.2"});
  sim.advance(250ms);
  const auto held = take();
  const std::string text = to_string(pool->explain());
  EXPECT_NE(text.find("https://api.test: 2 endpoints; 0 idle, 1 leased, 0 draining, "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  10.0.0.1:80: present, active, proven; 0 idle, 1 leased"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("last error: Connection refused; next: warmed (in "), std::string::npos)
      << text;
  pool->close();
  EXPECT_NE(to_string(pool->explain()).find(": closed, "), std::string::npos);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
