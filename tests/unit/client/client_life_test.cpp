// SPDX-License-Identifier: Apache-2.0

// Operations that are made now and started later: by then their client may have moved, or be gone.

#include "client_world.hpp"

#include <boost/asio/deferred.hpp>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using boost::asio::deferred;

class LazyStart : public ClientWorld {
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

TEST_F(LazyStart, ACallFollowsItsClientThatWasMoved) {
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

TEST_F(LazyStart, ACallOfAClientThatIsGoneIsClosed) {
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

TEST_F(LazyStart, ACheckoutOfAClientThatIsGoneIsClosed) {
  started();
  auto op = client->async_checkout(deferred);
  client.reset();
  std::move(op)(told());
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_EQ(error, errc::closed);
}

TEST_F(LazyStart, ADrainOfAClientThatIsGoneIsClosed) {
  started();
  auto op = client->async_drain(sim.now() + 1s, deferred);
  client.reset();
  std::move(op)(told());
  sim.settle();
  EXPECT_EQ(completions, 1);
  EXPECT_EQ(error, errc::closed);
}

TEST_F(LazyStart, AClientThatIsGoneCanBeExplained) {
  started();
  auto op = client->async_explain(deferred);
  client.reset();
  std::string asked;
  std::move(op)([&](const client_explanation& e) { asked = e.name.target; });
  sim.settle();
  EXPECT_EQ(asked, where.text());
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
