// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which name servers a source asks, and how: as its options say, or as resolv.conf says now.

#include <redial/core/abi.hpp>

#include "dns/cares_channel.hpp"
#include "dns/cares_source.hpp"
#include "dns/resolv_conf.hpp"
#include "dns/server_order.hpp"
#include "dns/stable_file.hpp"

#include <cstddef>
#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// resolv.conf is looked at when somebody asks, at most once per second; a change counts when a
/// second read, 200 ms later, finds the same. A file that is missing, unreadable, longer than 64 kB
/// or names no server changes nothing: the last servers stay. While there were none yet, the first
/// ones found are taken at once, and there is never a server that nobody named.
///
/// \par Threads One at a time.
class server_set {
 public:
  /// How often resolv.conf is looked at.
  static constexpr duration look_interval = std::chrono::seconds{1};

  /// \throws std::invalid_argument naming the option `nameservers`.
  explicit server_set(const cares_options& options);

  /// True when the servers or how to ask them changed.
  [[nodiscard]] bool look(time_point now);
  /// When to `look` at the latest, for a change that waits for its confirmation;
  /// `time_point::max()` when there is none.
  [[nodiscard]] time_point next_look() const noexcept { return file_.next_read(); }

  [[nodiscard]] bool is_empty() const noexcept { return order_.servers().empty(); }
  [[nodiscard]] bool is_fixed() const noexcept { return fixed_; }

  /// What the next channel is made with. With `rotate` every channel starts elsewhere, except after
  /// `on_answer`.
  [[nodiscard]] channel_setup next_channel();
  /// As of `server_order`.
  [[nodiscard]] bool on_answer(int timeouts, time_point now);
  /// c-ares 1.18.1 and 1.34.5 take no server with a zone (fe80::1%eth0). In resolv.conf the others
  /// count. False when there is none to drop.
  [[nodiscard]] bool drop_zoned();

 private:
  [[nodiscard]] bool take(resolv_conf fresh);

  const std::string path_;
  const bool fixed_;
  const duration query_timeout_;
  resolv_conf said_;
  server_order order_;
  bool keep_order_ = false;
  std::uint64_t seed_;
  stable_file file_;
  time_point next_poll_ = time_point::min();
};

/// For one try, so that every server is asked before the deadline: a quarter of it and at most 1 s
/// (c-ares doubles it), or `said` (zero: nothing) and at most half of it, and never more than each
/// of `servers` can have of it. At least 50 ms.
[[nodiscard]] duration try_timeout_for(duration query_timeout,
                                       duration said,
                                       std::size_t servers) noexcept;

}  // namespace redial::inline REDIAL_ABI::detail
