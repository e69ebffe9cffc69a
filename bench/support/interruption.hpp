// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ctrl-C at any time, so that no file is left behind.

#include <stdexcept>

namespace redial::bench {

/// The user pressed Ctrl-C, or told the program to end some other way.
struct interrupted : std::runtime_error {
  interrupted() : std::runtime_error("interrupted") {}
};

/// While it lives, SIGINT, SIGTERM and SIGHUP are only noted: whoever works looks at
/// `was_interrupted` and ends in good order. A second one ends the program at once, as ever. A
/// signal that was ignored before stays so (nohup).
///
/// \par Threads One at a time in a process.
class interruption_guard {
 public:
  interruption_guard();
  ~interruption_guard();
  interruption_guard(const interruption_guard&) = delete;
  interruption_guard& operator=(const interruption_guard&) = delete;
};

/// Whether one was noted. Without a guard: no.
[[nodiscard]] bool was_interrupted() noexcept;

/// \throws interrupted when one was noted.
void end_if_interrupted();

}  // namespace redial::bench
