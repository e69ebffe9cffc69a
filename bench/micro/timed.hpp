// SPDX-License-Identifier: Apache-2.0
#pragma once

// What work takes, on one thread and on two that begin together.

#include "micro/subject.hpp"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>

namespace redial::micro {

[[nodiscard]] inline double read_clock(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

template <class Job>
[[nodiscard]] spent timed(const Job& job) {
  const double wall = read_clock(CLOCK_MONOTONIC);
  const double cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
  job();
  return {read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu, read_clock(CLOCK_MONOTONIC) - wall};
}

/// The caller and one thread more, each on a CPU of its own. Between jobs the other one sleeps;
/// they begin when both are awake.
class team {
 public:
  team() : other_([this] { follow(); }) {
    ::sched_getaffinity(0, sizeof before_, &before_);
    pin(0);
  }
  ~team() {
    job_ = nullptr;
    begin();
    other_.join();
    ::sched_setaffinity(0, sizeof before_, &before_);
  }
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  /// `job(0)` here and `job(1)` there, at the same time. The CPU time is the mean of those who had
  /// something to do, the other time that of the slower one.
  template <class Job>
  spent run(const Job& job, std::size_t workers = 2) {
    const std::function<void(std::size_t)> here = std::cref(job);  // else it may allocate
    job_ = &here;
    ready_ = false;
    begin();
    while (!ready_.load(std::memory_order_acquire)) std::this_thread::yield();
    go_.store(turn_, std::memory_order_release);
    took_[0] = timed([&] { job(0); });
    for (auto done = done_.load(); done != turn_; done = done_.load()) done_.wait(done);
    if (workers == 1) return took_[0];
    return {(took_[0].cpu_ns + took_[1].cpu_ns) / 2, std::max(took_[0].wall_ns, took_[1].wall_ns)};
  }

 private:
  static void pin(unsigned cpu) {
    if (std::thread::hardware_concurrency() < 2) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ::sched_setaffinity(0, sizeof set, &set);  // else it is up to the system
  }
  void begin() {
    ++turn_;
    asked_.store(turn_);
    asked_.notify_one();
  }
  void follow() {
    pin(1);
    for (unsigned seen = 0;;) {
      asked_.wait(seen);
      seen = asked_.load();
      if (job_ == nullptr) return;
      ready_.store(true, std::memory_order_release);
      while (go_.load(std::memory_order_acquire) != seen) {
      }
      took_[1] = timed([&] { (*job_)(1); });
      done_.store(seen);
      done_.notify_one();
    }
  }

  const std::function<void(std::size_t)>* job_ = nullptr;
  unsigned turn_ = 0;
  std::array<spent, 2> took_{};
  std::atomic<unsigned> asked_{0};
  std::atomic<unsigned> go_{0};
  std::atomic<unsigned> done_{0};
  std::atomic<bool> ready_{false};
  cpu_set_t before_{};
  std::thread other_;
};

}  // namespace redial::micro
