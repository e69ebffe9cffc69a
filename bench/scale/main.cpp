// SPDX-License-Identifier: Apache-2.0
// redial-scale: what many connections and many endpoints cost, and how that grows.
//
//   idle    memory per idle connection, CPU while nothing happens and per request beside them
//   drain   how long a drain of many connections takes
//   start   cold start with a name of many addresses: first request, and until all are connected
//   queue   what the pool itself does while many callers wait
//
// Many names are redial-names.

#include "scale/heap.hpp"
#include "scale/peer.hpp"
#include "scale/trials.hpp"
#include "scale/waiting.hpp"
#include "support/figures.hpp"
#include "support/interruption.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace redial::bench;

struct settings {
  int rounds = 5;
  double seconds = 2;
  bool quick = false;
  std::string json;
};

/// What a trial's struct of doubles says, from a process of its own.
template <class Cost>
Cost apart(Cost (*measure)(const trial&), const trial& t) {
  using fields = std::array<double, sizeof(Cost) / sizeof(double)>;
  const auto numbers = in_a_process([&] {
    if (t.tls) count_tls_heap();
    const auto all = std::bit_cast<fields>(measure(t));
    return std::vector<double>(all.begin(), all.end());
  });
  fields all{};
  if (numbers.size() != all.size()) throw std::runtime_error("a number is missing");
  std::copy(numbers.begin(), numbers.end(), all.begin());
  return std::bit_cast<Cost>(all);
}

/// Collects rounds; the figures come out in the order of their first mention.
class book {
 public:
  void note(const std::string& name,
            const std::string& what,
            const std::string& unit,
            double value,
            double limit = 0) {
    auto& e = entry_for(name, what);
    e.unit = unit;
    e.limit = limit;
    e.rounds.push_back(value);
  }
  [[nodiscard]] std::vector<figure> figures() const {
    std::vector<figure> all;
    for (const auto& e : entries_) {
      figure f = figure_of(e.name, e.what, e.unit, e.rounds);
      all.push_back(e.limit > 0 ? at_most(e.limit, std::move(f)) : std::move(f));
    }
    return all;
  }

 private:
  struct entry {
    std::string name, what, unit;
    double limit = 0;
    std::vector<double> rounds;
  };
  entry& entry_for(const std::string& name, const std::string& what) {
    for (auto& e : entries_) {
      if (e.name == name && e.what == what) return e;
    }
    entries_.emplace_back();
    entries_.back().name = name;
    entries_.back().what = what;
    return entries_.back();
  }
  std::vector<entry> entries_;
};

std::string count_of(std::size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

void idle(const settings& s, const peer& other, book& b) {
  const std::size_t most = s.quick ? 1000 : 10000;
  std::map<std::size_t, idle_cost> by_count;
  for (const std::size_t n : {std::size_t{1}, std::size_t{100}, most}) {
    trial t{&other, n, n > 100 ? std::size_t{100} : std::size_t{1}, false, s.seconds, 2000};
    const idle_cost c = by_count[n] = apart(measure_idle, t);
    const std::string name = count_of(n, "idle connection");
    b.note(name, "heap per connection", "bytes", c.heap, n == most ? 2048 : 0);
    b.note(name, "heap blocks per connection", "blocks", c.blocks);
    b.note(name, "resident per connection", "bytes", c.resident);
    b.note(name, "most heap while opening, per connection", "bytes", c.peak);
    b.note(name, "CPU while nothing happens", "us/s", c.cpu);
    b.note(name, "wake-ups while nothing happens", "1/s", c.wakes);
    b.note(name, "CPU per request", "us", c.request_cpu);
  }
  const auto& few = by_count[100];
  const auto& many = by_count[most];
  const std::string growth = fmt::format("idle connections, {} : 100", most);
  b.note(growth, "heap per connection", "ratio", many.heap / few.heap);
  b.note(growth, "CPU per request", "ratio", many.request_cpu / few.request_cpu);
  const idle_cost tls =
      apart(measure_idle, trial{&other, s.quick ? 100U : 1000U, 1, true, s.seconds, 1000});
  const std::string name = count_of(s.quick ? 100 : 1000, "idle TLS connection");
  b.note(name, "heap per connection without OpenSSL's", "bytes", tls.heap);
  b.note(name, "heap of OpenSSL per connection", "bytes", tls.tls_heap);
}

void drain(const settings& s, const peer& other, book& b) {
  std::map<std::size_t, drain_cost> by_count;
  std::vector<std::size_t> counts{100, 1000};
  if (!s.quick) counts.push_back(10000);
  for (const std::size_t n : counts) {
    const drain_cost c = by_count[n] =
        apart(measure_drain, trial{&other, n, n > 100 ? std::size_t{100} : std::size_t{1}});
    const std::string name = fmt::format("drain of {} connections", n);
    b.note(name, "all idle", "ms", c.idle_seconds * 1e3);
    b.note(name, "all leased, then returned", "ms", c.leased_seconds * 1e3);
    b.note(name, "CPU per leased connection", "us", c.leased_cpu);
  }
  b.note(fmt::format("drain, {} : 100 connections", counts.back()),
         "CPU per leased connection",
         "ratio",
         by_count[counts.back()].leased_cpu / by_count[100].leased_cpu);
}

void start(const settings&, const peer& other, book& b) {
  std::map<std::size_t, start_cost> by_count;
  for (const std::size_t n : {std::size_t{1}, std::size_t{100}, std::size_t{1000}}) {
    trial t;
    t.other = &other;
    t.endpoints = n;
    const start_cost c = by_count[n] = apart(measure_start, t);
    const std::string name = fmt::format("cold start with {}", count_of(n, "endpoint"));
    b.note(name, "first request answered", "ms", c.first * 1e3);
    b.note(name, "all endpoints connected", "ms", c.warm * 1e3);
    b.note(name, "CPU per endpoint", "us", c.cpu);
    b.note(name, "most heap, per endpoint", "bytes", c.peak);
  }
  const std::string growth = "cold start, 1000 : 100 endpoints";
  b.note(growth, "CPU per endpoint", "ratio", by_count[1000].cpu / by_count[100].cpu);
  b.note(growth, "time to first request", "ratio", by_count[1000].first / by_count[100].first);
}

void queues(const settings& s, book& b) {
  const auto alone = [](const std::function<double()>& f) {
    return in_a_process([&f] { return std::vector<double>{f()}; }).at(0);
  };
  const std::size_t most = s.quick ? 1000 : 10000;
  const auto grow = [&](const char* what, const char* each, double (*measure)(std::size_t)) {
    std::map<std::size_t, double> by_count;
    for (const std::size_t n : {std::size_t{100}, std::size_t{1000}, most}) {
      if (by_count.count(n) != 0) continue;
      by_count[n] = alone([=] { return measure(n); });
      b.note(fmt::format("{} {}", n, what), each, "us", by_count[n]);
    }
    b.note(fmt::format("{}, {} : 100", what, most), each, "ratio", by_count[most] / by_count[100]);
  };
  grow("callers at once", "CPU of the pool per caller", measure_burst);
  grow("leases when their endpoint leaves", "CPU of the pool per lease", measure_departure);
  for (const bool keyed : {false, true}) {
    for (const bool full : {false, true}) {
      queue q;
      if (keyed) q.balance = redial::balancing::consistent_hash;
      q.full = full;
      const auto name = fmt::format("1000 callers {}wait for 1000 endpoints{}",
                                    keyed ? "with keys " : "",
                                    full ? ", each full" : "");
      b.note(name, "CPU of the pool per return", "us", alone([q] { return measure_return(q); }));
    }
  }
}

int run(const settings& s, const std::string& command) {
  if (!heap_is_counted()) throw std::runtime_error("it needs glibc and no sanitizer");
  const std::size_t descriptors = raise_descriptor_limit();
  if (descriptors < 11200 && !s.quick) {
    throw std::runtime_error(
        fmt::format("10000 connections and 1000 servers need 11200 "
                    "descriptors, the hard limit is {}; try --quick",
                    descriptors));
  }
  const peer other(1000);
  book b;
  for (int i = 0; i < s.rounds; ++i) {
    fmt::print("round {} of {}\n", i + 1, s.rounds);
    std::fflush(stdout);
    idle(s, other, b);
    drain(s, other, b);
    start(s, other, b);
    queues(s, b);
  }
  const auto figures = b.figures();
  fmt::print("{}", table(figures));
  if (!s.json.empty()) write_json(s.json, "redial-scale", command, figures);
  bool good = true;
  for (const auto& f : figures) good = good && f.met();
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app("What many connections and many endpoints cost redial, and how that grows");
  app.add_option("--rounds", s.rounds)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--seconds", s.seconds, "of doing nothing, per trial")
      ->check(CLI::Range(0.1, 60.0))
      ->capture_default_str();
  app.add_option("--json", s.json, "file for the figures");
  app.add_flag("--quick", s.quick, "one round, 1000 connections at most");
  CLI11_PARSE(app, argc, argv);
  if (s.quick) {
    s.rounds = 1;
    s.seconds = 0.5;
  }
  std::string command = "redial-scale";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  const interruption_guard guard;
  try {
    return run(s, command);
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-scale: {}\n", e.what());
    return 2;
  }
}
