// SPDX-License-Identifier: Apache-2.0
// Servers that are not well: found out by calls, and by probes.
#include <redial/http/http_probe.hpp>

#include "support/http_world.hpp"

#include <algorithm>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class HttpProbe : public HttpWorld {
 protected:
  HttpProbe() {
    http_probe_options o;
    o.path = "/health";
    o.host = "api.test";
    options.client.pool.health.probe = http_probe(o);
    options.client.pool.health.probe_interval = 20ms;
  }
  static std::size_t calls(const raw_http_server& s) {
    return static_cast<std::size_t>(
        std::count_if(s.requests().begin(), s.requests().end(), [](const std::string& r) {
          return r.compare(0, 11, "GET /health") != 0;
        }));
  }
  static raw_reply then_close(int status) {
    raw_reply r = plain_reply(status, "x");
    r.after = raw_reply::then::close;
    return r;
  }
};

TEST_F(HttpProbe, Fault154_AnInstanceThatIsNotReadyGetsNoCall) {
  other.always(plain_reply(503, "starting"));
  connect_both();
  for (int i = 0; i < 50; ++i) {
    const http_result r = get();
    EXPECT_FALSE(r.error) << r.error.message();
    EXPECT_EQ(r.response.history.attempts.size(), 0U);
  }
  EXPECT_GE(other.requests().size(), 1U);
  EXPECT_EQ(calls(other), 0U);
  other.always(plain_reply(200, "ok"));
  EXPECT_TRUE(run_until(io, [&] { return client->connection_gauges().endpoints_active == 2; }));
}

TEST_F(HttpProbe, OneThatFallsIllIsEjectedWithoutACall) {
  connect_both();
  EXPECT_FALSE(get().error);
  ASSERT_TRUE(run_until(io, [&] { return client->connection_gauges().endpoints_active == 2; }));
  const auto before = calls(other);
  other.always(plain_reply(500, "ill"));
  ASSERT_TRUE(run_until(io, [&] { return client->connection_gauges().endpoints_ejected == 1; }));
  EXPECT_GE(client->connection_counters().probe_failures, 3U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get().response.status, 200);
  EXPECT_EQ(calls(other), before);
}

TEST_F(HttpProbe, AServerThatClosesAfterEachAnswerPassesAndItsConnectionIsNotLent) {
  server.always(then_close(200));
  connect();
  const http_result r = get();
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.history.attempts.size(), 0U);
}

TEST_F(HttpProbe, WhoSaysNothingFailsInTime) {
  options.client.pool.health.probe_timeout = 50ms;
  options.client.pool.connect_timeout = 50ms;
  other.always(raw_reply("", raw_reply::then::hold));
  connect_both();
  ASSERT_TRUE(run_until(io, [&] { return client->connection_counters().connect_failures > 0; }));
  EXPECT_FALSE(get().error);
  EXPECT_EQ(calls(other), 0U);
}

using HttpEjection = HttpWorld;

TEST_F(HttpEjection, WhoAnswers503ToEverythingIsEjectedAndNoCallFails) {
  other.always(plain_reply(503, "ill"));
  connect_both();
  ASSERT_TRUE(run_until(io, [&] { return client->connection_gauges().endpoints_active == 2; }));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(get().response.status, 200);
  EXPECT_EQ(client->connection_gauges().endpoints_ejected, 1U);
  EXPECT_EQ(other.requests().size(), 5U);
}

TEST_F(HttpEjection, AlsoWhenNothingOfItMayBeRepeated) {
  other.always(plain_reply(503, "ill"));
  connect_both();
  ASSERT_TRUE(run_until(io, [&] { return client->connection_gauges().endpoints_active == 2; }));
  int ill = 0;
  for (int i = 0; i < 60; ++i) ill += post("x").response.status == 503 ? 1 : 0;
  EXPECT_EQ(ill, 5);
  EXPECT_EQ(client->connection_gauges().endpoints_ejected, 1U);
  EXPECT_EQ(client->connection_counters().connect_failures, 0U);
}

TEST(HttpProbeOptions, IllegalOnesAreRefusedByName) {
  const auto refused = [](auto change) {
    http_probe_options o;
    o.host = "api.test";
    change(o);
    try {
      (void)http_probe(o);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(refused([](auto&) {}), "none");
  EXPECT_NE(refused([](auto& o) { o.path = "health"; }).find("path"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.path = "/a b"; }).find("path"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.host = ""; }).find("host"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.statuses = {}; }).find("statuses"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.statuses = {99}; }).find("statuses"), std::string::npos);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
