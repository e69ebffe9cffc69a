// SPDX-License-Identifier: Apache-2.0
#include <redial/watch/explanation.hpp>

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace redial::inline REDIAL_ABI {

namespace {

using out = std::back_insert_iterator<std::string>;

double seconds_of(duration d) { return std::chrono::duration<double>(d).count(); }

// `in 3.2 s`, `1.5 s ago`, `never`.
std::string when(time_point t, time_point now) {
  if (t == time_point::max()) return "never";
  if (t >= now) return fmt::format("in {:.1f} s", seconds_of(t - now));
  return fmt::format("{:.1f} s ago", seconds_of(now - t));
}

void write(const answer_note& a, time_point now, out to) {
  fmt::format_to(to, "      {}: {}", when(a.at, now), to_string(a.outcome));
  if (a.outcome == answer_outcome::records) {
    fmt::format_to(to, ", {} of TTL {} s", a.records, a.ttl.count());
  }
  if (!a.independent) fmt::format_to(to, ", the same cached copy");
  if (a.error) fmt::format_to(to, " ({})", a.error.message());
  fmt::format_to(to, "\n");
}

void write(const set_explanation& s, time_point now, out to) {
  fmt::format_to(to, "  {}: ", s.what);
  if (s.state == freshness::unresolved) {
    fmt::format_to(to, "no records so far");
  } else {
    fmt::format_to(to, "{}, good until {}", to_string(s.state), when(s.fresh_until, now));
  }
  if (s.in_flight) {
    fmt::format_to(to, ", being asked");
  } else {
    fmt::format_to(to, ", next asked {}", when(s.next_refresh, now));
  }
  fmt::format_to(to, "; {} answers", s.answers);
  if (s.failures > 0) fmt::format_to(to, "; {} failures in a row", s.failures);
  if (s.last_error) fmt::format_to(to, "; last error: {}", s.last_error.message());
  fmt::format_to(
      to, "; {} ({})\n", s.rotating ? "rotating" : "complete", to_string(s.why_rotating));
  for (const answer_note& a : s.last_answers) write(a, now, to);
}

void write(const endpoint_explanation& e, time_point now, out to) {
  fmt::format_to(to,
                 "  {} from {}: {}{}, {}; first seen {}, last seen {}, in {} answers",
                 to_string(e.where),
                 to_string(e.origin),
                 e.presence == presence::present ? "present" : "absent",
                 e.doubted ? " and doubted" : "",
                 e.why,
                 when(e.first_seen, now),
                 when(e.last_seen, now),
                 e.seen_in);
  if (e.misses_needed > 0) fmt::format_to(to, "; missed {} of {}", e.missed, e.misses_needed);
  if (!e.next.empty()) fmt::format_to(to, "; next: {}", e.next);
  if (e.next_at != time_point::max()) fmt::format_to(to, " ({})", when(e.next_at, now));
  fmt::format_to(to, "\n");
}

}  // namespace

const char* to_string(endpoint_origin o) noexcept {
  switch (o) {
    case endpoint_origin::fixed:
      return "the target itself";
    case endpoint_origin::source:
      return "a source";
    case endpoint_origin::hosts:
      return "the hosts file";
    case endpoint_origin::dns:
      return "DNS";
    case endpoint_origin::srv:
      return "SRV";
  }
  return "?";
}

const char* to_string(rotation_reason r) noexcept {
  switch (r) {
    case rotation_reason::none:
      return "its answers do not rotate";
    case rotation_reason::sample_changed:
      return "an answer of 8 records differed from the one before";
    case rotation_reason::returned:
      return "an endpoint came back soon after it had gone missing";
    case rotation_reason::option:
      return "watch_options::membership says so";
  }
  return "?";
}

std::string to_string(const explanation& e) {
  std::string text;
  const out to(text);
  fmt::format_to(to,
                 "{}: {}, generation {}, {} endpoints, {} subscribers",
                 e.target,
                 to_string(e.state),
                 e.generation,
                 e.endpoints.size(),
                 e.subscribers);
  if (e.error) fmt::format_to(to, ", {}", e.error.message());
  fmt::format_to(to, "\n");
  for (const set_explanation& s : e.sets) write(s, e.now, to);
  for (const endpoint_explanation& one : e.endpoints) write(one, e.now, to);
  return text;
}

}  // namespace redial::inline REDIAL_ABI
