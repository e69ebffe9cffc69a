// SPDX-License-Identifier: Apache-2.0
#pragma once

// Responses made by hand.

#include <redial/testing/dns_script.hpp>

#include "testing/dns_wire.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

inline void put16(dns_bytes& m, std::size_t at, std::size_t value) {
  m.at(at) = static_cast<std::uint8_t>((value >> 8) & 0xff);
  m.at(at + 1) = static_cast<std::uint8_t>(value & 0xff);
}
inline void append16(dns_bytes& m, std::size_t value) {
  m.resize(m.size() + 2);
  put16(m, m.size() - 2, value);
}

inline detail::wire_query question_of(const dns_bytes& query) {
  auto q = detail::parse_query(query);
  if (!q) throw std::logic_error("no query");
  q->edns = false;  // the response ends with its last record
  return *q;
}

/// A response with these records.
inline dns_bytes respond(const dns_bytes& query, std::vector<dns_record> answer) {
  detail::wire_response r;
  r.answer = std::move(answer);
  return detail::write_response(question_of(query), query, r);
}

/// Addresses that nobody must ever be told of.
inline address evil(std::uint16_t type) {
  return boost::asio::ip::make_address(type == 28 ? "fd00:6::6" : "127.6.6.6");
}

/// A well-formed response that would be believed: an evil address, twice in different forms.
inline dns_bytes evil_response(const dns_bytes& query) {
  const auto q = question_of(query);
  return respond(query, {make_address_record(q.name, evil(q.type), 1)});
}

/// Offset of the first record's fields after its owner, which is a pointer.
inline std::size_t after_first_owner(const dns_bytes& query) {
  return question_of(query).question_end + 2;
}

/// What is done to a response; told where its records begin.
using spoiler = std::function<void(dns_bytes& message, std::size_t records)>;

/// The first query gets the evil response spoiled in the first way, the next one in the next, and
/// so on, over and over.
inline dns_raw_hook in_turn(std::vector<spoiler> ways) {
  return [ways = std::move(ways),
          n = std::make_shared<std::atomic<std::size_t>>(0)](const dns_bytes& query) {
    auto m = evil_response(query);
    ways[n->fetch_add(1) % ways.size()](m, question_of(query).question_end);
    return m;
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
