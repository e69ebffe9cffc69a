// SPDX-License-Identifier: Apache-2.0
#pragma once

// What runs inside a machine of `backend_host`: an HTTP server that does what a control socket
// says.

#include <redial/testing/certificates.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

class backend_process {
 public:
  /// Takes `control` over: lines in, a line out for each.
  /// Calls itself `service`.
  backend_process(int control,
                  std::uint16_t port,
                  const std::string& service,
                  const std::optional<certificate_files>& tls);
  ~backend_process();

  /// Until the other end of the control socket is closed.
  void run();

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI::testing
