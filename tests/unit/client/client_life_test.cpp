// SPDX-License-Identifier: Apache-2.0

// What a client is made of, and operations that start when it has moved or is gone.

#include <redial/discovery/feed.hpp>

#include "client_world.hpp"

#include <boost/asio/deferred.hpp>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using boost::asio::deferred;

class ClientLife : public ClientWorld {
 protected:
  // What completes with an error_code first.
  auto told() {
    return [this](error_code ec, auto&&...) {
      ++completions;
      error = ec;
    };
  }

  int completions = 0;
  error_code error;
};

TEST_F(ClientLife, ACallFollowsItsClientThatWasMoved) {
  started();
  auto op = client->async_call(operation(), deferred);
  scripted_client other = std::move(*client);
  client.reset();
  std::move(op)(told());
  sim.settle();
  ASSERT_EQ(operations.size(), 1U);
  last().complete({});
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_FALSE(error);
}

TEST_F(ClientLife, ACallOfAClientThatIsGoneIsClosed) {
  started();
  auto op = client->async_call(operation(), deferred);
  client.reset();
  std::move(op)(told());
  EXPECT_EQ(completions, 0) << "never inline";
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_EQ(error, errc::closed);
  EXPECT_TRUE(operations.empty());
}

TEST_F(ClientLife, ACheckoutOfAClientThatIsGoneIsClosed) {
  started();
  auto op = client->async_checkout(deferred);
  client.reset();
  std::move(op)(told());
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_EQ(error, errc::closed);
}

TEST_F(ClientLife, ADrainOfAClientThatIsGoneIsClosed) {
  started();
  auto op = client->async_drain(sim.now() + 1s, deferred);
  client.reset();
  std::move(op)(told());
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_EQ(error, errc::closed);
}

TEST_F(ClientLife, AClientThatIsGoneCanBeExplained) {
  started();
  auto op = client->async_explain(deferred);
  client.reset();
  std::string asked;
  std::move(op)([&](const client_explanation& e) { asked = e.name.target; });
  sim.settle();
  EXPECT_EQ(asked, where.text());
}

TEST_F(ClientLife, AClientOfNothingIsRefused) {
  start();
  const auto make = [&](boost::asio::any_io_executor executor, bool with_names, bool with_net) {
    scripted_client c(executor,
                      with_names ? names : nullptr,
                      where,
                      with_net ? net : nullptr,
                      options,
                      with_net ? sim.time() : nullptr);
  };
  EXPECT_THROW(make({}, true, true), std::invalid_argument);
  EXPECT_THROW(make({}, true, false), std::invalid_argument);
  EXPECT_THROW(make(sim.executor(), false, true), std::invalid_argument);
  EXPECT_THROW(make(sim.executor(), true, false), std::invalid_argument);
  EXPECT_THROW((void)make_feed(nullptr, where), std::invalid_argument);
}

TEST_F(ClientLife, AnUntouchedClientCanBeReadThroughAConstReference) {
  const scripted_client& c = started();
  EXPECT_EQ(c.connection_gauges().idle, 2U);
  EXPECT_EQ(c.connection_counters().opened, 2U);
  (void)c.connection_histograms();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
