// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>
#include <redial/core/log.hpp>

#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

// A name has at most 253 characters; an SRV target in an endpoint's text adds some.
constexpr std::size_t longest_text = 255;

std::string seconds(duration d) {
  return fmt::format("{:.6f}", std::chrono::duration<double>(d).count());
}

/// Puts a record together: the message is `head` and then the fields, each as `key=value`.
class record {
 public:
  record(log_level level, std::string_view component, std::string head) {
    made_.level = level;
    made_.component = component;
    made_.message = std::move(head);
  }

  record& with(std::string_view key, std::string_view value) {
    made_.fields.push_back({key, escaped(value, longest_text)});
    const std::string& shown = made_.fields.back().value;
    const bool bare = !shown.empty() && shown.find(' ') == std::string::npos;
    const char* const quote = bare ? "" : "\"";
    made_.message += fmt::format(" {}={}{}{}", key, quote, shown, quote);
    return *this;
  }
  record& with(std::string_view key, std::uint64_t n) { return with(key, std::to_string(n)); }
  record& with(std::string_view key, const endpoint& e) { return with(key, to_string(e)); }
  record& with(std::string_view key, duration d) { return with(key, seconds(d)); }
  record& with(const error_code& e) {
    if (!e) return *this;
    return with("error", fmt::format("{}:{} {}", e.category().name(), e.value(), e.message()));
  }

  [[nodiscard]] const log_record& done() const noexcept { return made_; }

 private:
  log_record made_;
};

log_level level_of(const snapshot_event& e) noexcept {
  switch (e.state) {
    case freshness::expired:
      return log_level::error;
    case freshness::stale:
      return log_level::warning;
    case freshness::unresolved:
    case freshness::fresh:
      break;
  }
  return e.added + e.departed > 0 ? log_level::info : log_level::debug;
}

log_level level_of(const endpoint_event& e) noexcept {
  switch (e.change) {
    case endpoint_change::added:
    case endpoint_change::returned:
    case endpoint_change::departed:
    case endpoint_change::active:
    case endpoint_change::recovered:
    case endpoint_change::drained:
      return log_level::info;
    case endpoint_change::warm_failed:
    case endpoint_change::ejected:
      return log_level::warning;
    case endpoint_change::quarantined:
      return log_level::error;
    case endpoint_change::retained:
      // With an error: its time is over, and it serves because nothing else does.
      return e.error ? log_level::warning : log_level::debug;
    case endpoint_change::absent:
    case endpoint_change::doubted:
    case endpoint_change::warming:
      break;
  }
  return log_level::debug;
}

log_level level_of(close_reason r) noexcept {
  switch (r) {
    case close_reason::drain_deadline:
    case close_reason::error:
    case close_reason::poisoned:
    case close_reason::moved:
    case close_reason::unexpected_bytes:
    case close_reason::quarantined:
      return log_level::warning;
    case close_reason::idle:
    case close_reason::lifetime:
    case close_reason::departed:
    case close_reason::spent:
    case close_reason::peer_closed:
    case close_reason::endpoint_failed:
    case close_reason::reset:
    case close_reason::abandoned:
    case close_reason::shutdown:
    case close_reason::ejected:
    case close_reason::probed:
      break;
  }
  return log_level::debug;
}

log_level level_of(const connection_event& e) noexcept {
  switch (e.change) {
    case connection_change::failed:
      // Given up by the pool itself: the endpoint left, or the pool was closed.
      if (e.error == boost::asio::error::operation_aborted) return log_level::debug;
      return log_level::warning;
    case connection_change::closed:
      return level_of(e.reason);
    case connection_change::opening:
    case connection_change::opened:
      break;
  }
  return log_level::debug;
}

log_level level_of(const call_event& e) noexcept {
  if (!e.error) return log_level::debug;
  const bool wanted = e.error == boost::asio::error::operation_aborted || e.error == errc::closed;
  return wanted ? log_level::info : log_level::error;
}

}  // namespace

const char* to_string(log_level l) noexcept {
  switch (l) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
  }
  return "?";
}

log_listener::log_listener(sink write, log_level least) : write_(std::move(write)), least_(least) {
  if (!write_) throw std::invalid_argument("log_listener: write is empty: give a function");
}

void log_listener::on_answer(const answer_event& e) {
  const answer& a = e.received;
  const bool good = a.outcome == answer_outcome::records || a.outcome == answer_outcome::no_data;
  const log_level level = good ? log_level::debug : log_level::warning;
  if (!wants(level)) return;
  record r(level, "dns", "answer");
  r.with("name", a.asked.name).with("type", to_string(a.asked.type));
  r.with("outcome", to_string(a.outcome)).with("result", to_string(e.result));
  r.with("records", std::uint64_t{a.addresses.size() + a.services.size()});
  r.with("ttl", std::uint64_t(a.ttl.count())).with("seconds", e.elapsed).with(a.error);
  write_(r.done());
}

void log_listener::on_snapshot(const snapshot_event& e) {
  const log_level level = level_of(e);
  if (!wants(level)) return;
  record r(level, "dns", "endpoints");
  r.with("name", e.name).with("state", to_string(e.state)).with("generation", e.generation);
  r.with("endpoints", std::uint64_t{e.endpoints}).with("added", std::uint64_t{e.added});
  r.with("departed", std::uint64_t{e.departed});
  write_(r.done());
}

void log_listener::on_endpoint(const endpoint_event& e) {
  const log_level level = level_of(e);
  if (!wants(level)) return;
  record r(level, "endpoint", fmt::format("endpoint {}", to_string(e.change)));
  r.with("name", e.name).with("endpoint", e.where).with("change", to_string(e.change));
  r.with(e.error);
  write_(r.done());
}

void log_listener::on_connection(const connection_event& e) {
  const log_level level = level_of(e);
  if (!wants(level)) return;
  record r(level, "connection", fmt::format("connection {}", to_string(e.change)));
  r.with("name", e.name).with("endpoint", e.where).with("change", to_string(e.change));
  r.with("connection", e.connection);
  if (e.change == connection_change::closed) r.with("reason", to_string(e.reason));
  if (e.change != connection_change::opening) r.with("seconds", e.elapsed);
  r.with(e.error);
  write_(r.done());
}

void log_listener::on_attempt(const attempt_event& e) {
  const log_level level = e.error || e.retried ? log_level::warning : log_level::debug;
  if (!wants(level)) return;
  record r(level, "call", e.retried ? "attempt failed, tried again" : "attempt ended");
  r.with("name", e.name);
  if (e.where.port != 0) r.with("endpoint", e.where);
  r.with("attempt", std::uint64_t{e.number}).with("seconds", e.elapsed).with(e.error);
  write_(r.done());
}

void log_listener::on_reset(const reset_event& e) {
  const log_level level = e.suppressed ? log_level::debug : log_level::info;
  if (!wants(level)) return;
  record r(level, "pool", e.suppressed ? "reset suppressed" : "reset");
  r.with("name", e.name).with(e.cause);
  write_(r.done());
}

void log_listener::on_panic(const panic_event& e) {
  const log_level level = e.begun ? log_level::error : log_level::info;
  if (!wants(level)) return;
  record r(level, "pool", e.begun ? "panic: ejected endpoints are used again" : "panic is over");
  r.with("name", e.name).with("healthy", std::uint64_t{e.healthy});
  r.with("endpoints", std::uint64_t{e.endpoints});
  write_(r.done());
}

void log_listener::on_checkout_failed(const checkout_event& e) {
  if (!wants(log_level::warning)) return;
  record r(log_level::warning, "pool", "no connection for a caller");
  r.with("name", e.name).with("seconds", e.waited).with(e.error);
  write_(r.done());
}

void log_listener::on_call(const call_event& e) {
  const log_level level = level_of(e);
  if (!wants(level)) return;
  record r(level, "call", e.error ? "call failed" : "call succeeded");
  r.with("name", e.name).with("attempts", std::uint64_t{e.attempts});
  r.with("seconds", e.elapsed).with(e.error);
  write_(r.done());
}

}  // namespace redial::inline REDIAL_ABI
