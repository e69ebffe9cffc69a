// SPDX-License-Identifier: Apache-2.0
#include <redial/client/options.hpp>

#include "machine_fixture.hpp"

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST_F(AttemptMachine, AnAttemptGetsHalfOfTheTimeLeftWhileAnotherOneMayFollow) {
  terms.idempotent = true;
  policy.max_attempts = 3;
  (void)start();
  now += 2s;
  (void)lease(1);
  EXPECT_EQ(machine().wake(), now + 4s);
  now += 4s;
  const call_step s = fire(true);
  EXPECT_TRUE(s.gave_up);
  EXPECT_EQ(s.how, lease_end::timed_out);
  EXPECT_EQ(s.record.error, errc::attempt_timeout);
  EXPECT_EQ(s.record.elapsed, 6s) << "its checkout included";
  run_next(2);
  EXPECT_EQ(machine().wake(), now + 1900ms) << "half of 3.8 s";
  now = machine().wake();
  (void)fire(true);
  run_next(3);
  EXPECT_EQ(machine().wake(), terms.deadline) << "the last attempt has all of it";
}

TEST_F(AttemptMachine, AnAttemptGetsAtLeast50Milliseconds) {
  terms.idempotent = true;
  terms.deadline = now + 80ms;
  (void)start();
  (void)lease(1);
  EXPECT_EQ(machine().wake(), now + 50ms);
}

TEST_F(AttemptMachine, ACallThatMayNotBeRepeatedHasAllOfItsTime) {
  (void)start();
  (void)lease(1);
  EXPECT_EQ(machine().wake(), terms.deadline);
}

TEST_F(AttemptMachine, AnAutomaticTimeoutIsPutOffWhenGivingUpGainsNothing) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  now += 5s;
  EXPECT_FALSE(fire(true, true).attempt_ended) << "the response is arriving";
  EXPECT_EQ(machine().wake(), terms.deadline);
  now = terms.deadline;
  EXPECT_EQ(fire(true, true).error, errc::deadline_exceeded);
}

TEST_F(AttemptMachine, AnAutomaticTimeoutIsPutOffWhenTheBudgetIsSpent) {
  terms.idempotent = true;
  around.granted = false;
  (void)start();
  (void)lease(1);
  now += 5s;
  EXPECT_FALSE(fire(true).attempt_ended);
  EXPECT_EQ(machine().denied(), 1U);
  EXPECT_FALSE(done({}, true, true).error);
}

TEST_F(AttemptMachine, AnAutomaticTimeoutAsksTheBudgetOnce) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  now += 5s;
  EXPECT_TRUE(fire(true).attempt_ended);
  EXPECT_EQ(around.asked, 1);
  run_next(2);
  (void)done(reset, true);
  EXPECT_EQ(around.asked, 2) << "the next retry is another one";
}

TEST_F(AttemptMachine, AChosenAttemptTimeoutHoldsForEveryCall) {
  terms.attempt_timeout = 1s;
  (void)start();
  (void)lease(1);
  EXPECT_EQ(machine().wake(), now + 1s);
  now += 1s;
  const call_step s = fire(true);
  EXPECT_TRUE(s.gave_up);
  EXPECT_EQ(s.next, move::finish) << "sent, and not idempotent";
  EXPECT_EQ(s.error, errc::attempt_timeout);
}

TEST_F(AttemptMachine, TheDeadlineEndsTheCall) {
  (void)start();
  (void)lease(1);
  now = terms.deadline;
  const call_step s = fire(true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::deadline_exceeded);
  EXPECT_TRUE(s.gave_up);
  EXPECT_EQ(s.how, lease_end::timed_out);
  EXPECT_EQ(machine().history().attempts.at(0).error, errc::deadline_exceeded);
}

TEST_F(AttemptMachine, AtTheDeadlineTheLastAttemptsOwnErrorSaysMore) {
  (void)start();
  (void)lease(1);
  (void)done(refused);
  (void)lease(2);
  now = terms.deadline;
  EXPECT_EQ(fire(true).error, refused);
  EXPECT_EQ(machine().history().attempts.size(), 2U);
}

TEST_F(AttemptMachine, ARetryThatWouldWaitPastTheDeadlineIsNotWaitedFor) {
  terms.idempotent = true;
  terms.deadline = now + 150ms;
  (void)start();
  (void)lease(1);
  const call_step s = done(reset, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, reset);
  EXPECT_EQ(around.asked, 0) << "and no budget is spent on it";
}

TEST_F(AttemptMachine, FinagleWaitsBeforeEveryRetryAndMakesFourAttempts) {
  policy = retry_policy::finagle();
  (void)start();
  for (std::uint64_t i = 1; i < 4; ++i) {
    (void)lease(i, true);
    (void)done(eof);
    ASSERT_FALSE(machine().is_waiting_for_checkout());
    EXPECT_EQ(machine().wake(), now + 200ms);
    now += 200ms;
    ASSERT_EQ(fire().next, move::checkout);
  }
  (void)lease(4);
  EXPECT_EQ(done(refused).next, move::finish);
}

TEST_F(AttemptMachine, FinagleResetsOnARetryableFailureButNotInTheFirstTwoSeconds) {
  policy = retry_policy::finagle();
  terms.client_started = now - 1999ms;
  (void)start();
  (void)lease(1);
  EXPECT_FALSE(done(refused).reset);
  now += 200ms;
  (void)fire();
  (void)lease(2);
  EXPECT_TRUE(done(refused).reset);
  run_next(3);
  EXPECT_FALSE(done(errc::bad_response, true, true).reset) << "not retryable";
}

TEST_F(AttemptMachine, AFailureOnEveryEndpointResets) {
  around.usable = 2;
  (void)start();
  (void)lease(1);
  EXPECT_FALSE(done(refused).reset);
  (void)lease(2);
  EXPECT_TRUE(done(refused).reset);
}

TEST_F(AttemptMachine, ASingleEndpointResetsWhenItFailedTwice) {
  around.usable = 1;
  (void)start();
  (void)lease(1);
  EXPECT_FALSE(done(refused).reset);
  (void)lease(1);
  EXPECT_TRUE(done(refused).reset);
  EXPECT_EQ(machine().tried().size(), 1U);
}

TEST_F(AttemptMachine, Fault100_LocalFaultsResetNothing) {
  policy = retry_policy::finagle();
  terms.client_started = now - 1h;
  (void)start();
  const error_code local =
      boost::system::errc::make_error_code(boost::system::errc::too_many_files_open);
  EXPECT_FALSE(machine().checkout_failed(local, around, now).reset);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
