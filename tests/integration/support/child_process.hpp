// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real server as a child of the test, and a free port for it.

#include <redial/core/abi.hpp>

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Runs a program and reads what it says (standard output and error).
///
/// \par Lifetime The destructor kills it by its pid and waits. It also dies with the test program.
class child_process {
 public:
  /// `arguments[0]` is the program, an absolute path or looked up in PATH.
  /// \throws std::runtime_error when it cannot be started.
  explicit child_process(const std::vector<std::string>& arguments);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Waits until a line that contains `text` was said `times` times in all. False when it ended or
  /// `limit` passed first.
  [[nodiscard]] bool wait_for_line(std::string_view text,
                                   int times = 1,
                                   std::chrono::seconds limit = std::chrono::seconds{30});
  void signal(int number) const;
  /// Waits for its end; the exit status, or -1 when a signal ended it.
  int wait();
  [[nodiscard]] std::string output() const;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  void read_output(int fd);

  pid_t pid_ = -1;
  bool waited_ = false;
  int status_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable said_;
  std::string output_;
  bool ended_ = false;
  std::thread reader_;
};

/// Runs a program to its end. \throws std::runtime_error with its output when it fails.
std::string run_program(const std::vector<std::string>& arguments);

/// The first of `paths` that is an executable file, or empty.
[[nodiscard]] std::string find_program(const std::vector<std::string>& paths);

/// A port free for TCP and UDP on each of `addresses` a moment ago.
[[nodiscard]] std::uint16_t free_port(const std::vector<std::string>& addresses = {"127.0.0.1"});

}  // namespace redial::inline REDIAL_ABI::testing
