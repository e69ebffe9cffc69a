// SPDX-License-Identifier: Apache-2.0
// redial-names: what it costs to watch many names, against a real Knot DNS on loopback.
//
//   memory   allocated bytes per watched, resolved, idle name
//   start    how long until all names are known, and the highest rate of questions meanwhile
//   steady   CPU time per question, beside bare c-ares asking as many in the same seconds
//   outage   the name server stops for a while: nobody may lose an endpoint; how it recovers
//
// A thread each for redial and for bare c-ares, so that the system counts their CPU time apart.

#include <redial/discovery/discovery.hpp>

#include "names/bare_queries.hpp"
#include "support/dns_servers.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/core.h>
#include <malloc.h>
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
using steady = std::chrono::steady_clock;

struct settings {
  std::size_t names = 10000;
  int ttl = 5;
  int rounds = 5;
  int seconds = 5;
  int outage = 15;
};

double seconds_since(steady::time_point t) {
  return std::chrono::duration<double>(steady::now() - t).count();
}

double cpu_of_this_thread() {
  rusage u{};
  ::getrusage(RUSAGE_THREAD, &u);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return in_seconds(u.ru_utime) + in_seconds(u.ru_stime);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

std::size_t allocated() { return mallinfo2().uordblks; }

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
    std::this_thread::sleep_for(100ms);
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

/// Both at the same time, so that what disturbs one disturbs the other.
double steady_round(watched_names& w,
                    redial::names_bench::bare_queries& bare,
                    const std::vector<std::string>& names,
                    const settings& s,
                    std::uint64_t& expected) {
  const double bare_cpu = cpu_of_this_thread();
  const double cpu = w.cpu();
  const auto queries = w.counters().queries;
  const auto answered = bare.run(names, expected, std::chrono::seconds{s.seconds}, 64);
  const double bare_used = cpu_of_this_thread() - bare_cpu;
  const double used = w.cpu() - cpu;
  const auto asked = w.counters().queries - queries;
  expected = asked;  // of the next round
  const double ours = used / static_cast<double>(asked);
  const double theirs = bare_used / static_cast<double>(std::max<std::uint64_t>(answered, 1));
  fmt::print("  redial {} questions, {:.1f} us of CPU each; bare c-ares {}, {:.1f} us; {:.2f}x\n",
             asked,
             ours * 1e6,
             answered,
             theirs * 1e6,
             ours / theirs);
  return ours / theirs;
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

int run(const settings& s) {
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

  const std::size_t bytes = allocated();
  watched_names w(names, knot.address());
  bool good = follow("start", w, s.names, [&w] { return w.known(); });
  std::this_thread::sleep_for(1s);
  const double per_name = static_cast<double>(allocated() - bytes) / static_cast<double>(s.names);
  fmt::print("memory: {:.0f} bytes per name (limit 4096)\n", per_name);

  fmt::print("steady, {} s each, side by side:\n", s.seconds);
  auto expected = w.counters().queries;
  std::this_thread::sleep_for(std::chrono::seconds{s.seconds});
  expected = w.counters().queries - expected;
  std::vector<double> ratios;
  for (int i = 0; i < s.rounds; ++i) ratios.push_back(steady_round(w, bare, names, s, expected));
  fmt::print("CPU per question: {:.2f}x of bare c-ares (median of {}; limit 1.5x)\n",
             median(ratios),
             s.rounds);

  if (s.outage > 0) {
    fmt::print("outage of {} s:\n", s.outage);
    knot.pause();
    std::this_thread::sleep_for(std::chrono::seconds{s.outage});
    fmt::print("  {} of {} names still have their endpoints, {} are fresh\n",
               w.known(),
               s.names,
               w.fresh());
    good = good && w.known() == s.names;
    knot.go_on();
    good = follow("  recovery", w, s.names, [&w] { return w.fresh(); }) && good;
  }
  return good && per_name < 4096 && median(ratios) <= 1.5 ? 0 : 1;
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
  CLI11_PARSE(app, argc, argv);
  if (!redial::testing::knot_server::is_installed()) {
    fmt::print(stderr, "redial-names needs Knot DNS (package knot)\n");
    return 2;
  }
  try {
    return run(s);
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-names: {}\n", e.what());
    return 2;
  }
}
