// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client program as a child.

#include <redial/core/time.hpp>

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace redial::churn {

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// A shell command in a process group of its own. Its standard input and output are one stream
/// socket, so that writing to it after its end is an error and no signal; errors go where ours go.
class external_process {
 public:
  /// `variables` are added to the environment.
  /// \throws std::system_error when it cannot be started.
  external_process(const std::string& command, const environment_variables& variables);
  ~external_process();
  external_process(const external_process&) = delete;
  external_process& operator=(const external_process&) = delete;

  /// Our end of the socket. The caller owns it from now on.
  [[nodiscard]] int release_socket() noexcept { return std::exchange(socket_, -1); }

  /// Waits until it has ended, `limit` at most, then kills what is left of its group. Returns how
  /// it ended: `exit status 3`. Idempotent.
  std::string end(duration limit) noexcept;

 private:
  pid_t pid_ = -1;
  int socket_ = -1;
  std::string ended_;
};

}  // namespace redial::churn
