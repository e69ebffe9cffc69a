// SPDX-License-Identifier: Apache-2.0
#pragma once

// A machine that serves HTTP: a process in a network of its own, with a cable to ours.

#include <redial/testing/certificates.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

/// What a backend does with requests. Connections are accepted in all of them.
enum class backend_manner {
  serve,        ///< 200.
  mute,         ///< Never answers.
  unavailable,  ///< 503.
};

/// Listens on port 8080 of all its addresses. Whoever makes one is in a network of its own already
/// (`enter_own_network`) and has no other thread. It dies with its maker, and its network with it.
///
/// Members are for one thread, and block until the machine has done what they say.
class backend_host {
 public:
  static constexpr std::uint16_t port = 8080;

  /// `number`, 1 to 250, gives it the cable 10.77.`number`.0/30. With a certificate it speaks TLS.
  /// Each response names the service in a field of that name. \throws not_possible
  explicit backend_host(int number,
                        const std::optional<certificate_files>& tls = std::nullopt,
                        const std::string& service = "api");
  ~backend_host();
  backend_host(const backend_host&) = delete;
  backend_host& operator=(const backend_host&) = delete;

  /// It answers to this address too, and our route there leads to it from now on, wherever it led.
  void take_address(const std::string& address);

  void behave(backend_manner manner);
  /// Closes all connections and the port, as a process that ends.
  void stop();
  /// Opens the port again; it is open at first.
  void start();
  /// From now on what we send there vanishes.
  void black_hole();

  /// Requests that came in, those for `/who` not counted.
  [[nodiscard]] std::size_t requests();
  [[nodiscard]] std::size_t accepted();

 private:
  std::string ask(const std::string& what);
  void lay_cable();

  int number_;
  int control_ = -1;
  pid_t pid_ = -1;
};

}  // namespace redial::inline REDIAL_ABI::testing
