// SPDX-License-Identifier: Apache-2.0
#pragma once

// The same backend, speaking gRPC. backend_grpc.cpp is built where gRPC is.

#include "churn/backend_service.hpp"

#include <memory>
#include <vector>

namespace grpc {
class Server;
}

namespace redial::churn {

/// Answers unary calls of every method `/<contestant>/<id>` as the HTTP side answers such paths:
/// logged when read, after the same time, with the backend's name as the message. `mute` and
/// `unavailable` (status UNAVAILABLE) are obeyed; `drain` is HTTP's and means `serve`. A stranger
/// knows no method (UNIMPLEMENTED). The trailing metadata `churn-connection` names the connection.
///
/// \par Threads gRPC's own.
/// \par Lifetime `service` outlives it.
class grpc_backend {
 public:
  /// Listens on the ports that `service.options()` says, on each of its addresses. With neither it
  /// does nothing.
  /// \throws std::runtime_error when it cannot listen, std::invalid_argument for an address that is
  ///         none.
  explicit grpc_backend(backend_service& service);
  ~grpc_backend();
  grpc_backend(const grpc_backend&) = delete;
  grpc_backend& operator=(const grpc_backend&) = delete;

 private:
  class service_of_all_methods;

  void listen(backend_service& service, std::uint16_t port, std::uint32_t max_age_ms);

  std::vector<std::unique_ptr<service_of_all_methods>> services_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
};

}  // namespace redial::churn
