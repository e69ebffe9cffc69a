// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the in-process DNS server can be told to say, and how to say it.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>
#include <redial/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Response codes (RFC 1035 §4.1.1). Any other number may be cast.
enum class rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
};

using dns_bytes = std::vector<std::uint8_t>;  ///< A message, or a part of one.

/// One resource record as it goes on the wire. The functions below make well-formed ones; set the
/// members for anything else.
struct dns_record {
  dns_record() = default;

  std::string name;                ///< Owner, without escapes.
  std::uint16_t type = 1;          ///< 1 A, 5 CNAME, 6 SOA, 28 AAAA, 33 SRV.
  std::uint16_t class_number = 1;  ///< 1 is IN.
  std::uint32_t ttl = 60;          ///< Seconds, all 32 bits.
  dns_bytes rdata;                 ///< As RFC 1035 lays it out for the type.
};

/// An A or AAAA record, by the family of `where`.
[[nodiscard]] REDIAL_API dns_record make_address_record(std::string_view name,
                                                        const address& where,
                                                        std::uint32_t ttl = 60);
/// An alias.
[[nodiscard]] REDIAL_API dns_record make_cname_record(std::string_view name,
                                                      std::string_view target,
                                                      std::uint32_t ttl = 60);
/// What negative answers carry: how long they may be kept (RFC 2308).
[[nodiscard]] REDIAL_API dns_record make_soa_record(std::string_view zone,
                                                    std::uint32_t ttl,
                                                    std::uint32_t minimum);

/// The data of an SRV record (RFC 2782).
struct srv_data {
  srv_data() = default;
  /// In the order of the record.
  srv_data(std::uint16_t prio, std::uint16_t share, std::uint16_t at_port, std::string host)
      : priority(prio), weight(share), port(at_port), target(std::move(host)) {}

  std::uint16_t priority = 0;  ///< Lower is used first.
  std::uint16_t weight = 0;    ///< Share among records of one priority.
  std::uint16_t port = 0;      ///< Of the service on that host.
  std::string target;          ///< The host; ".": no such service.
};
/// A service's host and port.
[[nodiscard]] REDIAL_API dns_record make_srv_record(std::string_view name,
                                                    const srv_data& data,
                                                    std::uint32_t ttl = 60);

/// A fault put into an otherwise right response.
enum class dns_defect {
  none,
  wrong_id,
  wrong_name,      ///< The question section names another host.
  wrong_type,      ///< The question section asks for another type.
  no_question,     ///< QDCOUNT 0.
  not_a_response,  ///< QR clear.
  wrong_opcode,    ///< STATUS.
  wrong_class,     ///< Records of class CH.
  pointer_loop,    ///< The first owner name is a compression pointer to itself.
  lying_count,     ///< ANCOUNT 65535.
  cut_record,      ///< The message ends inside its last record.
  short_header,    ///< 5 bytes.
  empty,           ///< A datagram of no bytes.
};

/// Order of the answer section.
enum class record_order { as_given, reversed, shuffled };

/// How responses to one question are sent.
struct dns_manner {
  dns_manner() = default;

  duration delay{0};         ///< Before the (first) response.
  bool drop = false;         ///< No response.
  bool truncate = false;     ///< UDP: TC set, half of the records. TCP: the whole answer.
  bool oversize = false;     ///< UDP: never truncated, whatever size the client announced.
  unsigned copies = 1;       ///< Of the response, over UDP.
  std::size_t trailing = 0;  ///< Zero bytes after the message.
  dns_defect defect = dns_defect::none;  ///< What is wrong with it.
  bool right_one_follows = false;        ///< After the defective response, the right one. UDP only.
};

/// What happens to those who come over TCP.
enum class tcp_manner {
  serve,
  refuse,  ///< Nothing listens.
  mute,    ///< Accepts, reads, never answers.
  cut,     ///< Sends half of the response, then closes.
  drip,    ///< One byte every 2 ms.
  spray,   ///< One byte per segment, without a pause.
};

/// Makes a whole response from a whole query; an empty one is not sent. Runs on the server's
/// thread and must not throw.
using dns_raw_hook = std::function<dns_bytes(const dns_bytes& query)>;

/// One query as it arrived.
struct dns_query {
  dns_query() = default;

  time_point when;                ///< It arrived then.
  std::string name;               ///< Lower case.
  std::uint16_t type = 0;         ///< As `dns_record::type`.
  bool tcp = false;               ///< Over TCP; else over UDP.
  bool edns = false;              ///< Carried an OPT record (RFC 6891).
  std::uint16_t source_port = 0;  ///< The client's.
};

}  // namespace redial::inline REDIAL_ABI::testing
