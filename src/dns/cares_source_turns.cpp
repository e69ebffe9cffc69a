// SPDX-License-Identifier: Apache-2.0
//
// Who is asked about next, and when: first those whose channel broke, then in the order of asking.
#include "dns/cares_source_state.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

// Questions past their deadline are not waited for, but c-ares goes on with them, each perhaps with
// a socket of its own.
bool cares_source_state::is_full() const noexcept {
  return in_flight_ >= options_.max_in_flight ||
         (current_ && current_->open_queries() >= 2 * options_.max_in_flight);
}

// Only such questions are left, so nobody's deadline brings us on.
bool cares_source_state::is_stuck() const noexcept {
  return in_flight_ == 0 && somebody_waits() && is_full();
}

void cares_source_state::pump(time_point now) {
  while (somebody_waits() && may_start(now)) give_turn(now);
}

bool cares_source_state::may_start(time_point now) {
  return !is_full() && have_channel(now) && rate_.take(now);
}

void cares_source_state::give_turn(time_point now) {
  if (!again_.empty()) {
    const auto at = ops_.find(again_.front());
    again_.pop_front();
    return start(at, now);
  }
  op first = std::move(waiting_.front());
  waiting_.pop_front();
  start(std::move(first), now);
}

// Its first turn.
void cares_source_state::start(op&& o, time_point now) {
  o.deadline = after(now, options_.query_timeout);
  auto at = ops_.end();
  if (spare_ops_.empty()) {
    at = ops_.emplace_hint(ops_.end(), ++last_turn_, std::move(o));
  } else {
    auto node = std::move(spare_ops_.back());
    spare_ops_.pop_back();
    node.key() = ++last_turn_;
    node.mapped() = std::move(o);
    at = ops_.insert(ops_.end(), std::move(node));
  }
  start(at, now);
}

void cares_source_state::start(ops::iterator at, time_point now) {
  at->second.channel = current_;
  ++current_->questions;
  ++in_flight_;
  current_->ask(at->first, at->second.asked, now);
}

// False when nothing can be asked now: either everybody was told, or the timer brings us back.
bool cares_source_state::have_channel(time_point now) {
  if (servers_.is_empty()) {
    fail_waiting(make_error_code(errc::no_dns_servers));
    return false;
  }
  if (current_) return current_->fault() == channel_fault::none;
  if (now < build_not_before_) return false;
  error_code why;
  if (build(why)) return true;
  fail_waiting(why);
  return false;
}

bool cares_source_state::build(error_code& why) {
  auto stirred = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->stir();
  };
  do {
    current_ = live_channel::create(*strand_, time_, servers_.next_channel(), stirred, why);
  } while (!current_ && servers_.drop_zoned());
  return current_ != nullptr;
}

}  // namespace redial::inline REDIAL_ABI::detail
