// SPDX-License-Identifier: Apache-2.0
#include "churn/results.hpp"

#include <fmt/core.h>

#include <functional>
#include <utility>

namespace redial::churn {

namespace {

std::string milliseconds(duration d) { return fmt::format("{:.1f} ms", seconds(d) * 1000); }

std::string stale_text(const stale_use& use) {
  return use.requests == 0 ? "none" : fmt::format("{:.1f} s after", seconds(use.last));
}

std::string row(const std::string& title, const std::vector<std::string>& cells) {
  std::string text = fmt::format("  {:<46}", title);
  for (const auto& c : cells) text += fmt::format("{:>24}", c);
  return text + "\n";
}

}  // namespace

summary summarize(const run_record& run, const contestant_record& c) {
  summary s;
  s.requests = c.requests.size();
  for (const auto& r : c.requests) {
    if (!r.ok) ++s.failed;
    if (r.ok && r.attempts > 1) ++s.retried;
    s.latency.add(r.done - r.planned);
    s.lateness.add(r.sent - r.planned);
  }
  s.stale = stale_use_of(run, c);
  s.connections = c.connections;
  s.dns_queries = c.dns_queries;
  return s;
}

std::vector<figure> figures(const run_record& run) {
  using value = std::function<std::string(const summary&)>;
  const auto latency = [](double percent) -> value {
    return [percent](const summary& s) { return milliseconds(s.latency.percentile(percent)); };
  };
  const std::vector<std::pair<const char*, value>> rows = {
      {"requests", [](const summary& s) { return std::to_string(s.requests); }},
      {"failed", [](const summary& s) { return std::to_string(s.failed); }},
      {"answered by a second or later attempt",
       [](const summary& s) { return std::to_string(s.retried); }},
      {"last request on an address that left DNS",
       [](const summary& s) { return stale_text(s.stale); }},
      {"requests on addresses that had left DNS",
       [](const summary& s) { return std::to_string(s.stale.requests); }},
      {"connections opened", [](const summary& s) { return std::to_string(s.connections); }},
      {"DNS queries",
       [](const summary& s) {
         return s.dns_queries == not_counted ? "not counted" : std::to_string(s.dns_queries);
       }},
      {"latency p50", latency(50)},
      {"latency p99", latency(99)},
      {"latency p99.9", latency(99.9)},
      {"latency max", latency(100)},
      {"load generator late, p99.9",
       [](const summary& s) { return milliseconds(s.lateness.percentile(99.9)); }},
  };
  std::vector<summary> all;
  for (const auto& c : run.contestants) all.push_back(summarize(run, c));
  std::vector<figure> out;
  for (const auto& [title, value_of] : rows) {
    auto& f = out.emplace_back();
    f.title = title;
    for (std::size_t i = 0; i < all.size(); ++i)
      f.values.push_back(run.contestants[i].absent.empty() ? value_of(all[i]) : "-");
  }
  return out;
}

std::string table(const run_record& run) {
  std::vector<std::string> titles;
  for (const auto& c : run.contestants) titles.push_back(c.title);
  auto text = row("", titles);
  for (const auto& f : figures(run)) text += row(f.title, f.values);
  return text;
}

std::string verdict(const run_record& run, const contestant_record& c) {
  if (!c.absent.empty()) return "did not take part: " + c.absent;
  const auto s = summarize(run, c);
  const auto failed = s.failed == 0 ? "no request failed"
                                    : fmt::format("{} of {} requests failed", s.failed, s.requests);
  if (s.stale.requests == 0) return failed + ", none used an address that had left DNS";
  return fmt::format(
      "{}; used addresses that had left DNS for {:.1f} s", failed, seconds(s.stale.last));
}

std::vector<std::string> broken_promises(const run_record& run) {
  std::vector<std::string> broken;
  for (const auto& c : run.contestants) {
    if (const auto n = unlogged_answers(c); n != 0) {
      broken.push_back(fmt::format("harness: {} answers to {} are in no backend's log", n, c.id));
    }
    if (c.id != "redial") continue;
    if (!c.absent.empty()) {
      broken.push_back("redial: did not take part: " + c.absent);
      continue;
    }
    const auto s = summarize(run, c);
    if (s.failed != 0) broken.push_back(fmt::format("redial: {} requests failed", s.failed));
    // Of a sample nobody can know what it leaves out.
    if (s.stale.late != 0 && run.settings.complete_answers) {
      broken.push_back(
          fmt::format("redial: {} requests on an address later than {:.1f} s after it left DNS, "
                      "the last after {:.3f} s",
                      s.stale.late,
                      seconds(run.settings.allowed_stale),
                      seconds(s.stale.last)));
    }
    if (s.stale.strays != 0) {
      broken.push_back(
          fmt::format("redial: {} requests to servers that DNS did not name", s.stale.strays));
    }
  }
  return broken;
}

}  // namespace redial::churn
