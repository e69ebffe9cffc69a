// SPDX-License-Identifier: Apache-2.0
#include "support/interruption.hpp"

#include <signal.h>

#include <array>

namespace redial::bench {

namespace {

constexpr std::array<int, 3> ends{SIGINT, SIGTERM, SIGHUP};
volatile sig_atomic_t noted = 0;

void note(int) { noted = 1; }

void handle(int signal, void (*by)(int), int flags) {
  struct sigaction old {};
  ::sigaction(signal, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;
  struct sigaction now {};
  now.sa_handler = by;
  now.sa_flags = flags;
  ::sigaction(signal, &now, nullptr);
}

}  // namespace

interruption_guard::interruption_guard() {
  noted = 0;
  // What waits meanwhile goes on waiting: everything here waits for a bounded time.
  for (const int s : ends) handle(s, &note, static_cast<int>(SA_RESTART | SA_RESETHAND));
}

interruption_guard::~interruption_guard() {
  for (const int s : ends) handle(s, SIG_DFL, 0);
  noted = 0;
}

bool was_interrupted() noexcept { return noted != 0; }

void end_if_interrupted() {
  if (was_interrupted()) throw interrupted();
}

}  // namespace redial::bench
