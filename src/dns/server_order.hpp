// SPDX-License-Identifier: Apache-2.0
#pragma once

// In which order the name servers are asked, by who answers.

#include <redial/core/time.hpp>

#include "dns/nameserver.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// c-ares starts every question at the first server (1.18.1), so a silent one there costs every
/// question a timeout. An answer that came after n timeouts shows that the first n servers are
/// silent; the one that answered goes first, and stays first for as long as it answers. Nobody
/// looks whether an earlier one is back: servers of one list are equal (zones are for those that
/// are not).
///
/// The order changes at most once per second, twice as long after each change while changes follow
/// each other, up to 10 s. After 10 s of being allowed to and not changing it is a second again.
///
/// Pure: knows no clock.
class server_order {
 public:
  static constexpr duration first_interval = std::chrono::seconds{1};
  static constexpr duration longest_interval = std::chrono::seconds{10};
  static constexpr duration calm = std::chrono::seconds{10};

  server_order() = default;
  explicit server_order(std::vector<nameserver> servers) noexcept : servers_(std::move(servers)) {}

  [[nodiscard]] const std::vector<nameserver>& servers() const noexcept { return servers_; }

  /// An answer came after `timeouts` tries in vain, on a channel that asks in this order. True when
  /// the order changed: channels are to be built anew.
  [[nodiscard]] bool on_answer(int timeouts, time_point now);
  void shuffle(std::uint64_t seed);

 private:
  std::vector<nameserver> servers_;
  duration interval_ = first_interval;
  std::optional<time_point> not_before_;  // the next change
};

}  // namespace redial::inline REDIAL_ABI::detail
