// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/ports/completion.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using redial::error_code;
using completion = redial::detail::completion<void(error_code, std::unique_ptr<int>)>;

TEST(Completion, Fault129_IsPostedNeverInline) {
  asio::io_context io;
  int calls = 0;
  completion done([&](error_code ec, std::unique_ptr<int> value) {
    EXPECT_TRUE(ec);
    EXPECT_EQ(*value, 7);
    ++calls;
  });
  std::move(done).post(io.get_executor(), asio::error::eof, std::make_unique<int>(7));
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(done);
  io.run();
  EXPECT_EQ(calls, 1);
}

TEST(Completion, RunsOnTheHandlersOwnExecutor) {
  asio::io_context io;
  asio::io_context own;
  int calls = 0;
  completion done(asio::bind_executor(own, [&](error_code, std::unique_ptr<int>) { ++calls; }));
  std::move(done).post(io.get_executor(), {}, nullptr);
  io.run();
  EXPECT_EQ(calls, 0);
  own.run();
  EXPECT_EQ(calls, 1);
}

TEST(Completion, NeverInlineEvenFromInsideItsExecutor) {
  asio::io_context io;
  std::string order;
  asio::post(io, [&] {
    completion done(
        asio::bind_executor(io, [&](error_code, std::unique_ptr<int>) { order += "b"; }));
    std::move(done).post(io.get_executor(), {}, nullptr);
    order += "a";
  });
  io.run();
  EXPECT_EQ(order, "ab");
}

TEST(Completion, KeepsAForeignExecutorAtWorkWhilePending) {
  asio::io_context io;
  asio::io_context own;
  bool called = false;
  completion done(
      asio::bind_executor(own, [&](error_code, std::unique_ptr<int>) { called = true; }),
      io.get_executor());
  EXPECT_EQ(own.poll(), 0U);
  EXPECT_FALSE(own.stopped());
  std::move(done).post(io.get_executor(), {}, nullptr);
  io.run();
  own.run();  // returns: the work ends with the call
  EXPECT_TRUE(called);
}

TEST(Completion, Fault127_HoldsNothingOfItsOwnExecutor) {
  auto io = std::make_unique<asio::io_context>();
  const auto alive = std::make_shared<int>();
  completion bound(asio::bind_executor(*io, [alive](error_code, std::unique_ptr<int>) { FAIL(); }),
                   io->get_executor());
  completion plain([alive](error_code, std::unique_ptr<int>) { FAIL(); }, io->get_executor());
  EXPECT_EQ(io->poll(), 0U);
  EXPECT_TRUE(io->stopped());
  io.reset();
  bound = completion();
  plain = completion();
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Completion, AcceptsAnErasedHandler) {
  asio::io_context io;
  asio::io_context own;
  bool called = false;
  asio::any_completion_handler<void(error_code, std::unique_ptr<int>)> erased(
      asio::bind_executor(own, [&](error_code, std::unique_ptr<int>) { called = true; }));
  completion done(std::move(erased), io.get_executor());
  std::move(done).post(io.get_executor(), {}, nullptr);
  io.run();
  own.run();
  EXPECT_TRUE(called);
}

TEST(Completion, GivesTheCancellationSlotAndClearsItWhereTheHandlerRuns) {
  asio::io_context io;
  asio::cancellation_signal signal;
  int cancelled = 0;
  completion done(
      asio::bind_cancellation_slot(signal.slot(), [&](error_code, std::unique_ptr<int>) {
        signal.emit(asio::cancellation_type::terminal);  // reaches nobody any more
        EXPECT_EQ(cancelled, 2);
      }));
  ASSERT_TRUE(done.slot().is_connected());
  done.slot().assign([&](asio::cancellation_type) { ++cancelled; });
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(cancelled, 1);
  std::move(done).post(io.get_executor(), {}, nullptr);
  // Untouched by `post`, which may run beside a signal that is being emitted.
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(cancelled, 2);
  io.run();
}

TEST(Completion, AnEmptyOneHasNoSlot) {
  const completion none;
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.slot().is_connected());
}

TEST(Completion, DroppedIsDestroyedWithoutACall) {
  const auto alive = std::make_shared<int>();
  {
    completion done([alive](error_code, std::unique_ptr<int>) { FAIL(); });
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Completion, PostedToAContextThatGoesAwayIsDestroyedWithoutACall) {
  const auto alive = std::make_shared<int>();
  {
    asio::io_context io;
    completion done([alive](error_code, std::unique_ptr<int>) { FAIL(); });
    std::move(done).post(io.get_executor(), {}, nullptr);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Completion, LivesInAVectorAndMayBeErasedFromTheMiddle) {
  asio::io_context io;
  std::string order;
  std::vector<completion> waiting;
  for (char c = 'a'; c < 'f'; ++c) {
    waiting.emplace_back([&order, c](error_code, std::unique_ptr<int>) { order += c; });
  }
  waiting.erase(waiting.begin() + 1);
  waiting.erase(waiting.begin());
  for (auto& w : waiting) std::move(w).post(io.get_executor(), {}, nullptr);
  io.run();
  EXPECT_EQ(order, "cde");
}

TEST(Completion, AssigningToItselfKeepsTheHandler) {
  asio::io_context io;
  int calls = 0;
  completion done([&](error_code, std::unique_ptr<int>) { ++calls; });
  auto& same = done;
  done = std::move(same);
  ASSERT_TRUE(done);
  std::move(done).post(io.get_executor(), {}, nullptr);
  io.run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
