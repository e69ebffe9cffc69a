// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>
#include <redial/testing/event_recorder.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

// Milliseconds tell enough, and look the same everywhere.
std::string seconds_text(duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return fmt::format("{}.{:03}s", ms / 1000, ms % 1000);
}

recorded_event make_event(event_kind kind, std::string_view name, std::string_view what) {
  recorded_event r;
  r.kind = kind;
  r.name = escaped(name, 253);
  r.what = what;
  return r;
}

}  // namespace

const char* to_string(event_kind k) noexcept {
  switch (k) {
    case event_kind::answer:
      return "answer";
    case event_kind::snapshot:
      return "snapshot";
    case event_kind::endpoint:
      return "endpoint";
    case event_kind::connection:
      return "connection";
    case event_kind::attempt:
      return "attempt";
    case event_kind::reset:
      return "reset";
    case event_kind::panic:
      return "panic";
    case event_kind::checkout:
      return "checkout";
    case event_kind::call:
      return "call";
  }
  return "?";
}

std::string to_string(const recorded_event& e) {
  std::string text = fmt::format("{} {} {}", seconds_text(e.at), to_string(e.kind), e.name);
  if (!e.where.empty()) text += ' ' + e.where;
  if (e.number != 0) text += fmt::format(" #{}", e.number);
  text += ' ' + e.what;
  if (!e.detail.empty()) text += ' ' + e.detail;
  if (e.elapsed != duration::zero()) text += " after " + seconds_text(e.elapsed);
  if (e.error) text += fmt::format(" ({}: {})", e.error.category().name(), e.error.message());
  return text;
}

std::ostream& operator<<(std::ostream& out, const recorded_event& e) { return out << to_string(e); }

struct event_recorder::state {
  explicit state(std::shared_ptr<scheduler> t)
      : time(std::move(t)), began(time ? time->now() : time_point{}) {}

  const std::shared_ptr<scheduler> time;
  const time_point began;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<recorded_event> events;
};

event_recorder::event_recorder(std::shared_ptr<scheduler> time)
    : state_(std::make_unique<state>(std::move(time))) {}

event_recorder::~event_recorder() = default;

void event_recorder::add(recorded_event e) {
  if (state_->time) e.at = state_->time->now() - state_->began;
  const std::lock_guard lock(state_->mutex);
  state_->events.push_back(std::move(e));
  state_->changed.notify_all();
}

void event_recorder::on_answer(const answer_event& e) {
  const answer& a = e.received;
  auto r = make_event(event_kind::answer, a.asked.name, to_string(a.outcome));
  r.where = to_string(a.asked.type);
  for (const address& one : a.addresses) r.detail += one.to_string() + ' ';
  r.detail += fmt::format("ttl {}s", a.ttl.count());
  if (a.dropped != 0) r.detail += fmt::format(" dropped {}", a.dropped);
  r.detail += fmt::format(" {}", to_string(e.result));
  r.error = a.error;
  r.elapsed = e.elapsed;
  add(std::move(r));
}

void event_recorder::on_snapshot(const snapshot_event& e) {
  auto r = make_event(event_kind::snapshot, e.name, to_string(e.state));
  r.detail = fmt::format("{} endpoints +{} -{}", e.endpoints, e.added, e.departed);
  r.number = e.generation;
  add(std::move(r));
}

void event_recorder::on_endpoint(const endpoint_event& e) {
  auto r = make_event(event_kind::endpoint, e.name, to_string(e.change));
  r.where = to_string(e.where);
  r.error = e.error;
  add(std::move(r));
}

void event_recorder::on_connection(const connection_event& e) {
  auto r = make_event(event_kind::connection, e.name, to_string(e.change));
  r.where = to_string(e.where);
  r.number = e.connection;
  if (e.change == connection_change::closed) r.detail = to_string(e.reason);
  r.error = e.error;
  r.elapsed = e.elapsed;
  add(std::move(r));
}

void event_recorder::on_attempt(const attempt_event& e) {
  const char* const outcome = e.retried ? "retried" : e.error ? "failed" : "succeeded";
  auto r = make_event(event_kind::attempt, e.name, outcome);
  r.where = to_string(e.where);
  r.number = e.number;
  r.error = e.error;
  r.elapsed = e.elapsed;
  add(std::move(r));
}

void event_recorder::on_reset(const reset_event& e) {
  auto r = make_event(event_kind::reset, e.name, e.suppressed ? "suppressed" : "done");
  r.error = e.cause;
  add(std::move(r));
}

void event_recorder::on_panic(const panic_event& e) {
  auto r = make_event(event_kind::panic, e.name, e.begun ? "begun" : "over");
  r.detail = fmt::format("{} of {} healthy", e.healthy, e.endpoints);
  add(std::move(r));
}

void event_recorder::on_checkout_failed(const checkout_event& e) {
  auto r = make_event(event_kind::checkout, e.name, "failed");
  r.error = e.error;
  r.elapsed = e.waited;
  add(std::move(r));
}

void event_recorder::on_call(const call_event& e) {
  auto r = make_event(event_kind::call, e.name, e.error ? "failed" : "succeeded");
  r.number = e.attempts;
  r.error = e.error;
  r.elapsed = e.elapsed;
  add(std::move(r));
}

std::vector<recorded_event> event_recorder::all() const {
  const std::lock_guard lock(state_->mutex);
  return state_->events;
}

std::vector<recorded_event> event_recorder::matching(const filter& wanted) const {
  auto events = all();
  std::erase_if(events, [&](const recorded_event& e) { return !wanted(e); });
  return events;
}

std::optional<recorded_event> event_recorder::first(const filter& wanted) const {
  auto found = matching(wanted);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<recorded_event> event_recorder::last(const filter& wanted) const {
  auto found = matching(wanted);
  if (found.empty()) return std::nullopt;
  return std::move(found.back());
}

std::size_t event_recorder::count(const filter& wanted) const { return matching(wanted).size(); }

std::size_t event_recorder::count(event_kind kind,
                                  std::string_view what,
                                  std::string_view where) const {
  return count(event_is(kind, what, where));
}

bool event_recorder::wait_for(const filter& wanted,
                              std::size_t times,
                              std::chrono::milliseconds at_most) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, at_most, [&] {
    return static_cast<std::size_t>(std::ranges::count_if(state_->events, wanted)) >= times;
  });
}

std::string event_recorder::trace() const {
  std::string text;
  for (const recorded_event& e : all()) text += to_string(e) + '\n';
  return text;
}

void event_recorder::clear() {
  const std::lock_guard lock(state_->mutex);
  state_->events.clear();
}

event_recorder::filter event_is(event_kind kind, std::string_view what, std::string_view where) {
  return [kind, what = std::string(what), where = std::string(where)](const recorded_event& e) {
    return e.kind == kind && (what.empty() || e.what == what) &&
           (where.empty() || e.where == where);
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
