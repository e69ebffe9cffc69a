// SPDX-License-Identifier: Apache-2.0
#include <redial/core/address.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using redial::connect_request;
using redial::endpoint;
using redial::error_code;
using redial::pooled_connection;
using redial::testing::connect_behaviour;
using redial::testing::scripted_connector;
using redial::testing::simulation;

struct observer final : redial::idle_observer {
  int told = 0;
  void stirred() override { ++told; }
};

class ScriptedConnector : public ::testing::Test {
 protected:
  struct outcome {
    int calls = 0;
    error_code error;
    std::unique_ptr<pooled_connection> connection;
  };

  std::shared_ptr<redial::connect_operation> open(const endpoint& where, outcome& out) {
    connect_request request;
    request.where = where;
    request.executor = sim.executor();
    auto op =
        net.open(request, [&out](error_code ec, std::unique_ptr<pooled_connection> connection) {
          ++out.calls;
          out.error = ec;
          out.connection = std::move(connection);
        });
    EXPECT_EQ(out.calls, 0) << "completed inline";
    return op;
  }

  std::unique_ptr<pooled_connection> opened(const endpoint& where) {
    outcome out;
    (void)open(where, out);
    sim.settle();
    EXPECT_TRUE(out.connection);
    return std::move(out.connection);
  }

  simulation sim;
  scripted_connector net{sim};
  const endpoint a{redial::parse_address("10.0.0.1").value(), 80};
  const endpoint b{redial::parse_address("10.0.0.2").value(), 80};
};

TEST_F(ScriptedConnector, CountsLikeATurnstile) {
  auto first = opened(a);
  auto second = opened(a);
  auto other = opened(b);
  EXPECT_EQ(net.counts(a).open, 2U);
  first->close();
  first->close();
  EXPECT_EQ(net.counts(a).open, 1U);
  EXPECT_EQ(net.counts(a).opened, 2U);
  EXPECT_EQ(net.counts(a).closed(), 1U);
  second.reset();
  EXPECT_EQ(net.counts(a).open, 0U);
  EXPECT_EQ(net.counts().open, 1U);
  EXPECT_EQ(net.counts().opened, 3U);
  EXPECT_EQ(net.attempts(), (std::vector{a, a, b}));
  EXPECT_EQ(to_string(net.counts(a)),
            "asked 2, opening 0, opened 2, open 0, failed 0, cancelled 0");
}

TEST_F(ScriptedConnector, OpensAfterItsLatency) {
  net.accept(a, 30ms);
  outcome out;
  (void)open(a, out);
  EXPECT_EQ(net.counts(a).opening, 1U);
  sim.advance(29ms);
  EXPECT_EQ(out.calls, 0);
  sim.advance(1ms);
  EXPECT_EQ(out.calls, 1);
  EXPECT_TRUE(out.connection);
  EXPECT_EQ(net.counts(a).opening, 0U);
}

TEST_F(ScriptedConnector, FailsAsTold) {
  net.refuse(a);
  net.fail(b, asio::error::connection_reset, 1s);
  outcome refused;
  outcome reset;
  (void)open(a, refused);
  (void)open(b, reset);
  sim.settle();
  EXPECT_EQ(refused.error, asio::error::connection_refused);
  EXPECT_FALSE(refused.connection);
  sim.advance(1s);
  EXPECT_EQ(reset.error, asio::error::connection_reset);
  EXPECT_EQ(net.counts().failed, 2U);
  net.accept(a);
  EXPECT_TRUE(opened(a));
}

TEST_F(ScriptedConnector, OneOffsComeFirst) {
  connect_behaviour refused;
  refused.error = asio::error::connection_refused;
  net.next(a, refused);
  outcome out;
  (void)open(a, out);
  sim.settle();
  EXPECT_TRUE(out.error);
  EXPECT_TRUE(opened(a));
}

TEST_F(ScriptedConnector, HangsUntilItIsCancelled) {
  net.hang(a);
  outcome out;
  auto op = open(a, out);
  sim.advance(1h);
  EXPECT_EQ(out.calls, 0);
  op->cancel();
  op->cancel();
  EXPECT_EQ(out.calls, 0);
  sim.settle();
  EXPECT_EQ(out.calls, 1);
  EXPECT_EQ(out.error, asio::error::operation_aborted);
  EXPECT_EQ(net.counts(a).cancelled, 1U);
  op->cancel();
  sim.settle();
  EXPECT_EQ(out.calls, 1);
}

TEST_F(ScriptedConnector, CancellingDisarmsWhatWasOnItsWay) {
  net.accept(a, 1s);
  outcome out;
  auto op = open(a, out);
  op->cancel();
  op.reset();
  EXPECT_TRUE(sim.left_over().none()) << sim.left_over();
  EXPECT_EQ(out.error, asio::error::operation_aborted);
}

TEST_F(ScriptedConnector, MayComeLateInSpiteOfCancelling) {
  connect_behaviour stubborn;
  stubborn.latency = 1s;
  stubborn.ignores_cancel = true;
  net.behave(stubborn);
  outcome out;
  open(a, out)->cancel();
  sim.advance(1s);
  EXPECT_EQ(out.calls, 1);
  EXPECT_TRUE(out.connection);
}

TEST_F(ScriptedConnector, TellsOnceThatItsPeerHungUp) {
  const auto watcher = std::make_shared<observer>();
  auto connection = opened(a);
  EXPECT_TRUE(connection->quiet());
  EXPECT_TRUE(connection->watch_idle(watcher));
  EXPECT_TRUE(net.peers(a)[0]->is_watched());
  net.hang_up(a);
  net.hang_up(a);
  EXPECT_EQ(watcher->told, 0);
  sim.settle();
  EXPECT_EQ(watcher->told, 1);
  EXPECT_FALSE(connection->quiet());
}

TEST_F(ScriptedConnector, StirringLeavesItQuiet) {
  const auto watcher = std::make_shared<observer>();
  auto connection = opened(a);
  (void)connection->watch_idle(watcher);
  net.peers(a)[0]->stir();
  sim.settle();
  EXPECT_EQ(watcher->told, 1);
  EXPECT_TRUE(connection->quiet());
  net.peers(a)[0]->stir();  // nobody asked again
  sim.settle();
  EXPECT_EQ(watcher->told, 1);
}

TEST_F(ScriptedConnector, WatchingWhatHungUpBeforeTellsAtOnce) {
  const auto watcher = std::make_shared<observer>();
  auto connection = opened(a);
  net.hang_up(a);
  (void)connection->watch_idle(watcher);
  EXPECT_EQ(watcher->told, 0);
  sim.settle();
  EXPECT_EQ(watcher->told, 1);
}

TEST_F(ScriptedConnector, BreaksSilentlyAndMayNotBeAbleToWatch) {
  connect_behaviour blind;
  blind.can_watch = false;
  net.behave(a, blind);
  auto connection = opened(a);
  EXPECT_FALSE(connection->watch_idle(std::make_shared<observer>()));
  net.peers(a)[0]->break_silently();
  EXPECT_FALSE(connection->quiet());
}

TEST_F(ScriptedConnector, ClosedTellsNobody) {
  const auto watcher = std::make_shared<observer>();
  auto connection = opened(a);
  const auto peer = net.peers(a)[0];
  (void)connection->watch_idle(watcher);
  connection->close();
  peer->hang_up();
  sim.settle();
  EXPECT_EQ(watcher->told, 0);
  EXPECT_FALSE(peer->is_open());
  EXPECT_FALSE(connection->quiet());
  EXPECT_TRUE(net.peers(a).empty());
}

TEST_F(ScriptedConnector, ConnectionsMayOutliveTheConnector) {
  auto other = std::make_unique<scripted_connector>(sim);
  outcome out;
  connect_request request;
  request.where = a;
  (void)other->open(request, [&](error_code, std::unique_ptr<pooled_connection> connection) {
    out.connection = std::move(connection);
  });
  sim.settle();
  other.reset();
  ASSERT_TRUE(out.connection);
  out.connection->close();
}

TEST_F(ScriptedConnector, ItsEndIsTheEndOfWhatIsBeingOpened) {
  auto other = std::make_unique<scripted_connector>(sim);
  connect_behaviour dead;
  dead.never = true;
  dead.ignores_cancel = true;
  other->behave(dead);
  int calls = 0;
  connect_request request;
  request.where = a;
  (void)other->open(request, [&](error_code ec, std::unique_ptr<pooled_connection>) {
    EXPECT_EQ(ec, asio::error::operation_aborted);
    ++calls;
  });
  other.reset();
  sim.settle();
  EXPECT_EQ(calls, 1);
}

TEST(ScriptedConnectorTeardown, Fault127_AnUndeliveredConnectionIsClosed) {
  auto sim = std::make_unique<simulation>();
  scripted_connector net(*sim);
  const endpoint a{redial::parse_address("10.0.0.1").value(), 80};
  connect_request request;
  request.where = a;
  (void)net.open(request, [](error_code, std::unique_ptr<pooled_connection>) { FAIL(); });
  EXPECT_EQ(net.counts(a).open, 1U);
  sim.reset();
  EXPECT_EQ(net.counts(a).open, 0U);
}

}  // namespace
