// SPDX-License-Identifier: Apache-2.0

// Constants: an automatic attempt timeout is half of the time left, at least 50 ms: below that a
// round trip within a region plus TLS does not fit, and a retry would only add load.
//
// A failed attempt is followed by another one when all of these hold, asked in this order because
// the last one costs: attempts are left; the error says that another attempt may end better; it is
// safe (nothing was sent, or the call is idempotent); the wait before it ends before the deadline;
// the budget allows it (asked only after something was sent over a connection that was alive).

#include "client/attempt_machine.hpp"

#include "client/backoff.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace redial::detail {

namespace {

constexpr duration shortest_attempt = std::chrono::milliseconds{50};

}  // namespace

attempt_machine::attempt_machine(const retry_policy& policy, const call_terms& terms)
    : policy_(policy), terms_(terms), chance_(terms.seed) {}

call_step attempt_machine::start(time_point now) {
  call_step s;
  if (stage_ != stage::idle) return s;
  if (now >= terms_.deadline) {
    finish(s, errc::deadline_exceeded);
  } else {
    begin_checkout(s, now);
  }
  return s;
}

call_step attempt_machine::checked_out(const attempt_place& place, time_point now) {
  if (stage_ != stage::checkout) return {};
  place_ = place;
  stage_ = stage::running;
  wake_ = attempt_deadline(now);
  call_step s;
  s.next = call_step::move::run;
  return s;
}

call_step attempt_machine::checkout_failed(error_code why,
                                           call_surroundings& around,
                                           time_point now) {
  if (stage_ != stage::checkout) return {};
  attempt_facts facts;
  facts.error = why;
  return fail(facts, around, now);
}

call_step attempt_machine::operation_done(std::uint32_t attempt,
                                          const attempt_facts& facts,
                                          call_surroundings& around,
                                          time_point now) {
  if (stage_ != stage::running || attempt != attempt_) return {};
  if (is_failure(facts)) return fail(facts, around, now);
  call_step s;
  end_attempt(s, facts, now);
  finish(s, {});
  return s;
}

call_step attempt_machine::lease_cancelled(std::uint32_t attempt,
                                           const attempt_facts& facts,
                                           call_surroundings& around,
                                           time_point now) {
  if (stage_ != stage::running || attempt != attempt_) return {};
  if (facts.error == errc::closed) return stop(facts.error, facts.sent, now);
  call_step s = fail(facts, around, now);
  s.gave_up = true;
  s.how = lease_end::spent;  // the pool knows why better than we do
  return s;
}

call_step attempt_machine::timer_fired(const attempt_facts& facts,
                                       call_surroundings& around,
                                       time_point now) {
  call_step s;
  if (now < wake_) return s;
  if (stage_ == stage::sleeping) {
    begin_checkout(s, now);
    return s;
  }
  if (stage_ != stage::running) return s;
  if (now >= terms_.deadline) return run_out_of_time(facts, now);

  attempt_facts late = facts;
  late.error = errc::attempt_timeout;
  if (terms_.attempt_timeout == duration::zero()) {
    // Nothing is gained by giving up when no other attempt may follow.
    if (!retry_allowed(late, around, now)) {
      wake_ = terms_.deadline;
      return s;
    }
    retry_granted_ = true;
  }
  s = fail(late, around, now);
  s.gave_up = true;
  return s;
}

call_step attempt_machine::stop(error_code why, bool sent, time_point now) {
  call_step s;
  if (stage_ == stage::finished) return s;
  if (stage_ == stage::running) {
    attempt_facts facts;
    facts.error = why;
    facts.sent = sent;
    end_attempt(s, facts, now);
    s.gave_up = true;
    s.how = lease_end::spent;  // nobody is to blame
  }
  finish(s, why);
  return s;
}

bool attempt_machine::may_repeat(const attempt_facts& f) const {
  return is_without_effect(f) || terms_.idempotent || policy_.retry_unsafe;
}

time_point attempt_machine::attempt_deadline(time_point now) const {
  if (terms_.attempt_timeout > duration::zero()) {
    return std::min(terms_.deadline, after(now, terms_.attempt_timeout));
  }
  const bool another = attempts_left() && (terms_.idempotent || policy_.retry_unsafe);
  if (!another) return terms_.deadline;
  const duration half = remaining(now, terms_.deadline) / 2;
  return std::min(terms_.deadline, after(now, std::max(half, shortest_attempt)));
}

bool attempt_machine::follows_at_once(const attempt_facts& f) const {
  return policy_.first_at_once && (is_stale(f) || (attempt_ == 1 && !f.sent));
}

duration attempt_machine::wait_before_retry(const attempt_facts& f) {
  if (follows_at_once(f)) return duration::zero();
  return spread(policy_.delay, policy_.jitter, chance_);
}

bool attempt_machine::retry_allowed(const attempt_facts& f,
                                    call_surroundings& around,
                                    time_point now) {
  if (retry_granted_) return true;
  if (!attempts_left() || !is_retryable(f) || !may_repeat(f)) return false;
  // Asked without drawing lots, and before the budget is spent: the longest wait there could be.
  const auto longest = std::chrono::duration_cast<duration>(policy_.delay * (1 + policy_.jitter));
  const duration wait = follows_at_once(f) ? duration::zero() : longest;
  if (after(now, wait) >= terms_.deadline) return false;
  if (!f.sent || is_stale(f)) return true;
  if (around.spend_retry(now)) return true;
  ++denied_;
  return false;
}

bool attempt_machine::wants_reset(const attempt_facts& f,
                                  call_surroundings& around,
                                  time_point now) const {
  if (f.verdict == attempt_verdict::moved || f.error == condition::local_fault) return false;
  if (!is_retryable(f)) return false;
  if (policy_.reset_on_failure && now >= after(terms_.client_started, policy_.reset_grace)) {
    return true;
  }
  // With one endpoint, one failure says little: everything there failed only when it failed twice.
  return history_.attempts.size() >= 2 && !tried_.empty() &&
         tried_.size() >= around.usable_endpoints();
}

call_step attempt_machine::run_out_of_time(attempt_facts facts, time_point now) {
  facts.error = errc::deadline_exceeded;
  const error_code error = last_error_ ? last_error_ : facts.error;
  call_step s;
  end_attempt(s, facts, now);
  s.gave_up = true;
  finish(s, error);
  return s;
}

call_step attempt_machine::fail(attempt_facts facts, call_surroundings& around, time_point now) {
  if (!facts.error) facts.error = errc::misdirected_status;
  if (says_not_sent(facts)) facts.sent = false;
  // A wait for a connection that lasted until the deadline says less than what made us wait.
  const bool waited_out = facts.error == errc::checkout_timeout && now >= terms_.deadline;
  if (!waited_out || !last_error_) last_error_ = facts.error;
  call_step s;
  end_attempt(s, facts, now);
  s.reset = wants_reset(facts, around, now);
  if (retry_allowed(facts, around, now)) {
    retry(s, facts, now);
  } else {
    finish(s, last_error_);
  }
  return s;
}

void attempt_machine::retry(call_step& s, const attempt_facts& f, time_point now) {
  const duration wait = wait_before_retry(f);
  retry_granted_ = false;
  ++attempt_;
  if (wait == duration::zero()) {
    begin_checkout(s, now);
    return;
  }
  stage_ = stage::sleeping;
  wake_ = after(now, wait);
}

void attempt_machine::end_attempt(call_step& s, const attempt_facts& f, time_point now) {
  s.attempt_ended = true;
  s.number = attempt_;
  s.why = f.error;
  s.record.error = f.error;
  s.record.elapsed = now - began_;
  s.record.sent = f.sent;
  if (stage_ == stage::running) {
    s.leased = true;
    s.how = end_of(f);
    s.record.where = place_.where;
    s.record.reused = place_.reused;
  }
  if (!is_failure(f)) return;
  history_.attempts.push_back(s.record);
  if (!s.leased) return;
  const auto same = [&](const tried_endpoint& t) { return t.id == place_.endpoint_id; };
  const auto known = std::find_if(tried_.begin(), tried_.end(), same);
  if (known == tried_.end()) {
    tried_.push_back({place_.endpoint_id, now});
  } else {
    known->failed_at = now;
  }
}

void attempt_machine::begin_checkout(call_step& s, time_point now) {
  stage_ = stage::checkout;
  ++begun_;
  wake_ = time_point::max();  // the pool keeps the deadline while we wait for it
  began_ = now;
  s.next = call_step::move::checkout;
}

void attempt_machine::finish(call_step& s, error_code error) {
  stage_ = stage::finished;
  wake_ = time_point::max();
  s.next = call_step::move::finish;
  s.error = error;
}

}  // namespace redial::detail
