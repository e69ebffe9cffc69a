// SPDX-License-Identifier: Apache-2.0
#pragma once

// One DNS question and what came back for it, already checked.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>
#include <redial/core/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Numbers are those of the DNS (RFC 1035 §3.2.2, RFC 3596, RFC 2782).
enum class record_type : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

/// A name and what is asked about it.
struct question {
  question() = default;
  question(std::string n, record_type t) : name(std::move(n)), type(t) {}  ///< With both members.

  std::string name;                   ///< Canonical: lower case, no trailing dot.
  record_type type = record_type::a;  ///< What kind of records is asked for.

  friend bool operator==(const question&, const question&) = default;
  friend auto operator<=>(const question&, const question&) = default;
};

/// One usable SRV record (RFC 2782): the port is not 0 and the target is a legal name other than
/// the root.
struct srv_record {
  srv_record() = default;
  /// With all members.
  srv_record(std::string to, std::uint16_t on, std::uint16_t tier = 0, std::uint16_t share = 0)
      : target(std::move(to)), port(on), priority(tier), weight(share) {}

  std::string target;          ///< Canonical: lower case, no trailing dot.
  std::uint16_t port = 0;      ///< Of the service on that host; not 0.
  std::uint16_t priority = 0;  ///< Lower is used first.
  /// Share among records of one priority; 0: rarely chosen beside others.
  std::uint16_t weight = 0;

  friend bool operator==(const srv_record&, const srv_record&) = default;
  friend auto operator<=>(const srv_record&, const srv_record&) = default;
};

/// What kind of answer it was. The first three are definite: a server that speaks for the name said
/// so. The others are transient.
enum class answer_outcome {
  records,         ///< At least one usable record.
  no_data,         ///< NOERROR without a usable record of this type.
  name_not_found,  ///< NXDOMAIN.
  timeout,         ///< Nobody answered before our deadline.
  server_failure,  ///< SERVFAIL, NOTIMP, FORMERR, unknown rcode.
  refused,         ///< REFUSED, or nothing listens on the server's port.
  malformed,       ///< Could not be parsed, or is not an answer to the question.
  local_fault,  ///< This machine could not ask: no descriptors, no buffers, no servers configured.
  closed,       ///< The source was closed before an answer came.
};

[[nodiscard]] REDIAL_API const char* to_string(record_type t) noexcept;  ///< `A`, `AAAA`, `SRV`.
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(answer_outcome o) noexcept;

/// True for answers that state what the name has now, also when that is nothing.
[[nodiscard]] constexpr bool is_definite(answer_outcome o) noexcept {
  return o == answer_outcome::records || o == answer_outcome::no_data ||
         o == answer_outcome::name_not_found;
}

/// One response to one question. Owner names, class and type were checked, the CNAME chain was
/// followed, duplicates and undialable addresses are gone, IPv4-mapped addresses are unmapped.
struct answer {
  answer() = default;

  question asked;                                    ///< What this is the answer to.
  answer_outcome outcome = answer_outcome::timeout;  ///< What kind of answer it was.
  /// Sorted, without duplicates. Empty for an SRV question.
  std::vector<address> addresses;
  /// Sorted; each target and port once. Empty unless SRV was asked for.
  std::vector<srv_record> services;
  /// For `records` the minimum over the CNAME chain and the records; a TTL with the top bit set is
  /// 0 (RFC 2181 §8). For `no_data` and `name_not_found` the negative TTL, min(SOA TTL, SOA
  /// minimum) (RFC 2308 §5) but no longer than the CNAME chain; 0 without an SOA. For
  /// `errc::no_service` that of the record and its chain. Uncapped.
  std::chrono::seconds ttl{0};
  /// The original code: of c-ares, the system, or ours. Clear for `records`. `errc::no_service`
  /// with `no_data` when the only SRV record has the target "." (RFC 2782).
  error_code error;
  /// Records left out because no connection could ever go there: an address that is no unicast
  /// address, an SRV record with port 0 or an illegal target.
  std::uint32_t dropped = 0;
};

}  // namespace redial::inline REDIAL_ABI
