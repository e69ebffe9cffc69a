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

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace {

constexpr duration shortest_attempt = std::chrono::milliseconds{50};

}  // namespace

attempt_machine::attempt_machine(const retry_policy& policy, const call_terms& terms)
    : policy_(&policy), terms_(terms), chance_(terms.seed), next_wait_(policy.delay) {}

// --- events -----------------------------------------------------------------------------------

call_step attempt_machine::start(time_point now) {
  call_step s;
  if (stage_ != stage::idle) return s;
  started_ = now;
  if (now >= terms_.deadline) {
    finish(s, errc::deadline_exceeded, now);
  } else {
    begin_checkout(s, now);
  }
  return s;
}

call_step attempt_machine::checked_out(const attempt_place& place, time_point now) {
  call_step s;
  if (beside_ == beside::checkout) {
    // Nothing is gained where the first one runs already.
    if (place.endpoint_id == first_.place.endpoint_id) {
      beside_ = beside::nothing;
      return s;
    }
    beside_ = beside::running;
    ++begun_;
    ++hedges_;
    run(second_, place, now);
  } else if (stage_ == stage::checkout) {
    stage_ = stage::running;
    run(first_, place, now);
    plan_hedge(now);
  } else {
    return s;
  }
  s.next = call_step::move::run;
  return s;
}

call_step attempt_machine::checkout_failed(error_code why,
                                           call_surroundings& around,
                                           time_point now,
                                           std::optional<bool> ruling) {
  if (beside_ == beside::checkout) beside_ = beside::nothing;  // the first one goes on
  if (stage_ != stage::checkout) return {};
  attempt_facts facts;
  facts.error = why;
  facts.ruling = ruling;
  return fail(first_, facts, around, now);
}

call_step attempt_machine::operation_done(std::uint32_t attempt,
                                          const attempt_facts& facts,
                                          call_surroundings& around,
                                          time_point now) {
  lane* const l = running(attempt);
  if (l == nullptr) return {};
  if (is_failure(facts)) return fail(*l, facts, around, now);
  call_step s;
  latency_ = now - first_.runs_since;
  end_attempt(s, *l, facts, now);
  end_other(s, *l, boost::asio::error::operation_aborted, now);
  finish(s, {}, now);
  return s;
}

call_step attempt_machine::lease_cancelled(std::uint32_t attempt,
                                           const attempt_facts& facts,
                                           call_surroundings& around,
                                           time_point now) {
  lane* const l = running(attempt);
  if (l == nullptr) return {};
  if (facts.error == errc::closed) return stop(facts.error, facts.sent, now);
  call_step s = fail(*l, facts, around, now);
  s.gave_up = true;
  s.how = lease_end::spent;  // the pool knows why better than we do
  return s;
}

call_step attempt_machine::timer_fired(std::uint32_t attempt,
                                       const attempt_facts& facts,
                                       call_surroundings& around,
                                       time_point now) {
  call_step s;
  if (now < wake()) return s;
  if (attempt == 0) {
    if (stage_ == stage::sleeping) {
      begin_checkout(s, now);
    } else if (now >= hedge_at_) {
      begin_hedge(s, around, now);
    }
    return s;
  }
  lane* const l = running(attempt);
  if (l == nullptr || now < l->ends) return s;
  attempt_facts late_facts = facts;
  late_facts.error = late(now);
  if (now >= terms_.deadline) return run_out_of_time(*l, late_facts, now);

  if (terms_.attempt_timeout == duration::zero()) {
    // Nothing is gained by giving up when no other attempt may follow.
    const bool follows =
        is_hedging() ? may_retry(late_facts, now) : retry_allowed(*l, late_facts, around, now);
    if (!follows) {
      l->ends = terms_.deadline;
      return s;
    }
    l->granted = !is_hedging();
  }
  s = fail(*l, late_facts, around, now);
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
    end_attempt(s, first_, facts, now);
    s.gave_up = true;
    s.how = lease_end::spent;  // nobody is to blame
    end_other(s, first_, why, now);
  }
  finish(s, why, now);
  return s;
}

// --- rules ------------------------------------------------------------------------------------

time_point attempt_machine::wake() const noexcept {
  switch (stage_) {
    case stage::sleeping:
      return sleeps_until_;
    case stage::running:
      return std::min(
          {first_.ends, hedge_at_, is_running(second_) ? second_.ends : time_point::max()});
    case stage::idle:
    case stage::checkout:  // the pool keeps the deadline while we wait for it
    case stage::finished:
      break;
  }
  return time_point::max();
}

std::uint32_t attempt_machine::due(time_point now) const noexcept {
  for (const lane* l : {&first_, &second_}) {
    if (is_running(*l) && now >= l->ends) return l->number;
  }
  return 0;
}

bool attempt_machine::may_repeat(const attempt_facts& f) const {
  return is_without_effect(f) || terms_.idempotent || policy_->retry_unsafe;
}

time_point attempt_machine::attempt_deadline(time_point now) const {
  if (terms_.attempt_timeout > duration::zero()) {
    return std::min(terms_.deadline, after(now, terms_.attempt_timeout));
  }
  const bool another = attempts_left() && (terms_.idempotent || policy_->retry_unsafe);
  if (!another) return terms_.deadline;
  const duration half = remaining(now, terms_.deadline) / 2;
  return std::min(terms_.deadline, after(now, std::max(half, shortest_attempt)));
}

bool attempt_machine::follows_at_once(const attempt_facts& f) const {
  return policy_->first_at_once && (is_stale(f) || (begun_ == 1 && !f.sent));
}

// What costs nothing to ask.
bool attempt_machine::may_retry(const attempt_facts& f, time_point now) const {
  if (!attempts_left() || !is_retryable(f) || !may_repeat(f)) return false;
  // Asked without drawing lots, and before the budget is spent: the longest wait there could be.
  const auto longest = std::chrono::duration_cast<duration>(next_wait_ * (1 + policy_->jitter));
  const duration wait = follows_at_once(f) ? duration::zero() : longest;
  return after(now, wait) < terms_.deadline;
}

bool attempt_machine::retry_allowed(const lane& l,
                                    const attempt_facts& f,
                                    call_surroundings& around,
                                    time_point now) {
  if (l.granted) return true;
  if (!may_retry(f, now)) return false;
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
  if (policy_->reset_on_failure && now >= after(terms_.client_started, policy_->reset_grace)) {
    return true;
  }
  // With one endpoint, one failure says little: everything there failed only when it failed twice.
  return history_.attempts.size() >= 2 && !tried_.empty() &&
         tried_.size() >= around.usable_endpoints();
}

// --- ends -------------------------------------------------------------------------------------

call_step attempt_machine::run_out_of_time(lane& l, const attempt_facts& facts, time_point now) {
  const error_code error = last_error_ ? last_error_ : facts.error;
  call_step s;
  end_attempt(s, l, facts, now);
  s.gave_up = true;
  end_other(s, l, facts.error, now);
  finish(s, error, now);
  return s;
}

call_step attempt_machine::fail(lane& l,
                                attempt_facts facts,
                                call_surroundings& around,
                                time_point now) {
  if (!facts.error) facts.error = errc::misdirected_status;
  if (says_not_sent(facts)) facts.sent = false;
  // A wait for a connection that lasted until the deadline says less than what made us wait.
  const bool waited_out = facts.error == errc::checkout_timeout && now >= terms_.deadline;
  if (!waited_out || !last_error_) last_error_ = facts.error;
  call_step s;
  end_attempt(s, l, facts, now);
  s.reset = wants_reset(facts, around, now);
  if (is_hedging()) {
    leave_to_other(l);
  } else if (retry_allowed(l, facts, around, now)) {
    retry(s, facts, now);
  } else {
    finish(s, last_error_, now);
  }
  return s;
}

void attempt_machine::retry(call_step& s, const attempt_facts& f, time_point now) {
  const bool at_once = follows_at_once(f);
  const duration wait = at_once ? duration::zero() : spread(next_wait_, policy_->jitter, chance_);
  if (!at_once) next_wait_ = grown(next_wait_, policy_->delay_factor, policy_->delay_max);
  if (wait == duration::zero()) {
    begin_checkout(s, now);
    return;
  }
  stage_ = stage::sleeping;
  hedge_at_ = time_point::max();
  sleeps_until_ = after(now, wait);
}

attempt_record attempt_machine::record_of(std::uint32_t attempt,
                                          const attempt_facts& f,
                                          time_point now) const {
  const lane& l = is_hedging() && attempt == second_.number ? second_ : first_;
  attempt_record r;
  r.error = f.error;
  r.elapsed = now - l.began;
  r.sent = f.sent && !says_not_sent(f);
  r.received = f.received;
  if (is_running(l)) {
    r.where = l.place.where;
    r.reused = l.place.reused;
  }
  return r;
}

void attempt_machine::end_attempt(ended_attempt& s,
                                  const lane& l,
                                  const attempt_facts& f,
                                  time_point now) {
  s.attempt_ended = true;
  s.number = l.number;
  s.why = f.error;
  s.record = record_of(l.number, f, now);
  if (is_running(l)) {
    s.leased = true;
    s.how = end_of(f);
  }
  if (!is_failure(f)) return;
  history_.attempts.push_back(s.record);
  if (!s.leased) return;
  const auto same = [&](const tried_endpoint& t) { return t.id == l.place.endpoint_id; };
  const auto known = std::find_if(tried_.begin(), tried_.end(), same);
  if (known == tried_.end()) {
    tried_.push_back({l.place.endpoint_id, now});
  } else {
    known->failed_at = now;
  }
}

void attempt_machine::begin_checkout(call_step& s, time_point now) {
  stage_ = stage::checkout;
  hedge_at_ = time_point::max();
  first_ = {};
  first_.number = ++begun_;
  first_.began = now;
  s.next = call_step::move::checkout;
}

void attempt_machine::run(lane& l, const attempt_place& place, time_point now) {
  l.place = place;
  l.runs_since = now;
  l.ends = attempt_deadline(now);
}

void attempt_machine::finish(call_step& s, error_code error, time_point now) {
  if (started_ < now) s.took = now - started_;
  stage_ = stage::finished;
  beside_ = beside::nothing;
  s.next = call_step::move::finish;
  s.error = error;
}

}  // namespace redial::inline REDIAL_ABI::detail
