// SPDX-License-Identifier: Apache-2.0
#include "client/attempt_machine.hpp"

#include "machine_fixture.hpp"

namespace redial::inline REDIAL_ABI::detail {
namespace {

TEST_F(AttemptMachine, SucceedsAtTheFirstAttemptWithAnEmptyHistory) {
  EXPECT_EQ(start().next, move::checkout);
  EXPECT_EQ(machine().wake(), time_point::max()) << "the pool keeps the deadline while we queue";
  EXPECT_EQ(lease(1).next, move::run);
  const call_step s = done({}, true, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_FALSE(s.error);
  EXPECT_TRUE(s.attempt_ended);
  EXPECT_TRUE(s.leased);
  EXPECT_EQ(s.how, lease_end::returned);
  EXPECT_FALSE(s.gave_up);
  EXPECT_TRUE(machine().history().attempts.empty());
  EXPECT_EQ(around.asked, 0);
}

TEST_F(AttemptMachine, ADeadlineThatHasPassedStartsNothing) {
  terms.deadline = now;
  const call_step s = start();
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::deadline_exceeded);
}

TEST_F(AttemptMachine, TheFirstRetryFollowsAtOnceWhenNothingWasSentThenItWaits) {
  (void)start();
  (void)lease(1);
  call_step s = done(refused);
  EXPECT_EQ(s.next, move::checkout);
  EXPECT_EQ(machine().attempt(), 2U);
  ASSERT_EQ(machine().tried().size(), 1U);
  EXPECT_EQ(machine().tried()[0].id, 1U);
  EXPECT_EQ(machine().tried()[0].failed_at, now);

  (void)lease(2);
  s = done(refused);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_EQ(machine().wake(), now + 200ms);
  now += 199ms;
  EXPECT_EQ(fire().next, move::wait) << "fired early: nothing happens";
  now += 1ms;
  EXPECT_EQ(fire().next, move::checkout);
  EXPECT_EQ(machine().tried().size(), 2U);
  EXPECT_EQ(around.asked, 0) << "retries of what was never sent cost no budget";
}

TEST_F(AttemptMachine, WaitsMayGrow) {
  policy.delay_factor = 2;
  policy.delay_max = 500ms;
  policy.max_attempts = 5;
  terms.idempotent = true;
  (void)start();
  for (const duration wait : {200ms, 400ms, 500ms, 500ms}) {
    if (!machine().is_running()) (void)lease(1);
    EXPECT_EQ(done(reset, true).next, move::wait);
    EXPECT_EQ(machine().wake(), now + wait);
    now += wait;
    EXPECT_EQ(fire().next, move::checkout);
  }
}

TEST_F(AttemptMachine, ARetryThatFollowsAtOnceMakesNoWaitLonger) {
  policy.delay_factor = 2;
  (void)start();
  (void)lease(1);
  EXPECT_EQ(done(refused).next, move::checkout);
  (void)lease(2);
  EXPECT_EQ(done(refused).next, move::wait);
  EXPECT_EQ(machine().wake(), now + 200ms);
}

TEST_F(AttemptMachine, EndsAfterTheLastAttemptWithItsOwnErrorAndTheWholeHistory) {
  (void)start();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    (void)lease(i);
    EXPECT_NE(done(refused).next, move::finish);
    if (!machine().is_waiting_for_checkout()) {
      now = machine().wake();
      (void)fire();
    }
  }
  (void)lease(4);
  const call_step s = done(boost::asio::error::host_unreachable);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, boost::asio::error::host_unreachable);
  ASSERT_EQ(machine().history().attempts.size(), 4U);
  EXPECT_EQ(machine().history().attempts[0].error, refused);
  EXPECT_EQ(machine().history().attempts[0].where.port, 1);
  EXPECT_EQ(machine().history().attempts[3].error, boost::asio::error::host_unreachable);
}

TEST_F(AttemptMachine, AnUnsafeCallIsNotRepeatedOnceBytesWereSent) {
  (void)start();
  (void)lease(1);
  const call_step s = done(reset, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, reset);
  EXPECT_EQ(s.how, lease_end::reset);
}

TEST_F(AttemptMachine, AnIdempotentCallIsRepeatedAfterBytesWereSentAndSpendsBudget) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  const call_step s = done(reset, true);
  EXPECT_EQ(s.next, move::wait) << "200 ms, since something was sent";
  EXPECT_EQ(machine().wake(), now + 200ms);
  EXPECT_EQ(around.asked, 1);
}

TEST_F(AttemptMachine, RetryUnsafeRepeatsAnyCall) {
  policy.retry_unsafe = true;
  (void)start();
  (void)lease(1);
  EXPECT_EQ(done(reset, true).next, move::wait);
}

TEST_F(AttemptMachine, Fault151_ARetryDeniedByTheBudgetEndsTheCall) {
  terms.idempotent = true;
  around.granted = false;
  (void)start();
  (void)lease(1);
  const call_step s = done(reset, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, reset);
  EXPECT_EQ(machine().denied(), 1U);
}

TEST_F(AttemptMachine, Fault106_AResponseThatHasBegunIsNotRepeated) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  const call_step s = done(reset, true, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.how, lease_end::failed) << "no evidence against the address: it did answer";
}

TEST_F(AttemptMachine, Fault104_AStaleConnectionIsRetriedAtOnceAndForFree) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1, true);
  call_step s = done(eof, true);
  EXPECT_EQ(s.next, move::checkout);
  EXPECT_EQ(s.how, lease_end::reset);
  (void)lease(2, true);
  s = done(boost::asio::error::broken_pipe);
  EXPECT_EQ(s.next, move::checkout) << "every time, not only the first";
  EXPECT_EQ(around.asked, 0);
}

TEST_F(AttemptMachine, AnOperationsOwnWordThatNothingWasSentIsBelieved) {
  (void)start();
  (void)lease(1);
  const call_step s = done(errc::not_sent, true);
  EXPECT_EQ(s.next, move::checkout);
  EXPECT_FALSE(machine().history().attempts.at(0).sent);
}

// Such a code may come from another client that the operation asked after it had sent.
TEST_F(AttemptMachine, CountedBytesAreBelievedRatherThanAnErrorOfSomethingElse) {
  (void)start();
  (void)lease(1);
  attempt_facts f = facts(errc::unresolved, true);
  f.counted = true;
  const call_step s = machine().operation_done(1, f, around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_TRUE(machine().history().attempts.at(0).sent);
}

TEST_F(AttemptMachine, AnErrorThatIsNotRetryableEndsTheCall) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  const call_step s = done(errc::bad_response, true, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::bad_response);
  EXPECT_EQ(s.how, lease_end::failed);
}

TEST_F(AttemptMachine, AWholeAnswerThatAsksForAnotherAttemptIsRepeated) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  EXPECT_EQ(done(errc::unavailable_status, true, true).next, move::wait);
}

TEST_F(AttemptMachine, AnEndpointThatFailsAgainCountsFromItsLastFailure) {
  (void)start();
  (void)lease(1);
  (void)done(errc::not_sent);
  now += 1s;
  (void)lease(1);
  (void)done(errc::not_sent);
  ASSERT_EQ(machine().tried().size(), 1U);
  EXPECT_EQ(machine().tried()[0].failed_at, now);
}

TEST_F(AttemptMachine, MovedIsRepeatedElsewhereAlsoWhenUnsafe) {
  (void)start();
  (void)lease(1);
  attempt_facts f = facts({}, true, true);
  f.verdict = attempt_verdict::moved;
  const call_step s = done(f);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_EQ(s.how, lease_end::moved);
  EXPECT_EQ(machine().history().attempts.at(0).error, errc::misdirected_status);
  EXPECT_EQ(machine().tried().at(0).id, 1U);
}

TEST_F(AttemptMachine, VerdictsOfASuccessOnlyConcernTheConnection) {
  for (const auto& [verdict, how] : {std::pair{attempt_verdict::poison, lease_end::poisoned},
                                     std::pair{attempt_verdict::spent, lease_end::spent},
                                     std::pair{attempt_verdict::unwell, lease_end::unwell}}) {
    attempt_machine m(policy, terms);
    (void)m.start(now);
    (void)m.checked_out({}, now);
    attempt_facts f;
    f.verdict = verdict;
    const call_step s = m.operation_done(1, f, around, now);
    EXPECT_EQ(s.next, move::finish);
    EXPECT_FALSE(s.error);
    EXPECT_EQ(s.how, how);
  }
}

TEST_F(AttemptMachine, CheckoutFailuresAreRetriedWhenTheyMayPass) {
  (void)start();
  call_step s = machine().checkout_failed(refused, around, now);
  EXPECT_EQ(s.next, move::checkout);
  EXPECT_FALSE(s.leased);
  EXPECT_TRUE(machine().tried().empty());
  EXPECT_EQ(machine().history().attempts.at(0).where.port, 0);
  s = machine().checkout_failed(errc::name_not_found, around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::name_not_found);
}

TEST_F(AttemptMachine, Fault149_AFullQueueIsNotRetried) {
  (void)start();
  const call_step s = machine().checkout_failed(errc::queue_full, around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::queue_full);
}

TEST_F(AttemptMachine, ACheckoutThatLastsUntilTheDeadlineEndsTheCallWithThePoolsReason) {
  (void)start();
  now += 10s;
  const call_step s = machine().checkout_failed(errc::unresolved, around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::unresolved);
}

TEST_F(AttemptMachine, AWaitThatLastsUntilTheDeadlineEndsWithWhatMadeItNecessary) {
  (void)start();
  (void)machine().checkout_failed(refused, around, now);
  now += 10s;
  const call_step s = machine().checkout_failed(errc::checkout_timeout, around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, refused);
  EXPECT_EQ(machine().history().attempts.at(1).error, errc::checkout_timeout);
}

TEST_F(AttemptMachine, ADrainedLeaseIsRetriedWhenSafeAndBlamesNobody) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  const call_step s =
      machine().lease_cancelled(1, facts(errc::connection_drained, true), around, now);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_TRUE(s.gave_up);
  EXPECT_EQ(s.how, lease_end::spent);
}

TEST_F(AttemptMachine, APoolThatClosesEndsTheCall) {
  terms.idempotent = true;
  (void)start();
  (void)lease(1);
  const call_step s = machine().lease_cancelled(1, facts(errc::closed), around, now);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::closed);
  EXPECT_TRUE(s.gave_up);
}

TEST_F(AttemptMachine, Fault126_StoppingWorksInEveryStageAndOnlyOnce) {
  const error_code aborted = boost::asio::error::operation_aborted;
  for (int stage = 0; stage < 3; ++stage) {
    attempt_machine m(policy, terms);
    (void)m.start(now);
    if (stage > 0) (void)m.checked_out({}, now);
    if (stage > 1) {
      attempt_facts f;
      f.error = refused;
      f.sent = true;
      f.verdict = attempt_verdict::moved;  // sleeps before the next attempt
      ASSERT_EQ(m.operation_done(1, f, around, now).next, move::wait);
    }
    const call_step s = m.stop(aborted, true, now);
    EXPECT_EQ(s.next, move::finish);
    EXPECT_EQ(s.error, aborted);
    EXPECT_EQ(s.gave_up, stage == 1);
    EXPECT_EQ(m.stop(errc::closed, true, now).next, move::wait);
    EXPECT_EQ(m.wake(), time_point::max());
  }
}

TEST_F(AttemptMachine, EventsOfAnAttemptThatIsOverAreIgnored) {
  (void)start();
  (void)lease(1);
  (void)done(refused);
  (void)lease(2);
  const call_step late = machine().operation_done(1, facts({}, true, true), around, now);
  EXPECT_EQ(late.next, move::wait);
  EXPECT_FALSE(late.attempt_ended);
  const call_step drained =
      machine().lease_cancelled(1, facts(errc::connection_drained), around, now);
  EXPECT_FALSE(drained.attempt_ended);
  EXPECT_FALSE(done(error_code()).error);
  EXPECT_EQ(lease(3).next, move::wait) << "a connection for a call that is over";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
