// SPDX-License-Identifier: Apache-2.0
#pragma once

// The service behind the name: a real HTTP/1.1 server, in a process of its own so that it can be
// killed like one.

#include <redial/core/time.hpp>

#include <cstdint>
#include <string>

namespace redial::churn {

struct backend_options {
  std::string listen;  ///< `127.0.0.2:4711`; port 0: the system chooses.
  std::string name;    ///< The body of every response.
  std::string log;     ///< File that requests are appended to.
  int ready_fd = -1;   ///< Told `ready` or what went wrong, then closed. -1: nobody.
  int parent = 0;      ///< Process without which to die. 0: none.
  /// A response takes from half to one and a half of this, chosen by the request's path, so that
  /// every backend is equally slow for every client.
  duration service_time = std::chrono::milliseconds{20};
};

/// Serves until killed. Returns the process's exit status when it cannot.
///
/// Each request `GET /<contestant>/<id>` is logged when it has been read, by one unbuffered write:
/// what was written before SIGKILL stays written.
[[nodiscard]] int run_backend(const backend_options& options);

}  // namespace redial::churn
