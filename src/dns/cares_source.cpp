// SPDX-License-Identifier: Apache-2.0
//
// States of a question: waiting (for its turn) -> in flight (on a channel) -> posted.
// States of a channel:  current -> retired (finishes what it has) -> destroyed from a posted
// handler.
//
// Constants and reasons
//   1 s between rebuilds        a dead server must not cost a channel per question
//   2 unanswered questions      one may be bad luck; with a deadline of 5 s two are half a minute
//   of
//                               backoff in which a channel stuck on a vanished network stays stuck
//   a quarter of the deadline   per try, so that the second of two servers is still asked; at most
//                               1 s (c-ares doubles it), at least 50 ms
#include "dns/cares_source.hpp"

#include "dns/answer_check.hpp"
#include "dns/cares_source_state.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace redial::detail {
namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr duration rebuild_interval = 1s;
constexpr int most_unanswered = 2;

duration try_timeout_for(duration query_timeout) {
  return std::clamp<duration>(query_timeout / 4, 50ms, 1s);
}

std::string milliseconds_text(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

void check(const cares_options& o) {
  if (o.query_timeout < 10ms || o.query_timeout > 1min) {
    throw std::invalid_argument("query_timeout: " + milliseconds_text(o.query_timeout) +
                                "; want 10 ms to 1 min");
  }
  if (o.max_in_flight < 1 || o.max_in_flight > 1024) {
    throw std::invalid_argument("max_queries_in_flight: " + std::to_string(o.max_in_flight) +
                                "; want 1 to 1024");
  }
}

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

bool has_zone(const nameserver& s) noexcept {
  return s.where.is_v6() && s.where.to_v6().scope_id() != 0;
}

bool speaks_for_a_server(answer_outcome o) noexcept {
  return o != answer_outcome::timeout && o != answer_outcome::local_fault &&
         o != answer_outcome::closed;
}

}  // namespace

cares_source_state::cares_source_state(asio::any_io_executor strand,
                                       const cares_options& options,
                                       std::shared_ptr<scheduler> time)
    : strand_(std::move(strand)),
      options_(options),
      try_timeout_(try_timeout_for(options.query_timeout)),
      time_(std::move(time)) {
  check(options_);
  servers_ = options_.nameservers.empty() ? read_resolv_conf(options_.resolv_conf)
                                          : parse_nameservers(options_.nameservers);
}

cares_source_state::~cares_source_state() { time_->disarm(timer_); }

void cares_source_state::start() {
  timer_.owned_by(weak_from_this());
  on_context_end(*strand_, weak_from_this());
  error_code why;
  if (servers_.empty() || build(why)) return;
  if (!options_.nameservers.empty()) {
    throw std::invalid_argument("nameservers: this c-ares cannot use them: " + why.message());
  }
}

void cares_source_state::ask(const question& q, dns_source::handler done) {
  if (!strand_) return;  // nowhere to call the handler any more
  const auto at = ops_.emplace_hint(ops_.end(), ++last_id_, op{});
  at->second.asked = q;
  at->second.done = std::move(done);
  at->second.deadline = after(time_->now(), options_.query_timeout);
  if (closed_) return finish(at, failure(q, answer_outcome::closed));
  waiting_.push_back(at->first);
  pump();
  arm_timer();
}

void cares_source_state::close() {
  if (closed_ || !strand_) return;
  closed_ = true;
  time_->disarm(timer_);
  while (!ops_.empty()) {
    finish(ops_.begin(), failure(ops_.begin()->second.asked, answer_outcome::closed));
  }
  waiting_.clear();
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
  waiting_.clear();
  // Handlers may own whatever owns us: they go last, when nothing is left to be done with them.
  ops forgotten = std::exchange(ops_, {});
  for (auto& [id, o] : forgotten) o.channel.reset();
  current_.reset();
  retired_.clear();
  strand_.reset();
}

void cares_source_state::reload() {
  if (closed_ || !options_.nameservers.empty()) return;
  auto fresh = read_resolv_conf(options_.resolv_conf);
  if (fresh.empty() || fresh == servers_) return;
  servers_ = std::move(fresh);
  if (current_) {
    ++rebuilds_;
    retire_current();
  }
  stir();
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
    if (const auto self = weak.lock()) self->on_stirred();
  });
}

void cares_source_state::on_stirred() {
  stirred_ = false;
  if (closed_) return;
  auto channels = retired_;
  if (current_) channels.push_back(current_);
  for (const auto& c : channels) {
    take_results(*c);
    if (c->fault() != channel_fault::none) abandon(c);
  }
  const auto now = time_->now();
  time_out(now);
  consider_rebuild(now);
  pump();
  std::erase_if(retired_, [](const auto& c) { return c->questions == 0; });
  arm_timer();
}

void cares_source_state::take_results(live_channel& c) {
  for (auto& r : c.take_finished()) {
    const auto at = ops_.find(r.id);
    // Nobody waits for it any more, but it shows that somebody is there.
    if (at == ops_.end() || at->second.channel.get() != &c) {
      if (speaks_for_a_server(r.outcome)) unanswered_ = 0;
      continue;
    }
    const auto& q = at->second.asked;
    auto a = r.outcome == answer_outcome::records ? check_answer(q, r.bytes)
                                                  : failure(q, r.outcome, r.error);
    const bool by_rcode =
        a.outcome == answer_outcome::server_failure || a.outcome == answer_outcome::refused;
    if (r.error && by_rcode) a.error = r.error;
    unanswered_ = speaks_for_a_server(a.outcome) ? 0 : unanswered_ + 1;
    refused_ = refused_ || (a.outcome == answer_outcome::refused && r.bytes.empty());
    finish(at, std::move(a));
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
void cares_source_state::abandon(const channel_ptr& c) {
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
  waiting_.insert(waiting_.begin(), again.begin(), again.end());
  if (c != current_) return;
  const auto now = time_->now();
  if (last_rebuild_) build_not_before_ = after(*last_rebuild_, rebuild_interval);
  last_rebuild_ = std::max(now, build_not_before_);
  ++rebuilds_;
  current_.reset();
}

void cares_source_state::consider_rebuild(time_point now) {
  const bool wanted = std::exchange(refused_, false) || unanswered_ >= most_unanswered;
  if (!wanted || !current_) return;
  if (last_rebuild_ && now < after(*last_rebuild_, rebuild_interval)) return;
  last_rebuild_ = now;
  unanswered_ = 0;
  ++rebuilds_;
  retire_current();
}

void cares_source_state::retire_current() { retired_.push_back(std::exchange(current_, nullptr)); }

// Questions past their deadline are not waited for, but c-ares goes on with them, each perhaps with
// a socket of its own.
bool cares_source_state::is_full() const noexcept {
  return in_flight_ >= options_.max_in_flight ||
         (current_ && current_->open_queries() >= 2 * options_.max_in_flight);
}

void cares_source_state::pump() {
  while (!is_full() && !waiting_.empty()) {
    const auto at = ops_.find(waiting_.front());
    if (at == ops_.end()) {  // met its deadline in the queue
      waiting_.pop_front();
      continue;
    }
    if (!have_channel()) return;
    waiting_.pop_front();
    at->second.channel = current_;
    ++current_->questions;
    ++in_flight_;
    current_->ask(at->first, at->second.asked);
  }
}

// False when nothing can be asked now: either everybody was told, or the timer brings us back.
bool cares_source_state::have_channel() {
  // Perhaps the network has come up meanwhile.
  if (servers_.empty() && options_.nameservers.empty()) {
    servers_ = read_resolv_conf(options_.resolv_conf);
  }
  if (servers_.empty()) {
    fail_waiting(make_error_code(errc::no_dns_servers));
    return false;
  }
  if (current_) return current_->fault() == channel_fault::none;
  if (time_->now() < build_not_before_) return false;
  error_code why;
  if (build(why)) return true;
  fail_waiting(why);
  return false;
}

bool cares_source_state::build(error_code& why) {
  auto stirred = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->stir();
  };
  current_ = live_channel::create(*strand_, time_, servers_, try_timeout_, stirred, why);
  // c-ares 1.18.1 cannot take a server with a zone (fe80::1%eth0). In resolv.conf the others count.
  if (!current_ && options_.nameservers.empty() && std::erase_if(servers_, has_zone) > 0) {
    current_ = live_channel::create(*strand_, time_, servers_, try_timeout_, stirred, why);
  }
  return current_ != nullptr;
}

void cares_source_state::fail_waiting(const error_code& ec) {
  for (const auto id : std::exchange(waiting_, {})) {
    const auto at = ops_.find(id);
    if (at != ops_.end()) finish(at, failure(at->second.asked, answer_outcome::local_fault, ec));
  }
}

// By post, each on its own: handlers may do anything, also throw.
void cares_source_state::finish(ops::iterator at, answer a) {
  auto& o = at->second;
  if (o.channel) {
    --in_flight_;
    --o.channel->questions;
  }
  asio::post(*strand_, [done = std::move(o.done), a = std::move(a)] { done(a); });
  ops_.erase(at);
}

void cares_source_state::arm_timer() {
  if (ops_.empty()) return time_->disarm(timer_);
  auto when = ops_.begin()->second.deadline;
  if (!current_ && !waiting_.empty()) when = std::min(when, build_not_before_);
  time_->arm(timer_, when);
}

cares_source::cares_source(std::shared_ptr<cares_source_state> state) noexcept
    : state_(std::move(state)) {}

cares_source::~cares_source() { state_->close_later(); }

void cares_source::ask(const question& q, handler done) { state_->ask(q, std::move(done)); }

void cares_source::close() { state_->close(); }

void cares_source::reload() { state_->reload(); }

std::uint64_t cares_source::rebuilds() const noexcept { return state_->rebuilds(); }

std::unique_ptr<cares_source> make_cares_source(asio::any_io_executor strand,
                                                const cares_options& options,
                                                std::shared_ptr<scheduler> time) {
  auto state = std::make_shared<cares_source_state>(std::move(strand), options, std::move(time));
  state->start();
  return std::make_unique<cares_source>(std::move(state));
}

}  // namespace redial::detail
