// SPDX-License-Identifier: Apache-2.0
// What callers' code throws comes out of run(), once, and everything else goes on.

#include "client_world.hpp"

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class Throwing : public ClientWorld {
 protected:
  /// Runs until nothing is left to run; how often something was thrown meanwhile.
  int thrown_while_settling() {
    for (int thrown = 0; thrown < 10; ++thrown) {
      try {
        sim.settle();
        return thrown;
      } catch (const std::runtime_error&) {
      }
    }
    ADD_FAILURE() << "throws again and again";
    return 10;
  }
  void all_is_well() {
    const auto next = call();
    sim.settle();
    last().complete({});
    sim.settle();
    EXPECT_EQ(next->completions, 1);
    EXPECT_FALSE(next->error);
    const auto g = client->connection_gauges();
    EXPECT_EQ(g.leased + g.waiting, 0U);
  }
};

TEST_F(Throwing, Fault130_ACompletionThatThrows) {
  started();
  client->async_call(operation(), [](error_code, const call_history&) {
    throw std::runtime_error("of the caller");
  });
  const auto beside = call();
  sim.settle();
  for (auto& op : operations) op->complete({});
  EXPECT_EQ(thrown_while_settling(), 1);
  EXPECT_EQ(beside->completions, 1);
  all_is_well();
}

TEST_F(Throwing, Fault130_AnOperationThatThrowsHasAbandonedItsHandler) {
  options.retry.max_attempts = 1;
  started();
  const auto result = std::make_shared<call_result>();
  client->async_call(
      [](attempt&, scripted_connection&, operation_handler) {
        throw std::runtime_error("of the operation");
      },
      receiver(result));
  const auto beside = call();
  EXPECT_EQ(thrown_while_settling(), 1);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::abandoned);
  last().complete({});
  sim.settle();
  EXPECT_EQ(beside->completions, 1);
  all_is_well();
}

TEST_F(Throwing, Fault130_ACheckoutHandlerThatThrowsReturnsItsLease) {
  started();
  client->async_checkout(
      [](error_code, lease<scripted_connection>) { throw std::runtime_error("of the caller"); });
  EXPECT_EQ(thrown_while_settling(), 1);
  all_is_well();
}

TEST_F(Throwing, Fault130_ADrainHandlerThatThrowsLeavesTheOtherOnes) {
  started();
  int called = 0;
  client->async_drain(sim.now() + 1s, [&](error_code) {
    ++called;
    throw std::runtime_error("of the caller");
  });
  client->async_drain(sim.now() + 1s, [&](error_code ec) {
    ++called;
    EXPECT_FALSE(ec);
  });
  EXPECT_EQ(thrown_while_settling(), 1);
  EXPECT_EQ(called, 2);
  EXPECT_EQ(net->counts().open, 0U);
}

TEST_F(Throwing, Fault130_ACancellationHandlerOfAnOperationThatThrows) {
  started();
  asio::cancellation_signal signal;
  const auto result = std::make_shared<call_result>();
  std::optional<operation_handler> kept_handler;
  client->async_call(
      [&](attempt&, scripted_connection&, operation_handler done) {
        auto slot = done.get_cancellation_slot();
        slot.assign([](asio::cancellation_type) { throw std::runtime_error("of the operation"); });
        kept_handler.emplace(std::move(done));
      },
      asio::bind_cancellation_slot(signal.slot(), receiver(result)));
  sim.settle();
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(thrown_while_settling(), 1);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::operation_aborted);
  EXPECT_EQ(net->counts().open, 1U) << "the other one";
  kept_handler.reset();
  sim.settle();
  EXPECT_EQ(result->completions, 1);
  all_is_well();
}

// At a deadline the operation is cancelled in the middle of the step that goes on with the call.
TEST_F(Throwing, Fault130_ACancellationHandlerThatThrowsAtADeadlineLosesNoCall) {
  started();
  const auto result = std::make_shared<call_result>();
  std::optional<operation_handler> kept_handler;
  client->async_call(
      [&](attempt&, scripted_connection&, operation_handler done) {
        auto slot = done.get_cancellation_slot();
        slot.assign([](asio::cancellation_type) { throw std::runtime_error("of the operation"); });
        kept_handler.emplace(std::move(done));
      },
      call_options(1s),
      receiver(result));
  int thrown = 0;
  for (bool over = false; !over;) {
    try {
      sim.advance(2s);
      over = true;
    } catch (const std::runtime_error&) {
      ++thrown;
      ASSERT_LT(thrown, 5);
    }
  }
  EXPECT_EQ(thrown, 1);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::deadline_exceeded);
  EXPECT_EQ(net->counts().open, 1U) << "the other one";
  kept_handler.reset();
  sim.settle();
  all_is_well();
}

TEST_F(Throwing, Fault129_ACompletionStartsDrainsAndCloses) {
  started();
  std::string order;
  client->async_call(operation(), [&](error_code ec, const call_history&) {
    EXPECT_FALSE(ec);
    order += "first ";
    client->async_call(operation(), [&](error_code e, const call_history&) {
      EXPECT_EQ(e, errc::closed);
      order += "second ";
    });
    client->async_drain(sim.now() + 1min, [&](error_code e) {
      EXPECT_EQ(e, errc::closed);
      order += "drain ";
      client.reset();
    });
    client->reset();
    client->close();
    EXPECT_EQ(order, "first ");
  });
  sim.settle();
  last().complete({});
  sim.settle();
  EXPECT_EQ(order, "first second drain ");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
