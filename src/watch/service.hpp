// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an SRV record names, as a member of its record set.

#include <redial/core/answer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// A target and port. Two are the same whatever their priority and weight: those are attributes
/// that may change while it stays a member.
struct service {
  service() = default;
  explicit service(const srv_record& r)
      : target(r.target), port(r.port), priority(r.priority), weight(r.weight) {}

  std::string target;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;

  friend bool operator==(const service& a, const service& b) noexcept {
    return a.port == b.port && a.target == b.target;
  }
  friend bool operator<(const service& a, const service& b) noexcept {
    const int order = a.target.compare(b.target);
    return order != 0 ? order < 0 : a.port < b.port;
  }
};

}  // namespace redial::inline REDIAL_ABI::detail
