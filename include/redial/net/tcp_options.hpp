// SPDX-License-Identifier: Apache-2.0
#pragma once

// How TCP connections are opened.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>
#include <redial/net/identity.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace redial::inline REDIAL_ABI {

/// Validated when a connector is made from it.
struct tcp_options {
  tcp_options() = default;

  /// Sends small writes at once (TCP_NODELAY).
  bool no_delay = true;
  /// Probes a silent peer, so that a connection to a machine that lost power is noticed although it
  /// idles. With the defaults after 30 s + 3 x 10 s.
  bool keep_alive = true;
  /// Silence before the first probe, 1 s to 32767 s.
  std::chrono::seconds keep_alive_idle{30};
  /// Between probes, 1 s to 32767 s.
  std::chrono::seconds keep_alive_interval{10};
  /// Unanswered probes that end the connection, 1 to 127.
  int keep_alive_probes = 3;
  /// How long sent bytes may stay unacknowledged (TCP_USER_TIMEOUT, where the system has it), up to
  /// 24 h. Zero leaves it to the system. Calls have deadlines of their own, so it is off.
  std::chrono::milliseconds user_timeout{0};
  /// Where connections come from; unset lets the system choose.
  std::optional<address> local_address;
  /// Gives each connection a strand. Without it, an executor that runs handlers on several threads
  /// must be a strand already.
  bool strand_per_connection = true;
  /// Proves who answers, on every new plaintext connection, before it is used and within the
  /// connect deadline; clients then also connect to endpoints whose presence is doubted
  /// (`pool_options::identity_proven`). Null: whoever answers is believed. Not used with TLS, where
  /// certificates prove it.
  std::shared_ptr<const identity_check> identity;
};

}  // namespace redial::inline REDIAL_ABI
