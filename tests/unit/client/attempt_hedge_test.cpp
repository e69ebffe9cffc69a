// SPDX-License-Identifier: Apache-2.0
// Two attempts of one call at once, as decisions.
#include "machine_fixture.hpp"

namespace redial::inline REDIAL_ABI::detail {
namespace {

const error_code aborted = boost::asio::error::operation_aborted;

class Hedge : public AttemptMachine {
 protected:
  Hedge() {
    terms.idempotent = true;
    terms.hedge_after = 100ms;
  }
  // The first attempt runs on endpoint 1, the second one is to be checked out.
  void hedge() {
    (void)start();
    (void)lease(1);
    ASSERT_EQ(machine().wake(), now + 100ms);
    now += 100ms;
    ASSERT_EQ(fire().next, move::checkout);
    ASSERT_TRUE(machine().is_hedging());
    ASSERT_EQ(machine().newest(), 2U);
  }
  // Both run, on endpoints 1 and 2.
  void both() {
    hedge();
    ASSERT_EQ(lease(2).next, move::run);
  }
  call_step end(std::uint32_t attempt, error_code ec, bool received = false) {
    return machine().operation_done(attempt, facts(ec, true, received), around, now);
  }
};

TEST_F(Hedge, TheSecondAvoidsTheEndpointOfTheFirst) {
  hedge();
  const auto avoided = machine().avoided();
  ASSERT_EQ(avoided.size(), 1U);
  EXPECT_EQ(avoided[0].id, 1U);
  EXPECT_TRUE(machine().tried().empty()) << "it has not failed";
}

TEST_F(Hedge, TheFirstSuccessWinsAndTheOtherIsCalledOffWithoutBlame) {
  for (const std::uint32_t winner : {1U, 2U}) {
    attempt_machine m(policy, terms);
    time_point t = now;
    (void)m.start(t);
    (void)m.checked_out({{}, 1, false}, t);
    t += 100ms;
    ASSERT_EQ(m.timer_fired(m.due(t), {}, around, t).next, move::checkout);
    ASSERT_EQ(m.checked_out({{}, 2, false}, t).next, move::run);
    t += 20ms;
    const call_step s = m.operation_done(winner, facts({}, true, true), around, t);
    EXPECT_EQ(s.next, move::finish);
    EXPECT_FALSE(s.error);
    EXPECT_EQ(s.number, winner);
    EXPECT_EQ(s.how, lease_end::returned);
    EXPECT_FALSE(s.gave_up);
    EXPECT_TRUE(s.other.attempt_ended && s.other.leased && s.other.gave_up);
    EXPECT_EQ(s.other.number, 3 - winner);
    EXPECT_EQ(s.other.how, lease_end::spent);
    ASSERT_EQ(m.history().attempts.size(), 1U);
    EXPECT_EQ(m.history().attempts[0].error, aborted);
    EXPECT_EQ(m.latency(), 120ms) << "what it would have been at least";
    EXPECT_EQ(m.hedges(), 1U);
    EXPECT_EQ(m.wake(), time_point::max());
    EXPECT_FALSE(m.operation_done(3 - winner, facts({}), around, t).attempt_ended);
  }
}

TEST_F(Hedge, AFailureOfOneWaitsForTheOther) {
  both();
  call_step s = end(1, reset);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_TRUE(s.attempt_ended);
  EXPECT_EQ(s.how, lease_end::reset);
  EXPECT_FALSE(s.other.attempt_ended);
  EXPECT_FALSE(machine().is_hedging());
  EXPECT_EQ(machine().attempt(), 2U);
  s = end(2, {}, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_FALSE(s.error);
  EXPECT_EQ(machine().history().attempts.size(), 1U);
}

TEST_F(Hedge, AFailureOfTheSecondWaitsForTheFirst) {
  both();
  EXPECT_EQ(end(2, errc::bad_response, true).next, move::wait) << "also one that is not retryable";
  EXPECT_EQ(machine().attempt(), 1U);
  EXPECT_EQ(around.asked, 0);
  const call_step s = end(1, {}, true);
  EXPECT_EQ(s.number, 1U);
  EXPECT_FALSE(s.error);
}

TEST_F(Hedge, WhenBothFailTheCallIsRetriedAndNumbersGoOn) {
  both();
  (void)end(2, reset);
  EXPECT_EQ(end(1, reset).next, move::wait);
  EXPECT_EQ(machine().wake(), now + 200ms);
  EXPECT_EQ(machine().tried().size(), 2U);
  run_next(3);
  EXPECT_EQ(machine().attempt(), 3U);
  EXPECT_GT(machine().wake(), now + 100ms) << "only one second attempt per call";
  ASSERT_EQ(machine().history().attempts.size(), 2U);
  EXPECT_EQ(machine().history().attempts[0].where.port, 2);
  EXPECT_EQ(machine().history().attempts[1].where.port, 1);
}

TEST_F(Hedge, ASuccessBeforeTheSecondHasAConnectionEndsTheCall) {
  hedge();
  const call_step s = end(1, {}, true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_FALSE(s.other.attempt_ended);
  EXPECT_EQ(lease(2).next, move::wait) << "not wanted any more";
  EXPECT_EQ(machine().hedges(), 0U);
}

TEST_F(Hedge, AFailureBeforeTheSecondHasAConnectionMakesItAnOrdinaryRetry) {
  hedge();
  EXPECT_EQ(end(1, reset).next, move::wait);
  EXPECT_TRUE(machine().is_waiting_for_checkout());
  EXPECT_EQ(machine().wake(), time_point::max());
  EXPECT_EQ(lease(2).next, move::run);
  EXPECT_EQ(end(2, {}, true).next, move::finish);
  EXPECT_EQ(machine().begun(), 2U);
  EXPECT_EQ(machine().hedges(), 0U);
}

TEST_F(Hedge, WithoutAConnectionTheFirstGoesOn) {
  hedge();
  const call_step s = machine().checkout_failed(errc::queue_full, around, now);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_FALSE(s.attempt_ended);
  EXPECT_TRUE(machine().history().attempts.empty());
  EXPECT_EQ(end(1, {}, true).next, move::finish);
}

TEST_F(Hedge, AConnectionToTheSameEndpointIsNotTaken) {
  hedge();
  EXPECT_EQ(lease(1).next, move::wait);
  EXPECT_FALSE(machine().is_hedging());
  EXPECT_EQ(machine().begun(), 1U);
  EXPECT_EQ(end(1, {}, true).next, move::finish);
}

TEST_F(Hedge, NothingIsStartedWhenItWouldNotBeSafeOrHelp) {
  const auto starts = [this] {
    attempt_machine m(policy, terms);
    (void)m.start(now);
    (void)m.checked_out({{}, 1, false}, now);
    const time_point later = now + 100ms;
    return m.timer_fired(m.due(later), {}, around, later).next == move::checkout;
  };
  EXPECT_TRUE(starts());
  terms.idempotent = false;
  policy.retry_unsafe = true;
  EXPECT_FALSE(starts()) << "retry_unsafe is about retries";
  terms.idempotent = true;
  policy.max_attempts = 1;
  EXPECT_FALSE(starts());
  policy.max_attempts = 4;
  around.usable = 1;
  EXPECT_FALSE(starts()) << "there is no other endpoint";
  around.usable = 2;
  around.asked_for_hedge = 0;
  around.granted = false;
  EXPECT_FALSE(starts());
  EXPECT_EQ(around.asked_for_hedge, 1);
  around.granted = true;
  terms.hedge_after = duration::max();
  EXPECT_FALSE(starts());
}

TEST_F(Hedge, NeverMoreThanMaxAttempts) {
  policy.max_attempts = 2;
  both();
  EXPECT_EQ(end(1, reset).next, move::wait);
  const call_step s = end(2, reset);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, reset);
  EXPECT_EQ(machine().history().attempts.size(), 2U);
}

TEST_F(Hedge, EachAttemptHasItsOwnTimeAndTheDeadlineEndsBoth) {
  terms.attempt_timeout = 1s;
  both();
  EXPECT_EQ(machine().ends(1), now + 900ms);
  EXPECT_EQ(machine().ends(2), now + 1s);
  now += 900ms;
  EXPECT_EQ(machine().due(now), 1U);
  call_step s = fire(true);
  EXPECT_TRUE(s.gave_up);
  EXPECT_EQ(s.number, 1U);
  EXPECT_EQ(s.next, move::wait);
  now += 100ms;
  EXPECT_EQ(machine().due(now), 2U);
  s = fire(true);
  EXPECT_EQ(s.number, 2U);
  EXPECT_EQ(s.record.error, errc::attempt_timeout);
}

TEST_F(Hedge, Fault107_AtTheDeadlineBothAreCalledOff) {
  policy.max_attempts = 2;
  both();
  now = machine().wake();  // half of the time, of the first
  EXPECT_FALSE(fire(true).attempt_ended) << "nothing could follow";
  now = terms.deadline;
  const call_step s = fire(true);
  EXPECT_EQ(s.next, move::finish);
  EXPECT_EQ(s.error, errc::deadline_exceeded);
  EXPECT_TRUE(s.gave_up && s.other.gave_up && s.leased && s.other.leased);
  EXPECT_EQ(s.other.how, lease_end::timed_out);
  EXPECT_EQ(machine().history().attempts.size(), 2U);
}

TEST_F(Hedge, Fault126_StoppingEndsBoth) {
  both();
  const call_step s = machine().stop(aborted, true, now);
  EXPECT_EQ(s.error, aborted);
  EXPECT_TRUE(s.gave_up && s.other.gave_up);
  EXPECT_EQ(s.how, lease_end::spent);
  EXPECT_EQ(s.other.how, lease_end::spent);
  EXPECT_EQ(machine().stop(aborted, true, now).next, move::wait);
}

TEST_F(Hedge, ADrainedLeaseOfOneLeavesTheOther) {
  both();
  const call_step s =
      machine().lease_cancelled(1, facts(errc::connection_drained, true), around, now);
  EXPECT_EQ(s.next, move::wait);
  EXPECT_EQ(s.how, lease_end::spent);
  EXPECT_EQ(machine().attempt(), 2U);
  EXPECT_EQ(end(2, {}, true).next, move::finish);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
