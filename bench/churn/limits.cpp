// SPDX-License-Identifier: Apache-2.0
#include "churn/limits.hpp"

#include "churn/results.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace redial::churn {

namespace {

const contestant_record* find(const run_record& run, const std::string& id) {
  for (const auto& c : run.contestants) {
    if (c.id == id && c.absent.empty()) return &c;
  }
  return nullptr;
}

const contestant_record& ours(const run_record& run) {
  if (const auto* c = find(run, "redial")) return *c;
  throw std::invalid_argument("limits of " + run.settings.scenario + ": a run without redial");
}

bool within(const std::vector<span>& spans, duration at) {
  return std::any_of(
      spans.begin(), spans.end(), [at](const span& s) { return at >= s.from && at < s.to; });
}

double p99_outside(const run_record& run, const std::vector<span>& left_out) {
  histogram h;
  for (const auto& r : ours(run).requests) {
    if (!within(left_out, r.planned)) h.add(r.done - r.planned);
  }
  return seconds(h.percentile(99));
}

double ratio(double a, double b, const char* what) {
  if (b > 0) return a / b;
  throw std::invalid_argument(std::string("limits: nothing to divide by: ") + what);
}

// One that is broken in a single run is broken.
bench::figure none_of(const std::string& name,
                      const std::string& what,
                      std::vector<double> rounds) {
  auto f = bench::figure_of(name, what + ", worst run", "requests", std::move(rounds));
  f.value = f.high;
  return bench::at_most(0, f);
}

// Every run in which the fault was played.
std::vector<const run_record*> with_fault(const limit_runs& runs) {
  std::vector<const run_record*> all;
  for (const auto& p : runs.pairs) all.push_back(&p.with);
  for (const auto& r : runs.beside) all.push_back(&r);
  return all;
}

void add_counts(std::vector<bench::figure>& out, const std::string& name, const limit_runs& runs) {
  std::vector<double> failed;
  std::vector<double> late;
  for (const auto* run : with_fault(runs)) {
    const auto s = summarize(*run, ours(*run));
    failed.push_back(static_cast<double>(s.failed));
    late.push_back(static_cast<double>(s.stale.late));
  }
  out.push_back(none_of(name, "failed requests", failed));
  if (runs.pairs.front().with.settings.complete_answers)
    out.push_back(none_of(name, "requests to a departed address later than allowed", late));
}

void add_latency(std::vector<bench::figure>& out, const std::string& name, const limit_runs& runs) {
  std::vector<double> ratios;
  std::vector<double> tails;
  for (const auto& p : runs.pairs) {
    const auto& left_out = p.with.sudden;
    ratios.push_back(ratio(p99_outside(p.with, left_out), p99_outside(p.without, left_out), "p99"));
    if (!left_out.empty())
      tails.push_back(seconds(summarize(p.with, ours(p.with)).latency.percentile(99.9)));
  }
  out.push_back(
      bench::at_most(1.2, bench::figure_of(name, "p99, with fault : without", "ratio", ratios)));
  if (tails.size() == ratios.size())
    out.push_back(bench::at_most(1, bench::figure_of(name, "p99.9", "s", tails)));
}

void add_connections(std::vector<bench::figure>& out,
                     const std::string& name,
                     const limit_runs& runs) {
  std::vector<double> ratios;
  for (const auto* run : with_fault(runs)) {
    if (const auto* rival = find(*run, tuned_rival)) {
      ratios.push_back(ratio(static_cast<double>(ours(*run).connections),
                             static_cast<double>(rival->connections),
                             "connections of the tuned libcurl"));
    }
  }
  if (ratios.empty()) return;
  out.push_back(bench::at_most(
      1, bench::figure_of(name, "connections opened, redial : tuned libcurl", "ratio", ratios)));
}

void add_queries(std::vector<bench::figure>& out, const std::string& name, const limit_runs& runs) {
  const auto& s = runs.pairs.front().with.settings;
  if (s.dns_faults || s.effective_ttl == duration::zero()) return;
  // A and AAAA of each name; but of several one is the owner of SRV records, asked for these alone.
  const auto questions = static_cast<double>(s.names > 1 ? 2 * s.names - 1 : 2);
  const auto due = questions * (1 + seconds(s.length) / seconds(s.effective_ttl));
  std::vector<double> ratios;
  for (const auto& p : runs.pairs)
    ratios.push_back(ratio(static_cast<double>(ours(p.with).dns_queries), due, "DNS queries due"));
  out.push_back(bench::at_most(
      1.1, bench::figure_of(name, "DNS queries : what the TTL asks for", "ratio", ratios)));
}

}  // namespace

std::vector<bench::figure> limit_figures(const limit_runs& runs) {
  if (runs.pairs.empty()) throw std::invalid_argument("limits: no pair was played");
  const auto& name = runs.pairs.front().with.settings.scenario;
  std::vector<bench::figure> out;
  add_counts(out, name, runs);
  add_latency(out, name, runs);
  add_connections(out, name, runs);
  add_queries(out, name, runs);
  return out;
}

std::vector<fault_pair> play_pairs(std::size_t count,
                                   const std::function<run_record()>& with,
                                   const std::function<run_record()>& without) {
  std::vector<fault_pair> pairs(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) pairs[i].with = with();
    pairs[i].without = without();
    if (i % 2 == 1) pairs[i].with = with();
  }
  return pairs;
}

}  // namespace redial::churn
