// SPDX-License-Identifier: Apache-2.0
#include "metrics/samples.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

// The format (Prometheus text exposition 0.0.4): HELP and TYPE once for each family, before its
// series; buckets are cumulative and end with `+Inf`, which equals `_count`; in a label's value
// `\`, `"` and line ends are escaped. Series of one family stand together.

namespace redial::inline REDIAL_ABI::detail {
namespace {

enum class kind { counter, gauge, histogram };

struct description {
  const char* name;
  kind is;
  const char* help;
};

// A name is never used again with another meaning, and always with the same labels.
description describe(family f) noexcept {
  switch (f) {
    case family::build_info:
      return {"build_info", kind::gauge, "Version of redial, as a label; always 1."};
    case family::dns_lookup_duration:
      return {"dns_lookup_duration_seconds",
              kind::histogram,
              "From a DNS question to its answer or failure."};
    case family::dns_queries:
      return {"dns_queries_total", kind::counter, "DNS questions asked."};
    case family::dns_refreshes:
      return {"dns_refreshes_total",
              kind::counter,
              "DNS questions that ended, by what that did to the endpoints."};
    case family::dns_coalesced:
      return {"dns_coalesced_total",
              kind::counter,
              "Requests that joined a question already in flight."};
    case family::dns_forced:
      return {"dns_forced_refreshes_total",
              kind::counter,
              "Refreshes asked for by a failure or by the user."};
    case family::dns_deferred:
      return {"dns_deferred_refreshes_total",
              kind::counter,
              "Forced refreshes put off to the end of the minimal interval."};
    case family::dns_dropped_records:
      return {"dns_dropped_records_total", kind::counter, "Records that were left out."};
    case family::dns_channel_rebuilds:
      return {"dns_channel_rebuilds_total",
              kind::counter,
              "Resolver channels replaced because they misbehaved."};
    case family::endpoints:
      return {"endpoints", kind::gauge, "Endpoints of a pool by state."};
    case family::endpoint_changes:
      return {"endpoint_changes_total", kind::counter, "What became of endpoints."};
    case family::departed_use:
      return {"departed_use_seconds",
              kind::histogram,
              "Of endpoints that left: from the first answer without them to their last lease."};
    case family::retained_leases:
      return {"retained_leases_total",
              kind::counter,
              "Leases on a departed endpoint because nothing else was proven."};
    case family::connections:
      return {"connections", kind::gauge, "Connections of a pool by state."};
    case family::connects:
      return {"connects_total", kind::counter, "Connection attempts started."};
    case family::connect_failures:
      return {"connect_failures_total", kind::counter, "Connection attempts that failed."};
    case family::connections_created:
      return {"connections_created_total", kind::counter, "Connections opened."};
    case family::connections_closed:
      return {"connections_closed_total", kind::counter, "Connections closed, by reason."};
    case family::connect_duration:
      return {"connect_duration_seconds",
              kind::histogram,
              "Time to open a connection, TLS and identity included."};
    case family::checkout_duration:
      return {"checkout_duration_seconds",
              kind::histogram,
              "From asking for a connection to having it; an idle one takes no time."};
    case family::pending_checkouts:
      return {"pending_checkouts", kind::gauge, "Callers that wait for a connection."};
    case family::checkout_timeouts:
      return {"checkout_timeouts_total", kind::counter, "Checkouts whose time ran out."};
    case family::checkout_rejections:
      return {"checkout_rejections_total", kind::counter, "Callers that found the queue full."};
    case family::resets:
      return {"resets_total", kind::counter, "Whole-pool resets."};
    case family::resets_suppressed:
      return {"resets_suppressed_total", kind::counter, "Resets that came too soon after another."};
    case family::calls:
      return {"calls_total", kind::counter, "Calls begun."};
    case family::call_failures:
      return {"call_failures_total", kind::counter, "Calls that ended with an error."};
    case family::call_duration:
      return {"call_duration_seconds",
              kind::histogram,
              "From a call to its completion, with all attempts and waits."};
    case family::attempts:
      return {"attempts_total", kind::counter, "Attempts of the calls that have ended."};
    case family::retries:
      return {"retries_total", kind::counter, "Attempts after the first."};
    case family::retries_denied:
      return {"retries_denied_total", kind::counter, "Retries that the budget did not allow."};
    case family::hedges:
      return {"hedges_total", kind::counter, "Second attempts beside a slow first one."};
    case family::ejections:
      return {"ejections_total", kind::counter, "Endpoints taken out of use for failures."};
    case family::quarantines:
      return {"quarantines_total", kind::counter, "Endpoints where somebody else answered."};
    case family::panics:
      return {
          "panics_total", kind::counter, "Times that ejected endpoints served for want of others."};
    case family::probes:
      return {"probes_total", kind::counter, "Health probes begun, those of warming aside."};
    case family::probe_failures:
      return {"probe_failures_total", kind::counter, "Health probes that failed."};
  }
  return {"unknown", kind::gauge, ""};
}

const char* word(kind k) noexcept {
  switch (k) {
    case kind::counter:
      return "counter";
    case kind::gauge:
      return "gauge";
    case kind::histogram:
      break;
  }
  return "histogram";
}

using out = std::back_insert_iterator<std::string>;

std::string label(std::string_view key, std::string_view value) {
  return fmt::format("{}=\"{}\"", key, value);
}

std::string braced(const std::string& labels) {
  return labels.empty() ? labels : "{" + labels + "}";
}

void write(const std::string& name, const std::string& labels, const latency_histogram& h, out to) {
  const std::string before = labels.empty() ? labels : labels + ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < latency_histogram::bounds.size(); ++i) {
    below += h.bucket(i);
    const double bound = std::chrono::duration<double>(latency_histogram::bounds[i]).count();
    fmt::format_to(to, "{}_bucket{{{}le=\"{}\"}} {}\n", name, before, bound, below);
  }
  fmt::format_to(to, "{}_bucket{{{}le=\"+Inf\"}} {}\n", name, before, h.count());
  fmt::format_to(to, "{}_sum{} {}\n", name, braced(labels), h.sum_seconds());
  fmt::format_to(to, "{}_count{} {}\n", name, braced(labels), h.count());
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string value;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::string one(1, c);
    if (byte < 0x20 || byte > 0x7e) one = fmt::format("\\\\x{:02x}", byte);  // shown as \xNN
    if (c == '\\' || c == '"') one.insert(0, 1, '\\');
    if (value.size() + one.size() > longest_label) return value + "...";
    value += one;
  }
  return value;
}

void samples::add(const measurements& m, const std::string& pool) {
  if (m.dns) add(*m.dns);
  if (m.pool) add(*m.pool, label("pool", pool));
  if (m.client) add(*m.client, label("pool", pool));
}

void samples::add(const dns_measurements& m) {
  const dns_counters& c = m.counters;
  add(family::dns_lookup_duration, "", m.histograms.lookup);
  add(family::dns_queries, "", c.queries);
  add(family::dns_refreshes, label("result", "changed"), c.refreshes_changed);
  add(family::dns_refreshes, label("result", "unchanged"), c.refreshes_unchanged);
  add(family::dns_refreshes, label("result", "stale"), c.refreshes_stale);
  add(family::dns_refreshes, label("result", "error"), c.refreshes_error);
  add(family::dns_coalesced, "", c.coalesced);
  add(family::dns_forced, "", c.forced);
  add(family::dns_deferred, "", c.forced_deferred);
  add(family::dns_dropped_records, "", c.dropped_records);
  add(family::dns_channel_rebuilds, "", c.channel_rebuilds);
}

void samples::add(const pool_measurements& m, const std::string& pool) {
  const pool_counters& c = m.counters;
  const pool_gauges& g = m.gauges;
  const auto with = [&](const char* key, const char* value) {
    return pool + "," + label(key, value);
  };
  add(family::endpoints, with("state", "active"), g.endpoints_active);
  add(family::endpoints, with("state", "warming"), g.endpoints_warming);
  add(family::endpoints, with("state", "ejected"), g.endpoints_ejected);
  add(family::endpoints, with("state", "quarantined"), g.endpoints_quarantined);
  add(family::endpoints, with("state", "departed"), g.endpoints_departed);
  for (std::size_t i = 0; i < c.changes.size(); ++i) {
    const char* const change = to_string(static_cast<endpoint_change>(i));
    add(family::endpoint_changes, with("change", change), c.changes[i]);
  }
  add(family::departed_use, pool, m.histograms.departed_use);
  add(family::retained_leases, pool, c.retained_leases);
  add(family::connections, with("state", "connecting"), g.connecting);
  add(family::connections, with("state", "idle"), g.idle);
  add(family::connections, with("state", "leased"), g.leased);
  add(family::connections, with("state", "draining"), g.draining);
  add(family::connects, pool, c.connects);
  add(family::connect_failures, pool, c.connect_failures);
  add(family::connections_created, pool, c.opened);
  for (std::size_t i = 0; i < c.closed_by.size(); ++i) {
    const char* const reason = to_string(static_cast<close_reason>(i));
    add(family::connections_closed, with("reason", reason), c.closed_by[i]);
  }
  add(family::connect_duration, pool, m.histograms.connect);
  add(family::checkout_duration, pool, m.histograms.checkout);
  add(family::pending_checkouts, pool, g.waiting);
  add(family::checkout_timeouts, pool, c.checkout_timeouts);
  add(family::checkout_rejections, pool, c.queue_rejections);
  add(family::resets, pool, c.resets);
  add(family::resets_suppressed, pool, c.resets_suppressed);
  add(family::ejections, pool, c.ejections);
  add(family::quarantines, pool, c.quarantines);
  add(family::panics, pool, c.panics);
  add(family::probes, pool, c.probes);
  add(family::probe_failures, pool, c.probe_failures);
}

void samples::add(const client_measurements& m, const std::string& pool) {
  const client_counters& c = m.counters;
  add(family::calls, pool, c.calls);
  add(family::call_failures, pool, c.failed_calls);
  add(family::call_duration, pool, m.histograms.call);
  add(family::attempts, pool, c.attempts);
  add(family::retries, pool, c.retries);
  add(family::retries_denied, pool, c.retries_denied);
  add(family::hedges, pool, c.hedges);
}

samples& samples::operator+=(const samples& other) {
  for (const auto& [which, n] : other.numbers_) numbers_[which] += n;
  for (const auto& [which, h] : other.histograms_) histograms_[which] += h;
  return *this;
}

samples samples::lasting() const {
  samples kept = *this;
  std::erase_if(kept.numbers_,
                [](const auto& one) { return describe(one.first.first).is == kind::gauge; });
  return kept;
}

std::string samples::text() const {
  std::string all;
  const out to(all);
  auto number = numbers_.begin();
  auto histogram = histograms_.begin();
  // Both are in the order of the families.
  while (number != numbers_.end() || histogram != histograms_.end()) {
    const bool numbers_first =
        histogram == histograms_.end() ||
        (number != numbers_.end() && number->first.first < histogram->first.first);
    const family f = numbers_first ? number->first.first : histogram->first.first;
    const description d = describe(f);
    const std::string name = fmt::format("redial_{}", d.name);
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, d.help, name, word(d.is));
    for (; number != numbers_.end() && number->first.first == f; ++number) {
      fmt::format_to(to, "{}{} {}\n", name, braced(number->first.second), number->second);
    }
    for (; histogram != histograms_.end() && histogram->first.first == f; ++histogram) {
      write(name, histogram->first.second, histogram->second, to);
    }
  }
  return all;
}

}  // namespace redial::inline REDIAL_ABI::detail
