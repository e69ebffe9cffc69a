// SPDX-License-Identifier: Apache-2.0
#pragma once

// Responses as bytes, right or wrong, for the tests of what reads them.

#include <redial/testing/dns_script.hpp>

#include "testing/dns_wire.hpp"

#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

using redial::testing::dns_bytes;
using redial::testing::dns_record;

inline void put16(dns_bytes& out, std::size_t v) {
  out.push_back(static_cast<std::uint8_t>(v >> 8));
  out.push_back(static_cast<std::uint8_t>(v));
}

// A response, written without compression unless a record's bytes say otherwise.
struct packet {
  packet() = default;
  std::string name = "api.test";
  int type = 1;
  int flags = 0x8180;
  std::vector<dns_record> answers;
  std::vector<dns_record> authority;
  int question_count = 1;
  int question_class = 1;
  int answer_count = -1;  // -1: the true one
  dns_bytes tail;

  [[nodiscard]] dns_bytes bytes() const {
    dns_bytes out{0x12, 0x34};
    put16(out, static_cast<std::size_t>(flags));
    put16(out, static_cast<std::size_t>(question_count));
    put16(out, answer_count < 0 ? answers.size() : static_cast<std::size_t>(answer_count));
    put16(out, authority.size());
    put16(out, 0);
    if (question_count > 0) {
      append(out, testing::detail::encode_name(name));
      put16(out, static_cast<std::size_t>(type));
      put16(out, static_cast<std::size_t>(question_class));
    }
    for (const auto& r : answers) put(out, r);
    for (const auto& r : authority) put(out, r);
    append(out, tail);
    return out;
  }

  static void append(dns_bytes& out, const dns_bytes& more) {
    out.insert(out.end(), more.begin(), more.end());
  }
  static void put(dns_bytes& out, const dns_record& r) {
    append(out, testing::detail::encode_name(r.name));
    put16(out, r.type);
    put16(out, r.class_number);
    put16(out, r.ttl >> 16);
    put16(out, r.ttl & 0xffff);
    put16(out, r.rdata.size());
    append(out, r.rdata);
  }
};

// A record (of a type that nobody asks for) that holds thousands of compression pointers, each to
// the one before; `last` is set to the last one. To be the first answer of `p`, whose names may
// then point there.
inline dns_record pointer_trap(const packet& p, std::size_t& last) {
  dns_record trap;
  trap.name = p.name;
  trap.type = 99;
  std::size_t to = p.bytes().size() + testing::detail::encode_name(trap.name).size() + 10;
  trap.rdata.push_back(0);
  for (last = to + 1; last + 2 <= 0x3fff; to = last, last += 2) put16(trap.rdata, 0xc000 | to);
  last = to;
  return trap;
}

}  // namespace redial::inline REDIAL_ABI::detail
