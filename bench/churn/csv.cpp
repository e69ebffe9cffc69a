// SPDX-License-Identifier: Apache-2.0
#include "churn/csv.hpp"

#include "churn/outcomes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

namespace redial::churn {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// Calls `f` with the start of a row: scenario, number of its run, contestant.
void for_each_row(
    const suite_record& suite,
    const std::function<void(const std::string&, const run_record&, const contestant_record&)>& f) {
  std::map<std::string, int> counts;
  for (const auto& run : suite.runs) {
    const auto number = ++counts[run.settings.scenario];
    for (const auto& c : run.contestants)
      f(fmt::format("{},{},{}", quoted(run.settings.scenario), number, quoted(c.id)), run, c);
  }
}

struct second_of_run {
  std::size_t ok = 0;
  std::size_t failed = 0;
  std::size_t in_flight = 0;
  histogram latency;
};

std::vector<second_of_run> seconds_of(const run_record& run, const contestant_record& c) {
  std::vector<second_of_run> all(
      static_cast<std::size_t>(std::max(1.0, std::ceil(seconds(run.settings.length)))));
  for (const auto& r : c.requests) {
    const auto at = static_cast<std::size_t>(std::max(0.0, seconds(r.planned)));
    auto& s = all[std::min(at, all.size() - 1)];
    ++(r.ok ? s.ok : s.failed);
    s.latency.add(r.done - r.planned);
    const auto last = std::ceil(seconds(r.done));
    for (auto t = std::ceil(seconds(r.sent)); t < last && t < static_cast<double>(all.size()); ++t)
      ++all[static_cast<std::size_t>(t)].in_flight;
  }
  return all;
}

}  // namespace

std::string to_csv(const suite_record& suite) {
  std::string text = "scenario,run,contestant,title,absent,complete_answers,length_s,rate,seed";
  for (const auto& m : measures()) text += "," + m.column;
  text += "\n";
  for_each_row(suite, [&](const auto& start, const auto& run, const auto& c) {
    const auto& s = run.settings;
    text += fmt::format("{},{},{},{},{},{},{}",
                        start,
                        quoted(c.title),
                        quoted(c.absent),
                        s.complete_answers ? 1 : 0,
                        seconds(s.length),
                        s.rate,
                        s.seed);
    const auto figures = summarize(run, c);
    for (const auto& m : measures()) {
      const auto value = m.of(figures);
      text += c.absent.empty() && !std::isnan(value) ? fmt::format(",{:.10g}", value) : ",";
    }
    text += "\n";
  });
  return text;
}

std::string series_csv(const suite_record& suite) {
  std::string text =
      "scenario,run,contestant,second,requests,ok,failed,p50_ms,p99_ms,max_ms,in_flight\n";
  for_each_row(suite, [&](const auto& start, const auto& run, const auto& c) {
    if (!c.absent.empty()) return;
    const auto all = seconds_of(run, c);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& s = all[i];
      const auto ms = [&](double p) { return seconds(s.latency.percentile(p)) * 1000; };
      text += fmt::format("{},{},{},{},{},{:.10g},{:.10g},{:.10g},{}\n",
                          start,
                          i,
                          s.ok + s.failed,
                          s.ok,
                          s.failed,
                          ms(50),
                          ms(99),
                          ms(100),
                          s.in_flight);
    }
  });
  return text;
}

}  // namespace redial::churn
