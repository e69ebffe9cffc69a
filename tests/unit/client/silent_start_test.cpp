// SPDX-License-Identifier: Apache-2.0
// Operations that call nobody when they start need not wait for their turn.

#include "client_world.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

template <class Operation>
struct silent {
  static constexpr bool starts_silently = true;

  void operator()(attempt& a, scripted_connection& c, operation_handler done) {
    operation(a, c, std::move(done));
  }
  Operation operation;
};

class SilentStart : public ClientWorld {
 protected:
  void call_silently() {
    auto op = operation();
    client->async_call(silent<decltype(op)>{std::move(op)}, receiver(result));
  }

  std::shared_ptr<call_result> result = std::make_shared<call_result>();
};

TEST_F(SilentStart, IsInsideTheCallWhereTheConnectionsExecutorRuns) {
  started();
  std::size_t inside = 0;
  boost::asio::post(sim.executor(), [&] {
    call_silently();
    inside = operations.size();
  });
  sim.settle();
  EXPECT_EQ(inside, 1U);
  last().complete({});
  EXPECT_EQ(result->completions, 0);
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_FALSE(result->error);
}

TEST_F(SilentStart, IsPostedFromAnywhereElse) {
  started();
  call_silently();
  EXPECT_TRUE(operations.empty());
  sim.settle();
  EXPECT_EQ(operations.size(), 1U);
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
}

TEST_F(SilentStart, TheHandlerIsNotCalledInsideAlsoWhenTheOperationCompletesThere) {
  started();
  on_start = [](started_operation& op) { op.complete({}); };
  int inside = -1;
  boost::asio::post(sim.executor(), [&] {
    call_silently();
    inside = result->completions;
  });
  sim.settle();
  EXPECT_EQ(inside, 0);
  EXPECT_EQ(result->completions, 1);
}

TEST_F(SilentStart, OfARetryFollowsAsWell) {
  started();
  on_start = [](started_operation& op) {
    if (op.number == 1) op.complete(errc::not_sent);
  };
  std::size_t inside = 0;
  boost::asio::post(sim.executor(), [&] {
    call_silently();
    inside = operations.size();
  });
  sim.settle();
  EXPECT_EQ(inside, 2U);
  last().complete({});
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->history.attempts.size(), 1U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
