// SPDX-License-Identifier: Apache-2.0
// The user's own word on what is retried.
#include "client_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class RetryIf : public ClientWorld {
 protected:
  struct question {
    attempt_record failed;
    bool suggested = false;
  };
  void answer(bool yes) {
    options.retry.retry_if = [this, yes](const attempt_record& failed, bool suggested) {
      asked.push_back({failed, suggested});
      return yes;
    };
  }
  std::vector<question> asked;
};

TEST_F(RetryIf, WidensWhatIsRetried) {
  answer(true);
  started();
  const auto result = call(call_options().idempotent());
  sim.settle();
  last().view->response_started();
  last().complete(errc::partial_response);
  sim.advance(200ms);
  ASSERT_EQ(operations.size(), 2U);
  last().complete({});
  sim.settle();
  EXPECT_FALSE(result->error);
  ASSERT_EQ(asked.size(), 1U) << "successes are not asked about";
  EXPECT_FALSE(asked[0].suggested);
  EXPECT_EQ(asked[0].failed.error, errc::partial_response);
  EXPECT_EQ(asked[0].failed.where, operations[0]->where);
  EXPECT_TRUE(asked[0].failed.sent && asked[0].failed.received);
}

TEST_F(RetryIf, NarrowsWhatIsRetried) {
  answer(false);
  started();
  const auto result = call(call_options().idempotent());
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(result->error, asio::error::connection_reset);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(asked[0].suggested);
}

TEST_F(RetryIf, DoesNotRepeatWhatIsNotSafe) {
  answer(true);
  started();
  const auto result = call();
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.advance(1s);
  EXPECT_EQ(operations.size(), 1U) << "sent, and not idempotent";
  EXPECT_EQ(result->error, asio::error::connection_reset);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(RetryIf, LimitsStayLimits) {
  answer(true);
  started();
  const auto result = call(call_options(60s).idempotent());
  for (int i = 0; i < 10; ++i) {
    sim.advance(1s);
    if (operations.back()->handler) last().complete(errc::bad_response);
  }
  EXPECT_EQ(operations.size(), 4U);
  EXPECT_EQ(result->error, errc::bad_response);
}

TEST_F(RetryIf, AMovedPeerAnAttemptTimeoutAndACheckoutAreAskedAbout) {
  answer(false);
  options.attempt_timeout = 1s;
  started();
  (void)call(call_options().idempotent());
  sim.settle();
  last().view->moved();
  last().complete({});
  (void)call(call_options().idempotent());
  sim.advance(1s);
  net->behave([] {
    connect_behaviour refuse;
    refuse.error = asio::error::connection_refused;
    return refuse;
  }());
  for (auto& p : net->peers()) p->hang_up();
  sim.settle();
  const auto refused = call(call_options().idempotent());
  sim.advance(5s);
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[0].failed.error, errc::misdirected_status);
  EXPECT_EQ(asked[1].failed.error, errc::attempt_timeout);
  EXPECT_EQ(asked[2].failed.error, asio::error::connection_refused);
  EXPECT_EQ(asked[2].failed.where.port, 0);
  EXPECT_EQ(refused->completions, 1);
}

TEST_F(RetryIf, IsNotAskedAboutCancellationDeadlineAndClosing) {
  answer(true);
  started();
  asio::cancellation_signal signal;
  const auto cancelled = cancellable_call(signal, call_options(5s));
  const auto late = call(1s);
  sim.settle();
  signal.emit(asio::cancellation_type::total);
  sim.advance(1s);
  const auto closed = call(call_options(5s).idempotent());
  sim.settle();
  client->close();
  sim.settle();
  EXPECT_EQ(cancelled->error, asio::error::operation_aborted);
  EXPECT_EQ(late->error, errc::deadline_exceeded);
  EXPECT_EQ(closed->error, errc::closed);
  EXPECT_TRUE(asked.empty());
}

TEST_F(RetryIf, Fault130_AnExceptionCountsAsNo) {
  options.retry.retry_if = [](const attempt_record&, bool) -> bool {
    throw std::runtime_error("mine");
  };
  started();
  const auto result = call(call_options().idempotent());
  sim.settle();
  last().complete(asio::error::connection_reset);
  EXPECT_NO_THROW(sim.advance(1s));
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(result->error, asio::error::connection_reset);
}

// No lock of ours is held: cancelling the very call would not return otherwise.
TEST_F(RetryIf, Fault129_MayCancelItsOwnCall) {
  asio::cancellation_signal signal;
  options.retry.retry_if = [&](const attempt_record&, bool) {
    signal.emit(asio::cancellation_type::terminal);
    return true;
  };
  started();
  const auto result = cancellable_call(signal, call_options(5s).idempotent());
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.advance(5s);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, asio::error::operation_aborted);
  EXPECT_EQ(operations.size(), 1U);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

// What the user gave the client is destroyed with it, and may touch the call that was judged.
TEST_F(RetryIf, TheClientMayEndInItsOwnAnswer) {
  struct last_words {
    // As clang before 16 makes no aggregate from parentheses.
    last_words(asio::cancellation_signal& of_the_call, bool& heard)
        : signal(of_the_call), said(heard) {}
    asio::cancellation_signal& signal;
    bool& said;
    ~last_words() {
      signal.emit(asio::cancellation_type::terminal);
      said = true;
    }
  };
  asio::cancellation_signal signal;
  bool said = false;
  options.retry.retry_if = [this, words = std::make_shared<last_words>(signal, said)](
                               const attempt_record&, bool) {
    client.reset();
    return true;
  };
  started();
  options.retry.retry_if = nullptr;  // the client has the only one
  const auto result = cancellable_call(signal, call_options().idempotent());
  sim.settle();
  last().complete(asio::error::connection_reset);
  sim.settle();
  EXPECT_TRUE(said);
  EXPECT_EQ(result->completions, 1);
  EXPECT_EQ(result->error, errc::closed);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
