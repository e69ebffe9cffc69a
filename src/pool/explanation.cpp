// SPDX-License-Identifier: Apache-2.0
#include <redial/pool/explanation.hpp>

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace redial::inline REDIAL_ABI {

namespace {

using out = std::back_insert_iterator<std::string>;

double seconds_of(duration d) { return std::chrono::duration<double>(d).count(); }

// `in 3.2 s`, `1.5 s ago`.
std::string when(time_point t, time_point now) {
  if (t >= now) return fmt::format("in {:.1f} s", seconds_of(t - now));
  return fmt::format("{:.1f} s ago", seconds_of(now - t));
}

void write(const pooled_endpoint_explanation& e, time_point now, out to) {
  fmt::format_to(
      to,
      "  {}: {}{}, {}{}, {}; {} idle, {} leased, {} draining, {} opening; known since {}",
      to_string(e.where),
      to_string(e.standing),
      e.doubted ? " and doubted" : "",
      to_string(e.health),
      e.leasable && !e.serving ? " (standing by)" : "",
      e.why,
      e.idle,
      e.leased,
      e.draining,
      e.opening,
      when(e.known_since, now));
  if (e.missing_since != time_point::max()) {
    fmt::format_to(to, ", missing since {}", when(e.missing_since, now));
    if (e.last_leased >= e.missing_since) {
      fmt::format_to(to, ", last leased {}", when(e.last_leased, now));
    }
  }
  if (e.failures > 0) fmt::format_to(to, "; {} failures in a row", e.failures);
  if (e.strikes > 0) fmt::format_to(to, "; {} strikes", e.strikes);
  if (e.last_error) fmt::format_to(to, "; last error: {}", e.last_error.message());
  if (!e.next.empty()) fmt::format_to(to, "; next: {}", e.next);
  if (e.next_at != time_point::max()) fmt::format_to(to, " ({})", when(e.next_at, now));
  fmt::format_to(to, "\n");
}

}  // namespace

const char* to_string(endpoint_standing s) noexcept {
  switch (s) {
    case endpoint_standing::present:
      return "present";
    case endpoint_standing::absent:
      return "absent";
    case endpoint_standing::retained:
      return "retained";
    case endpoint_standing::last_resort:
      return "last_resort";
    case endpoint_standing::drained:
      return "drained";
  }
  return "?";
}

const char* to_string(endpoint_health h) noexcept {
  switch (h) {
    case endpoint_health::warming:
      return "warming";
    case endpoint_health::active:
      return "active";
    case endpoint_health::ejected:
      return "ejected";
    case endpoint_health::quarantined:
      return "quarantined";
  }
  return "?";
}

std::string to_string(const pool_explanation& e) {
  std::string text;
  const out to(text);
  fmt::format_to(to,
                 "{}: {}{} endpoints; {} idle, {} leased, {} draining, {} opening; {} waiting",
                 e.name,
                 e.closed ? "closed, " : "",
                 e.endpoints.size(),
                 e.gauges.idle,
                 e.gauges.leased,
                 e.gauges.draining,
                 e.gauges.connecting,
                 e.gauges.waiting);
  if (e.last_error) fmt::format_to(to, "; last connect failed: {}", e.last_error.message());
  fmt::format_to(to, "\n");
  for (const auto& one : e.endpoints) write(one, e.now, to);
  return text;
}

}  // namespace redial::inline REDIAL_ABI
