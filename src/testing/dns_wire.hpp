// SPDX-License-Identifier: Apache-2.0
#pragma once

// DNS messages as bytes, for the test server only: reading a question, writing a response. The
// library itself parses with the C library (see src/dns/answer_check.cpp).

#include <redial/testing/dns_script.hpp>

#include <optional>

namespace redial::inline REDIAL_ABI::testing::detail {

/// The one question of a query.
struct wire_query {
  std::uint16_t id = 0;
  std::string name;  // lower case, no trailing dot
  std::uint16_t type = 0;
  std::size_t question_end = 0;  // offset just past the question section
  bool recursion_desired = false;
  bool edns = false;
  std::uint16_t udp_size = 512;
};

/// Nothing for bytes that are no query with exactly one question.
[[nodiscard]] std::optional<wire_query> parse_query(const dns_bytes& bytes);

/// Lower case, without a trailing dot.
[[nodiscard]] std::string canonical(std::string_view name);

/// A name as labels, uncompressed. A label longer than 63 is cut, so that the result is well
/// formed.
[[nodiscard]] dns_bytes encode_name(std::string_view name);

struct wire_response {
  rcode code = rcode::noerror;
  bool truncated = false;
  std::vector<dns_record> answer;
  std::vector<dns_record> authority;
};

/// The response to `query`, whose bytes are `query_bytes`: the question is repeated as it came.
[[nodiscard]] dns_bytes write_response(const wire_query& query,
                                       const dns_bytes& query_bytes,
                                       const wire_response& response);

/// Spoils a well-formed response.
void apply_defect(dns_bytes& message, std::size_t question_end, dns_defect defect);

}  // namespace redial::inline REDIAL_ABI::testing::detail
