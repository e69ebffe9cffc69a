// SPDX-License-Identifier: Apache-2.0

// A second attempt beside the first one.

#include "client/attempt_machine.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

void attempt_machine::plan_hedge(time_point now) {
  const bool may = terms_.idempotent && hedges_ == 0 && attempts_left();
  hedge_at_ = may ? after(now, terms_.hedge_after) : time_point::max();
}

// Asked in this order because the last one costs.
void attempt_machine::begin_hedge(call_step& s, call_surroundings& around, time_point now) {
  hedge_at_ = time_point::max();
  if (!attempts_left() || around.usable_endpoints() < 2 || !around.spend_hedge(now)) return;
  beside_ = beside::checkout;
  second_ = {};
  second_.number = begun_ + 1;
  second_.began = now;
  s.next = call_step::move::checkout;
}

std::vector<tried_endpoint> attempt_machine::avoided() const {
  std::vector<tried_endpoint> all = tried_;
  if (is_hedging()) all.push_back({first_.place.endpoint_id, second_.began});
  return all;
}

bool attempt_machine::is_running(const lane& l) const noexcept {
  return &l == &first_ ? stage_ == stage::running : beside_ == beside::running;
}

attempt_machine::lane* attempt_machine::running(std::uint32_t attempt) noexcept {
  for (lane* l : {&first_, &second_}) {
    if (is_running(*l) && l->number == attempt) return l;
  }
  return nullptr;
}

attempt_machine::lane& attempt_machine::other_than(const lane& l) noexcept {
  return &l == &first_ ? second_ : first_;
}

// From now on the other one is the first.
void attempt_machine::leave_to_other(const lane& failed) {
  const beside left = std::exchange(beside_, beside::nothing);
  if (&failed == &second_) return;
  first_ = std::exchange(second_, {});
  hedge_at_ = time_point::max();
  if (left == beside::checkout) {
    stage_ = stage::checkout;
    ++begun_;  // an ordinary retry now
  }
}

// Nobody is to blame for what was called off. What it has sent is only known where it runs.
void attempt_machine::end_other(call_step& s, const lane& l, error_code why, time_point now) {
  if (!is_hedging() || !is_running(other_than(l))) return;
  attempt_facts facts;
  facts.error = why;
  facts.sent = true;
  end_attempt(s.other, other_than(l), facts, now);
  s.other.gave_up = true;
  if (why != errc::deadline_exceeded) s.other.how = lease_end::spent;
}

}  // namespace redial::inline REDIAL_ABI::detail
