// SPDX-License-Identifier: Apache-2.0
#include "fake_clocks.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::atomic<std::chrono::seconds::rep> wall{0};
std::atomic<std::chrono::seconds::rep> monotonic{0};
std::atomic<std::chrono::seconds::rep> uptime{0};

}  // namespace

void move_wall_clock(std::chrono::seconds by) { wall += by.count(); }

void sleep_machine(std::chrono::seconds time) {
  wall += time.count();
  uptime += time.count();
}

void stop_process(std::chrono::seconds time) {
  sleep_machine(time);
  monotonic += time.count();
}

}  // namespace redial::inline REDIAL_ABI::testing

// In front of the C library's.
extern "C" int clock_gettime(clockid_t id, timespec* out) noexcept {
  using namespace redial::testing;
  if (::syscall(SYS_clock_gettime, id, out) != 0) return -1;
  if (id == CLOCK_REALTIME) out->tv_sec += static_cast<time_t>(wall);
  if (id == CLOCK_MONOTONIC) out->tv_sec += static_cast<time_t>(monotonic);
  if (id == CLOCK_BOOTTIME) out->tv_sec += static_cast<time_t>(uptime);
  return 0;
}
