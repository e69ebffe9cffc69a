// SPDX-License-Identifier: Apache-2.0
//
// States of a question: waiting (for its turn) -> in flight (on a channel) -> delivered.
// States of a channel:  current -> retired (finishes what it has) -> destroyed from a posted
// handler.
//
// Constants and reasons
//   1 s between rebuilds        a dead server must not cost a channel per question
//   2 unanswered questions      one may be bad luck; with a deadline of 5 s two are half a minute
//                               of backoff in which a channel stuck on a vanished network stays
//                               stuck
#include "dns/cares_source_state.hpp"

#include "dns/answer_check.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr duration rebuild_interval = 1s;
constexpr int most_unanswered = 2;

// The code of a failure that c-ares has no code for.
errc code_of(answer_outcome o) noexcept {
  switch (o) {
    case answer_outcome::timeout:
      return errc::dns_timeout;
    case answer_outcome::closed:
      return errc::closed;
    default:
      return errc::dns_server_failure;
  }
}

answer failure(const question& q, answer_outcome outcome, const error_code& ec = {}) {
  answer a;
  a.asked = q;
  a.outcome = outcome;
  a.error = ec ? ec : make_error_code(code_of(outcome));
  return a;
}

bool speaks_for_a_server(answer_outcome o) noexcept {
  return o != answer_outcome::timeout && o != answer_outcome::local_fault &&
         o != answer_outcome::closed;
}

// A response code after which c-ares asks nobody else, although another server may know: FORMERR
// and unknown ones. After SERVFAIL, NOTIMP and REFUSED it has asked all.
bool is_useless(answer_outcome said, std::span<const std::uint8_t> response) noexcept {
  if (said != answer_outcome::records || response.size() < 4) return false;
  const int rcode = response[3] & 0x0f;
  return rcode == 1 || rcode > 5;
}

}  // namespace

cares_source_state::cares_source_state(asio::any_io_executor strand,
                                       const cares_options& options,
                                       std::shared_ptr<scheduler> time)
    : strand_(std::move(strand)),
      options_(options),
      time_(std::move(time)),
      servers_(options_),
      rate_(options_.max_per_second) {
  spare_names_.reserve(options_.max_in_flight);
}

cares_source_state::~cares_source_state() { time_->disarm(timer_); }

void cares_source_state::start() {
  timer_.owned_by(weak_from_this());
  on_context_end(*strand_, weak_from_this());
  static_cast<void>(servers_.look(time_->now()));
  error_code why;
  if (servers_.is_empty() || build(why)) return;
  if (servers_.is_fixed()) {
    throw std::invalid_argument("nameservers: this c-ares cannot use them: " + why.message());
  }
}

void cares_source_state::ask(const question& q, dns_source::handler done) {
  if (!strand_) return;  // nowhere to call the handler any more
  if (closed_) return deliver(std::move(done), failure(q, answer_outcome::closed));
  const auto now = time_->now();
  follow_servers(now);
  op o;
  if (!spare_names_.empty()) {
    o.asked.name = std::move(spare_names_.back());
    spare_names_.pop_back();
  }
  o.asked = q;
  o.done = std::move(done);
  if (!somebody_waits() && current_ && may_start(now)) {
    start(std::move(o), now);
  } else {
    waiting_.push_back(std::move(o));
    pump(now);
  }
  arm_timer(now);
}

void cares_source_state::close() noexcept {
  if (closed_ || !strand_) return;
  closed_ = true;
  time_->disarm(timer_);
  try {
    while (!ops_.empty()) {
      finish(ops_.begin(), failure(ops_.begin()->second.asked, answer_outcome::closed));
    }
    for (auto& o : std::exchange(waiting_, {})) {
      deliver(std::move(o.done), failure(o.asked, answer_outcome::closed));
    }
  } catch (...) {
    return context_gone();  // No memory to tell anybody: what is left goes untold.
  }
  current_.reset();
  retired_.clear();
}

void cares_source_state::close_later() {
  if (!strand_ || time_->is_stopped()) return;
  asio::post(*strand_, [self = shared_from_this()] { self->close(); });
}

void cares_source_state::context_gone() noexcept {
  closed_ = true;
  time_->disarm(timer_);
  // Handlers may own whatever owns us: they go last, when nothing is left to be done with them.
  const auto unheard = std::exchange(finished_, nullptr);
  const auto unasked = std::exchange(waiting_, {});
  ops forgotten(std::move(ops_));
  ops_.clear();
  for (auto& [id, o] : forgotten) o.channel.reset();
  current_.reset();
  retired_.clear();
  strand_.reset();
}

// Posts one `on_stirred`. Also called by channels, from inside c-ares.
void cares_source_state::stir() {
  if (stirred_ || closed_) return;
  stirred_ = true;
  asio::post(*strand_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_stirred();
  });
}

// On a thread of the scheduler.
void cares_source_state::on_timer() {
  asio::post(*strand_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->armed_for_.reset();
    self->on_stirred();
  });
}

void cares_source_state::on_stirred() {
  stirred_ = false;
  if (closed_) return;
  in_turn_ = true;
  const auto now = time_->now();
  drive_channels(now);
  time_out(now);
  consider_rebuild(now);
  follow_servers(now);
  pump(now);
  std::erase_if(retired_, [](const auto& c) { return c->questions == 0; });
  arm_timer(now);
  in_turn_ = false;
  // Last: handlers may do anything, also throw or close.
  auto batch = std::exchange(finished_, nullptr);
  if (!batch) return;
  answer_batch::run(batch, *strand_);
  if (batch.use_count() != 1) return;
  batch->reopen(spare_names_);
  spare_ = std::move(batch);
}

void cares_source_state::drive_channels(time_point now) {
  const auto drive = [&](const channel_ptr& c) {
    take_results(c, now);
    if (c->fault() != channel_fault::none) abandon(c, now);
  };
  for (const auto& c : retired_) drive(c);
  if (const auto c = current_) drive(c);
}

void cares_source_state::take_results(const channel_ptr& c, time_point now) {
  bool port_closed = false;
  c->take_finished(results_);
  for (const auto& r : results_.each) {
    port_closed = port_closed || r.port_closed;
    const auto at = ops_.find(r.id);
    // Nobody waits for it any more, but it shows that somebody is there.
    if (at == ops_.end() || at->second.channel != c) {
      if (speaks_for_a_server(r.outcome)) unanswered_ = 0;
      continue;
    }
    auto& q = at->second.asked;
    const auto response = results_.response(r);
    auto a = r.outcome == answer_outcome::records ? check_answer(std::move(q), response)
                                                  : failure(q, r.outcome, r.error);
    const bool by_rcode =
        a.outcome == answer_outcome::server_failure || a.outcome == answer_outcome::refused;
    if (r.error && by_rcode) a.error = r.error;
    unanswered_ = speaks_for_a_server(a.outcome) ? 0 : unanswered_ + 1;
    refused_ = refused_ || (a.outcome == answer_outcome::refused && response.empty());
    const int in_vain = r.timeouts + (is_useless(r.outcome, response) ? 1 : 0);
    if (c == current_ && !failed_over_ && (is_definite(a.outcome) || in_vain > r.timeouts)) {
      failed_over_ = servers_.on_answer(in_vain, now);
    }
    finish(at, std::move(a));
  }
  results_.clear();
  if (port_closed) ask_again(c);
}

// Their answers would have come from a port that turned out to be closed.
void cares_source_state::ask_again(const channel_ptr& c) {
  for (auto& [id, o] : ops_) {
    if (o.channel != c || o.asked_again) continue;
    o.asked_again = true;
    o.channel.reset();
    --in_flight_;
    --c->questions;
    again_.push_back(id);
  }
}

void cares_source_state::time_out(time_point now) {
  while (!ops_.empty() && ops_.begin()->second.deadline <= now) {
    const auto& o = ops_.begin()->second;
    if (o.channel) ++unanswered_;
    finish(ops_.begin(), failure(o.asked, answer_outcome::timeout));
  }
}

// The channel is broken. Its questions get one more chance on the next one.
void cares_source_state::abandon(const channel_ptr& c, time_point now) {
  std::vector<std::uint64_t> again;
  for (auto at = ops_.begin(); at != ops_.end();) {
    const auto here = at++;
    auto& o = here->second;
    if (o.channel != c) continue;
    if (o.asked_again) {
      finish(here, failure(o.asked, answer_outcome::server_failure));
      continue;
    }
    o.asked_again = true;
    o.channel.reset();
    --in_flight_;
    again.push_back(here->first);
  }
  c->questions = 0;
  again_.insert(again_.begin(), again.begin(), again.end());
  if (c != current_) return;
  if (last_rebuild_) build_not_before_ = after(*last_rebuild_, rebuild_interval);
  last_rebuild_ = std::max(now, build_not_before_);
  ++rebuilds_;
  current_.reset();
}

void cares_source_state::consider_rebuild(time_point now) {
  const bool failed_over = std::exchange(failed_over_, false);
  const bool broken = std::exchange(refused_, false) || unanswered_ >= most_unanswered;
  if (!current_) return;
  if (!failed_over) {
    if (!broken && !is_stuck()) return;
    if (last_rebuild_ && now < after(*last_rebuild_, rebuild_interval)) return;
    unanswered_ = 0;
  }
  last_rebuild_ = now;
  ++rebuilds_;
  retire_current();
}

// They may have been changed in resolv.conf.
void cares_source_state::follow_servers(time_point now) {
  if (!servers_.look(now) || !current_) return;
  ++rebuilds_;
  retire_current();
}

void cares_source_state::retire_current() { retired_.push_back(std::exchange(current_, nullptr)); }

void cares_source_state::fail_waiting(const error_code& ec) {
  while (!again_.empty()) {
    const auto at = ops_.find(again_.front());
    finish(at, failure(at->second.asked, answer_outcome::local_fault, ec));
  }
  for (auto& o : std::exchange(waiting_, {})) {
    deliver(std::move(o.done), failure(o.asked, answer_outcome::local_fault, ec));
  }
}

void cares_source_state::finish(ops::iterator at, answer&& a) {
  auto& o = at->second;
  if (o.channel) {
    --in_flight_;
    --o.channel->questions;
  } else {
    std::erase(again_, at->first);
  }
  deliver(std::move(o.done), std::move(a));
  o = {};  // what it holds goes now, its memory is for the next one
  spare_ops_.push_back(ops_.extract(at));
}

void cares_source_state::deliver(dns_source::handler&& done, answer&& a) {
  if (!finished_ || !finished_->is_open()) {
    finished_ = spare_ ? std::move(spare_) : std::make_shared<answer_batch>();
    if (!in_turn_) answer_batch::post(finished_, *strand_);
  }
  finished_->add(std::move(done), std::move(a));
}

// A timer that fires too early costs less than moving it with every question.
void cares_source_state::arm_timer(time_point now) {
  const auto when = next_wish(now);
  if (when == time_point::max()) {
    if (armed_for_) time_->disarm(timer_);
    armed_for_.reset();
    return;
  }
  if (armed_for_ && *armed_for_ <= when) return;
  armed_for_ = when;
  time_->arm(timer_, when);
}

// When there is something to do without anybody's telling us. Nothing while nobody asks.
time_point cares_source_state::next_wish(time_point now) const {
  if (ops_.empty() && waiting_.empty()) return time_point::max();
  auto when = servers_.next_look();
  if (!ops_.empty()) when = std::min(when, ops_.begin()->second.deadline);
  if (!somebody_waits()) return when;
  if (!current_) return std::min(when, build_not_before_);
  if (is_stuck()) return std::min(when, after(now, rebuild_interval));
  return is_full() ? when : std::min(when, rate_.next());
}

}  // namespace redial::inline REDIAL_ABI::detail
