// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a resolv.conf says, as far as it matters to us (resolv.conf(5)).

#include <redial/core/abi.hpp>

#include "dns/nameserver.hpp"

#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

struct resolv_conf {
  std::vector<nameserver> servers;  ///< Without repetitions, at most `most_servers`.
  int timeout = 0;                  ///< `options timeout:n`, 1 to 30 s; 0: not said.
  int attempts = 0;                 ///< `options attempts:n`, 1 to 5; 0: not said.
  bool rotate = false;              ///< `options rotate`
  bool use_vc = false;              ///< `options use-vc`: TCP only.

  /// glibc takes three. Each costs a question that nobody answers a try in every round.
  static constexpr std::size_t most_servers = 8;

  friend bool operator==(const resolv_conf&, const resolv_conf&) = default;
};

/// Any bytes may be given. What cannot be read is skipped, line by line and word by word: one bad
/// line must not cost the good ones. Numbers too large are cut to their bound, as glibc does;
/// others out of range count as not said. `search`, `domain`, `ndots` and the rest mean nothing
/// here: names are absolute.
[[nodiscard]] resolv_conf parse_resolv_conf(std::string_view text);

}  // namespace redial::inline REDIAL_ABI::detail
