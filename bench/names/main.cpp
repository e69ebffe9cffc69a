// SPDX-License-Identifier: Apache-2.0
// redial-names: what it costs to watch many names, against a real Knot DNS on loopback.
//
//   memory   heap per watched, resolved, idle name; also of 1 and 100 names, to see how it grows
//   start    how long until all names are known, and the highest rate of questions meanwhile
//   steady   CPU time and questions per second; CPU time per question, beside bare c-ares asking as
//            many in the same seconds
//   outage   the name server stops for a while: nobody may lose an endpoint; how it recovers
//
// A thread each for redial and for bare c-ares, so that the system counts their CPU time apart.

#include <redial/discovery/discovery.hpp>

#include "names/bare_queries.hpp"
#include "scale/heap.hpp"
#include "support/dns_servers.hpp"
#include "support/figures.hpp"
#include "support/interruption.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/core.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace bench = redial::bench;
using steady = std::chrono::steady_clock;

struct settings {
  std::size_t names = 10000;
  int ttl = 5;
  int rounds = 5;
  int seconds = 5;
  int outage = 15;
  std::string json;
  std::string command = "redial-names";
};

double seconds_since(steady::time_point t) {
  return std::chrono::duration<double>(steady::now() - t).count();
}

/// \throws bench::interrupted not long after Ctrl-C.
void pause_for(std::chrono::milliseconds span) {
  const auto end = steady::now() + span;
  do {
    std::this_thread::sleep_for(std::min(span, std::chrono::milliseconds{100}));
    bench::end_if_interrupted();
  } while (steady::now() < end);
}

double cpu_of_this_thread() {
  rusage u{};
  ::getrusage(RUSAGE_THREAD, &u);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return in_seconds(u.ru_utime) + in_seconds(u.ru_stime);
}

/// A discovery on a thread of its own, with one subscription per name.
class watched_names {
 public:
  watched_names(const std::vector<std::string>& names, const std::string& server)
      : states_(names.size()) {
    thread_ = std::thread([this] { io_.run(); });
    redial::discovery_options options;
    options.nameservers = {server};
    options.hosts_path = "";
    names_ = redial::discovery::create(io_.get_executor(), options);
    subscriptions_.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      subscriptions_.push_back(names_->subscribe(
          redial::target("tcp://" + names[i] + ":80"),
          io_.get_executor(),
          [this, i](const redial::snapshot_ptr& s) { states_[i].take(*s, *this); }));
    }
  }
  ~watched_names() {
    subscriptions_.clear();
    names_->close();
    work_.reset();
    thread_.join();
  }
  watched_names(const watched_names&) = delete;
  watched_names& operator=(const watched_names&) = delete;

  [[nodiscard]] std::size_t known() const { return known_; }
  [[nodiscard]] std::size_t fresh() const { return fresh_; }
  [[nodiscard]] redial::dns_counters counters() const { return names_->counters(); }
  double cpu() {
    std::promise<double> result;
    boost::asio::post(io_, [&result] { result.set_value(cpu_of_this_thread()); });
    return result.get_future().get();
  }

 private:
  struct name_state {
    bool known = false;
    bool fresh = false;
    void take(const redial::snapshot& s, watched_names& all) {
      const bool now_known = !s.endpoints.empty();
      const bool now_fresh = now_known && s.state == redial::freshness::fresh;
      if (now_known != known) all.known_ += now_known ? 1U : ~std::size_t{0};
      if (now_fresh != fresh) all.fresh_ += now_fresh ? 1U : ~std::size_t{0};
      known = now_known;
      fresh = now_fresh;
    }
  };

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::thread thread_;
  std::vector<name_state> states_;
  std::atomic<std::size_t> known_{0};
  std::atomic<std::size_t> fresh_{0};
  std::shared_ptr<redial::discovery> names_;
  std::vector<redial::subscription> subscriptions_;
};

/// Waits for `count` to reach `goal`; prints the time and the busiest tenth of a second.
template <class Count>
bool follow(const char* what, watched_names& w, std::size_t goal, Count count) {
  const auto start = steady::now();
  std::uint64_t before = w.counters().answers;
  std::uint64_t peak = 0;
  while (count() < goal && seconds_since(start) < 60) {
    pause_for(100ms);
    const std::uint64_t now = w.counters().answers;
    peak = std::max(peak, now - before);
    before = now;
  }
  fmt::print("{}: {} of {} names after {:.1f} s; at most {} answers in 0.1 s\n",
             what,
             count(),
             goal,
             seconds_since(start),
             peak);
  return count() >= goal;
}

/// One number of names, watched, and what was measured of it.
struct population {
  population(const std::vector<std::string>& all, std::size_t n, const std::string& server)
      : names(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)),
        before(bench::heap_now()),
        resident(bench::resident_now()),
        watched(names, server) {}

  /// Once all are known and nothing is under way.
  void weigh() {
    const auto n = static_cast<double>(names.size());
    const bench::heap_use used = bench::heap_now() - before;
    heap = static_cast<double>(used.bytes) / n;
    blocks = static_cast<double>(used.blocks) / n;
    resident_each = static_cast<double>(bench::resident_now() - resident) / n;
  }
  void begin_round() {
    cpu_ = watched.cpu();
    queries_ = watched.counters().queries;
    start_ = steady::now();
  }
  void end_round() {
    const double span = seconds_since(start_);
    const double used = watched.cpu() - cpu_;
    asked = watched.counters().queries - queries_;
    cpu_per_second.push_back(used * 1e6 / span);
    queries_per_second.push_back(static_cast<double>(asked) / span);
    cpu_each = used / static_cast<double>(std::max<std::uint64_t>(asked, 1));
  }

  std::vector<std::string> names;
  bench::heap_use before;
  std::int64_t resident;
  watched_names watched;
  double heap = 0;
  double blocks = 0;
  double resident_each = 0;
  std::vector<double> cpu_per_second;
  std::vector<double> queries_per_second;
  double cpu_each = 0;      // seconds per question, of the last round
  std::uint64_t asked = 0;  // in it

 private:
  double cpu_ = 0;
  std::uint64_t queries_ = 0;
  steady::time_point start_;
};

/// All at the same time, so that what disturbs one disturbs the others. The CPU time per question
/// of the last population : that of bare c-ares.
double steady_round(std::vector<std::unique_ptr<population>>& all,
                    redial::names_bench::bare_queries& bare,
                    const settings& s,
                    std::uint64_t& expected) {
  bench::end_if_interrupted();
  population& most = *all.back();
  for (auto& p : all) p->begin_round();
  const double bare_cpu = cpu_of_this_thread();
  const auto answered = bare.run(most.names, expected, std::chrono::seconds{s.seconds}, 64);
  const double bare_used = cpu_of_this_thread() - bare_cpu;
  for (auto& p : all) p->end_round();
  expected = most.asked;  // of the next round
  const double theirs = bare_used / static_cast<double>(std::max<std::uint64_t>(answered, 1));
  fmt::print("  redial {} questions, {:.1f} us of CPU each; bare c-ares {}, {:.1f} us; {:.2f}x\n",
             most.asked,
             most.cpu_each * 1e6,
             answered,
             theirs * 1e6,
             most.cpu_each / theirs);
  return most.cpu_each / theirs;
}

/// Redial and bare c-ares on one CPU, the name server on another: else it is a matter of luck whose
/// caches and whose neighbours are the better ones. On one CPU nothing is pinned.
void pin(pid_t process, unsigned cpu) {
  if (std::thread::hardware_concurrency() < 2) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(process, sizeof set, &set) != 0) {
    fmt::print("(not pinned to CPUs: the ratio may vary)\n");
  }
}

void pin_all_threads(pid_t process, unsigned cpu) {
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process))) {
    pin(static_cast<pid_t>(std::stol(task.path().filename().string())), cpu);
  }
}

bool outage(watched_names& w, const redial::testing::knot_server& knot, const settings& s) {
  fmt::print("outage of {} s:\n", s.outage);
  knot.pause();
  pause_for(std::chrono::seconds{s.outage});
  fmt::print(
      "  {} of {} names still have their endpoints, {} are fresh\n", w.known(), s.names, w.fresh());
  const bool kept = w.known() == s.names;
  knot.go_on();
  return follow("  recovery", w, s.names, [&w] { return w.fresh(); }) && kept;
}

std::vector<bench::figure> figures_of(const std::vector<std::unique_ptr<population>>& all,
                                      const std::vector<double>& ratios,
                                      const settings& s) {
  std::vector<bench::figure> out;
  for (const auto& p : all) {
    const auto n = static_cast<double>(p->names.size());
    const auto name = fmt::format("{} watched name{}", p->names.size(), n == 1 ? "" : "s");
    const bool is_last = p == all.back();
    bench::figure heap = bench::figure_of(name, "heap per name", "bytes", {p->heap});
    out.push_back(is_last ? bench::at_most(4096, heap) : heap);
    out.push_back(bench::figure_of(name, "heap blocks per name", "blocks", {p->blocks}));
    if (is_last) {
      out.push_back(bench::figure_of(name, "resident per name", "bytes", {p->resident_each}));
    }
    out.push_back(bench::figure_of(name, "CPU in steady state", "us/s", p->cpu_per_second));
    out.push_back(bench::figure_of(name, "DNS queries", "1/s", p->queries_per_second));
    // An answer for each family and TTL.
    auto needed = p->queries_per_second;
    for (double& q : needed) q /= 2 * n / s.ttl;
    out.push_back(
        bench::figure_of(name, "DNS queries : names x families / TTL", "ratio", std::move(needed)));
  }
  const auto name = fmt::format("{} watched names", s.names);
  out.push_back(bench::at_most(
      1.5, bench::figure_of(name, "CPU per query, redial : bare c-ares", "ratio", ratios)));
  if (all.size() > 1) {
    const auto& few = *all[all.size() - 2];
    const auto growth = fmt::format("watched names, {} : {}", s.names, few.names.size());
    out.push_back(
        bench::figure_of(growth, "heap per name", "ratio", {all.back()->heap / few.heap}));
    std::vector<double> cpu;
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      cpu.push_back(all.back()->cpu_per_second[i] / few.cpu_per_second[i] *
                    static_cast<double>(few.names.size()) / static_cast<double>(s.names));
    }
    out.push_back(bench::figure_of(growth, "CPU per name", "ratio", std::move(cpu)));
  }
  return out;
}

int run(const settings& s) {
  if (!bench::heap_is_counted()) throw std::runtime_error("it needs glibc and no sanitizer");
  std::vector<std::string> names;
  std::vector<std::string> records;
  for (std::size_t i = 0; i < s.names; ++i) {
    names.push_back(fmt::format("service-{}.test", i));
    records.push_back(fmt::format("service-{} {} A 10.{}.{}.1", i, s.ttl, i / 250 % 250, i % 250));
  }
  fmt::print("{} names with TTL {} s in Knot DNS\n", s.names, s.ttl);
  redial::testing::knot_server knot(records);
  pin_all_threads(knot.pid(), 1);
  pin(0, 0);  // threads to come inherit it
  redial::names_bench::bare_queries bare(knot.address());

  bool good = true;
  std::vector<std::unique_ptr<population>> all;
  for (const std::size_t n : {std::size_t{1}, std::size_t{100}, s.names}) {
    if (n >= s.names && n != s.names) continue;
    auto& p = *all.emplace_back(std::make_unique<population>(names, n, knot.address()));
    good = follow("start", p.watched, n, [&p] { return p.watched.known(); }) && good;
    pause_for(1s);
    p.weigh();
  }
  bench::stop_counting_heap();
  watched_names& w = all.back()->watched;

  fmt::print("steady, {} s each, side by side:\n", s.seconds);
  auto expected = w.counters().queries;
  pause_for(std::chrono::seconds{s.seconds});
  expected = w.counters().queries - expected;
  std::vector<double> ratios;
  for (int i = 0; i < s.rounds; ++i) ratios.push_back(steady_round(all, bare, s, expected));
  const auto figures = figures_of(all, ratios, s);
  fmt::print("{}", bench::table(figures));
  if (!s.json.empty()) bench::write_json(s.json, "redial-names", s.command, figures);
  if (s.outage > 0) good = outage(w, knot, s) && good;
  for (const auto& f : figures) good = good && f.met();
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app("What it costs redial to watch many names");
  app.add_option("--names", s.names)->check(CLI::Range(1, 60000))->capture_default_str();
  app.add_option("--ttl", s.ttl, "seconds")->check(CLI::Range(1, 60))->capture_default_str();
  app.add_option("--rounds", s.rounds)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--seconds", s.seconds, "per round")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_option("--outage", s.outage, "seconds; 0: none")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  app.add_option("--json", s.json, "file for the figures");
  bool quick = false;
  app.add_flag("--quick", quick, "1000 names, one round, no outage");
  CLI11_PARSE(app, argc, argv);
  if (quick) {
    s.names = 1000;
    s.rounds = 1;
    s.outage = 0;
  }
  for (int i = 1; i < argc; ++i) s.command += std::string(" ") + argv[i];
  if (!redial::testing::knot_server::is_installed()) {
    fmt::print(stderr, "redial-names needs Knot DNS (package knot)\n");
    return 2;
  }
  const bench::interruption_guard guard;
  try {
    return run(s);
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-names: {}\n", e.what());
    return 2;
  }
}
