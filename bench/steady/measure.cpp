// SPDX-License-Identifier: Apache-2.0
#include "steady/measure.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace {

std::atomic<std::uint64_t> news{0};

}  // namespace

// Not inlined: the compiler would then see malloc on one side and delete on the other, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  news.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;  // NOLINT: this is what allocates
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }               // NOLINT
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }  // NOLINT

namespace redial::steady {

namespace {

using clock = std::chrono::steady_clock;

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

double thread_cpu() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

double since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// Threads that run what they are told at the same time.
class crew {
 public:
  explicit crew(std::size_t size) : gate_(static_cast<std::ptrdiff_t>(size) + 1) {
    for (std::size_t i = 0; i < size; ++i) {
      threads_.emplace_back([this, i] { work(i); });
    }
  }
  ~crew() {
    task_ = nullptr;
    gate_.arrive_and_wait();
    for (auto& t : threads_) t.join();
  }

  /// \throws what the first of them threw.
  void run(const std::function<void(std::size_t)>& task) {
    task_ = &task;
    gate_.arrive_and_wait();
    gate_.arrive_and_wait();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void work(std::size_t number) {
    for (;;) {
      gate_.arrive_and_wait();
      if (task_ == nullptr) return;
      try {
        (*task_)(number);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      gate_.arrive_and_wait();
    }
  }

  std::barrier<> gate_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

/// The lanes of one contestant, one per thread of the crew.
class entry {
 public:
  entry(const contestant& c, const lane_options& o, crew& on, std::size_t threads)
      : crew_(on), lanes_(threads), cpu_(threads) {
    crew_.run([&](std::size_t i) {
      lanes_[i] = c.make(o);
      lanes_[i]->run(o.in_flight * 200);  // opens all connections
    });
  }

  /// Sets how much makes a slice of about `d`.
  void calibrate(std::chrono::milliseconds d) {
    constexpr std::uint64_t sample = 2000;
    const effort e = run(sample);
    const double wanted = std::chrono::duration<double>(d).count();
    slice_ = std::max<std::uint64_t>(
        100, static_cast<std::uint64_t>(static_cast<double>(sample) * wanted / e.seconds));
  }

  effort run_slice() { return run(slice_); }

 private:
  effort run(std::uint64_t each) {
    effort e;
    e.requests = each * lanes_.size();
    const std::uint64_t before = allocations();
    const auto start = clock::now();
    crew_.run([&](std::size_t i) {
      const double then = thread_cpu();
      lanes_[i]->run(each);
      cpu_[i] = thread_cpu() - then;
    });
    e.seconds = since(start);
    e.allocations = static_cast<double>(allocations() - before);
    for (const double c : cpu_) e.cpu_seconds += c;
    return e;
  }

  crew& crew_;
  std::vector<std::unique_ptr<lane>> lanes_;
  std::vector<double> cpu_;
  std::uint64_t slice_ = 0;
};

void operator+=(effort& sum, const effort& e) {
  sum.requests += e.requests;
  sum.seconds += e.seconds;
  sum.cpu_seconds += e.cpu_seconds;
  sum.allocations += e.allocations;
}

bool set_cpu(pid_t who, long cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  return ::sched_setaffinity(who, sizeof one, &one) == 0;
}

}  // namespace

std::uint64_t allocations() noexcept { return news.load(std::memory_order_relaxed); }

bool keep_apart(pid_t server) {
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cpus > 1 && set_cpu(server, cpus - 1) && set_cpu(0, 0);
}

void let_roam(pid_t server) {
  cpu_set_t all;
  CPU_ZERO(&all);
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  for (long i = 0; i < cpus; ++i) CPU_SET(static_cast<std::size_t>(i), &all);
  ::sched_setaffinity(server, sizeof all, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

std::vector<std::vector<effort>> compare(const std::vector<contestant>& who,
                                         const lane_options& options,
                                         const cell& c) {
  crew threads(c.threads);
  lane_options o = options;
  o.in_flight = c.in_flight;
  std::vector<std::unique_ptr<entry>> entries;
  for (const contestant& w : who) {
    entries.push_back(std::make_unique<entry>(w, o, threads, c.threads));
    entries.back()->calibrate(c.slice);
  }
  std::vector<std::vector<effort>> all;
  while (all.size() < c.rounds) {
    auto& round = all.emplace_back(entries.size());
    for (int pass = 0; pass < 4; ++pass) {
      for (std::size_t k = 0; k < entries.size(); ++k) {
        const std::size_t i = pass % 2 == 0 ? k : entries.size() - 1 - k;
        round[i] += entries[i]->run_slice();
      }
    }
  }
  return all;
}

}  // namespace redial::steady
