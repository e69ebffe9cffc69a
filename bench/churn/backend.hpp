// SPDX-License-Identifier: Apache-2.0
#pragma once

// The service behind the name: a real HTTP/1.1 server, in a process of its own so that it can be
// killed like one.

#include <redial/core/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace redial::churn {

struct backend_options {
  backend_options() = default;

  std::vector<std::string> listen;  ///< `127.0.0.2:4711` each; port 0: the system chooses.
  std::string name;                 ///< The body of every response.
  std::string log;                  ///< File that requests are appended to.
  /// Speaks TLS with this certificate and key (PEM files). Empty: plaintext.
  std::string certificate;
  std::string private_key;
  /// Speaks gRPC, too, on this port of every address. Zero: it does not.
  std::uint16_t grpc_port = 0;
  /// And on this one, where it ends each connection at that age, after which clients ask DNS again.
  std::uint16_t grpc_aged_port = 0;
  std::uint32_t grpc_max_age_ms = 0;
  /// It is another service, which happens to listen here: it knows none of the paths (404).
  bool stranger = false;
  int ready_fd = -1;    ///< Told `ready` or what went wrong, then closed. -1: nobody.
  int control_fd = -1;  ///< A stream socket with commands, see `run_backend`. -1: none.
  int parent = 0;       ///< Process without which to die. 0: none.
  /// A response takes from half to one and a half of this, chosen by the request's path, so that
  /// every backend is equally slow for every client.
  duration service_time = std::chrono::milliseconds{20};
};

/// Serves until killed. Returns the process's exit status when it cannot.
///
/// Each request `GET /<contestant>/<id>` is logged when it has been read, by one unbuffered write:
/// what was written before SIGKILL stays written. `GET /who` says who it is in the field `Service`,
/// and is not logged.
///
/// Lines on `control_fd` are answered by `ok` when they are in force: `manner serve|mute|
/// unavailable|drain` (see `manner`), and `reset`, which closes every connection with a TCP reset.
[[nodiscard]] int run_backend(const backend_options& options);

/// Whether this program was built with gRPC. A backend that is given a port for it and was not does
/// not start.
[[nodiscard]] bool backends_speak_grpc() noexcept;

}  // namespace redial::churn
