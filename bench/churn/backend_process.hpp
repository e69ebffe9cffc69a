// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starts and kills backends. None is left behind: they die with the object, and with the harness.

#include "churn/backend.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace redial::churn {

/// A backend in a process of its own: this program's `backend` command.
///
/// \par Threads Start it on a thread that lives as long as the backend shall: the system ties the
///      child to the thread that made it, not to the process.
class backend_process {
 public:
  backend_process() = default;
  /// Starts it and waits until it listens. The descriptors and the parent are filled in here.
  /// \throws std::runtime_error naming the backend and what went wrong.
  explicit backend_process(const backend_options& options);
  backend_process(backend_process&& other) noexcept;
  backend_process& operator=(backend_process&& other) noexcept;
  ~backend_process();

  [[nodiscard]] bool is_running() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Sends a command (see `run_backend`); returns when it is in force.
  /// \throws std::runtime_error naming the backend when it does not obey.
  void tell(const std::string& command);
  /// SIGKILL; returns when the process, with its sockets, is gone. Idempotent.
  void kill() noexcept;

 private:
  std::string name_;
  pid_t pid_ = -1;
  int control_ = -1;
};

/// A TCP port that is free on each of `addresses` now.
/// \throws std::runtime_error when there is none after some tries.
[[nodiscard]] std::uint16_t find_common_port(const std::vector<std::string>& addresses);

}  // namespace redial::churn
