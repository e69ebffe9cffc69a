// SPDX-License-Identifier: Apache-2.0
#pragma once

// What holds for every answer, whatever the bytes were that it was read from.

#include <redial/core/answer.hpp>
#include <redial/core/host_name.hpp>

#include "check.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace redial::fuzz {

inline void check_addresses(const answer& a) {
  demand(std::ranges::is_sorted(a.addresses), "addresses are sorted");
  demand(std::ranges::adjacent_find(a.addresses) == a.addresses.end(), "addresses are unique");
  for (const address& one : a.addresses) {
    demand(is_dialable(one), "addresses can be dialled");
    demand(unmapped(one) == one, "addresses are unmapped");
    demand(a.asked.type != record_type::a || one.is_v4(), "A brings IPv4 only");
  }
  demand(a.asked.type != record_type::srv || a.addresses.empty(), "SRV brings no addresses");
}

inline void check_services(const answer& a) {
  demand(std::ranges::is_sorted(a.services), "services are sorted");
  const auto same_place = [](const srv_record& x, const srv_record& y) {
    return std::tie(x.target, x.port) == std::tie(y.target, y.port);
  };
  demand(std::ranges::adjacent_find(a.services, same_place) == a.services.end(),
         "each target and port comes once");
  for (const srv_record& one : a.services) {
    demand(one.port != 0, "ports are not 0");
    const auto host = host_name::parse(one.target);
    demand(host && !host->is_literal(), "targets are names");
    demand(host->text() == one.target, "targets are canonical");
  }
  demand(a.asked.type == record_type::srv || a.services.empty(), "addresses bring no services");
}

/// `message_size` in bytes.
inline void check_promises(const answer& a, std::size_t message_size) {
  check_addresses(a);
  check_services(a);
  const std::size_t records = a.addresses.size() + a.services.size();
  const bool usable = a.outcome == answer_outcome::records;
  demand(usable == (records != 0), "records are what the outcome says");
  demand(usable == !a.error, "an error goes with everything but records");
  demand(a.ttl.count() >= 0 && a.ttl.count() <= 0x7fff'ffff, "the TTL has 31 bits");
  demand(is_definite(a.outcome) || (a.ttl.count() == 0 && a.dropped == 0),
         "an answer that says nothing says nothing about records");
  demand(a.outcome != answer_outcome::timeout && a.outcome != answer_outcome::local_fault &&
             a.outcome != answer_outcome::closed,
         "bytes that came are no silence");
  // Each took a header of at least ten bytes and an owner name.
  demand((records + a.dropped) * 11 <= message_size, "no record comes from nowhere");
}

}  // namespace redial::fuzz
