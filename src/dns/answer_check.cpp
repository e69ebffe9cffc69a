// SPDX-License-Identifier: Apache-2.0
//
// Parsing is the C library's (ns_initparse, ns_parserr: RFC 1035 §4.1); what is believed is decided
// here.
//
// Sources and constants
//   RFC 1035 §3.6.2, 2181 §5.2, §8   CNAME chains, TTLs of a set, TTL with the top bit set is 0
//   RFC 2308 §2, §5                  negative answers and their TTL
//   RFC 2782                         SRV: data, the target "."
//   16 hops                          longer chains than any real one; glibc and Unbound stop there
//   127 pointers                     a name has at most 127 labels in 255 bytes (RFC 1035 §2.3.4),
//                                    and a pointer without a label before it is only ever a trap
// Steps
//   header -> end of the four sections -> question -> records -> chain -> addresses, services, SOA
#include "dns/answer_check.hpp"

#include "core/service_set.hpp"

// The order matters to nameser.h on BSDs.
#include <netinet/in.h>
// clang-format off
#include <arpa/nameser.h>
// clang-format on

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using bytes = std::span<const std::uint8_t>;

constexpr int longest_chain = 16;
constexpr int most_pointers = 127;
constexpr std::size_t header_size = 12;
constexpr std::size_t srv_numbers_size = 6;

// What is kept of a record. `data` points into the message.
struct record {
  std::string owner;
  int type = 0;
  std::uint32_t ttl = 0;
  bytes data;
};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Names as the C library prints them, without a trailing dot.
bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_inside(std::string_view name, std::string_view zone) noexcept {
  if (zone.empty() || zone == ".") return true;
  if (name.size() < zone.size()) return false;
  const auto start = name.size() - zone.size();
  return same_name(name.substr(start), zone) && (start == 0 || name[start - 1] == '.');
}

std::uint32_t sane_ttl(std::uint32_t ttl) noexcept { return ttl > 0x7fff'ffffU ? 0 : ttl; }

std::uint16_t get16(bytes m, std::size_t at) noexcept {
  return static_cast<std::uint16_t>((m[at] << 8) | m[at + 1]);
}

std::uint32_t get32(bytes m, std::size_t at) noexcept {
  return (std::uint32_t{get16(m, at)} << 16) | get16(m, at + 2);
}

// False for a name at `at` that is longer, or jumps about more, than a real one can, or that lies
// in the header, where no names are. Keeps the work of a message full of pointer chains linear: the
// C library would follow thousands of hops for every record.
bool is_modest_name(bytes m, std::size_t at) noexcept {
  std::size_t size = 0;
  int pointers = 0;
  while (at >= header_size && at < m.size()) {
    const unsigned length = m[at];
    if (length == 0) return true;
    if ((length & 0xc0) == 0 && (size += length + 1) < NS_MAXCDNAME) {
      at += length + 1;
    } else if ((length & 0xc0) == 0xc0 && at + 1 < m.size() && ++pointers <= most_pointers) {
      at = get16(m, at) & 0x3fffU;
    } else {
      return false;
    }
  }
  return false;
}

// The message without what comes after its four sections: some servers append junk, and
// ns_initparse refuses it. Nothing when the sections do not fit in.
std::optional<bytes> trimmed(bytes m) {
  if (m.size() < header_size) return std::nullopt;
  const std::uint8_t* const end = m.data() + m.size();
  const std::uint8_t* at = m.data() + header_size;
  for (const ns_sect section : {ns_s_qd, ns_s_an, ns_s_ns, ns_s_ar}) {
    const int count = get16(m, 4 + 2 * static_cast<std::size_t>(section));
    // One at a time, so that each owner name is looked at before anything is decompressed.
    for (int i = 0; i < count; ++i) {
      if (!is_modest_name(m, static_cast<std::size_t>(at - m.data()))) return std::nullopt;
      const int size = ns_skiprr(at, end, section, 1);
      if (size <= 0) return std::nullopt;
      at += size;
    }
  }
  return m.first(static_cast<std::size_t>(at - m.data()));
}

// The records of class IN of a section; nothing when one cannot be read.
std::optional<std::vector<record>> read_section(ns_msg& m, ns_sect section) {
  std::vector<record> out;
  const int count = ns_msg_count(m, section);  // true: the sections were skipped through
  out.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    ns_rr rr;
    if (ns_parserr(&m, section, i, &rr) != 0) return std::nullopt;
    if (ns_rr_class(rr) != ns_c_in) continue;
    record r;
    r.owner = ns_rr_name(rr);
    r.type = static_cast<int>(ns_rr_type(rr));
    r.ttl = sane_ttl(static_cast<std::uint32_t>(ns_rr_ttl(rr)));
    r.data = bytes(ns_rr_rdata(rr), ns_rr_rdlen(rr));
    out.push_back(std::move(r));
  }
  return out;
}

// The name that fills `data` to its end; nothing when it cannot be read or is shorter or longer.
std::optional<std::string> name_in(bytes message, bytes data) {
  const auto at = static_cast<std::size_t>(data.data() - message.data());
  if (!is_modest_name(message, at)) return std::nullopt;
  char text[NS_MAXDNAME];
  const std::uint8_t* const begin = message.data();
  const int size =
      ns_name_uncompress(begin, begin + message.size(), data.data(), text, sizeof text);
  if (size < 0 || static_cast<std::size_t>(size) != data.size()) return std::nullopt;
  return std::string{text};
}

bool question_matches(ns_msg& m, const question& asked) {
  ns_rr rr;
  return ns_msg_count(m, ns_s_qd) == 1 && ns_parserr(&m, ns_s_qd, 0, &rr) == 0 &&
         ns_rr_class(rr) == ns_c_in && ns_rr_type(rr) == static_cast<int>(asked.type) &&
         same_name(ns_rr_name(rr), asked.name);
}

// Where the aliases lead, and the smallest TTL on the way.
struct chain {
  std::string end;
  std::uint32_t ttl = 0x7fff'ffffU;
};

std::optional<chain> follow(const std::string& start,
                            const std::vector<record>& records,
                            bytes message) {
  chain c;
  c.end = start;
  for (int hop = 0; hop <= longest_chain; ++hop) {
    const auto alias = std::find_if(records.begin(), records.end(), [&](const record& r) {
      return r.type == ns_t_cname && same_name(r.owner, c.end);
    });
    if (alias == records.end()) return c;
    auto target = name_in(message, alias->data);
    if (!target) return std::nullopt;
    c.ttl = std::min(c.ttl, alias->ttl);
    c.end = std::move(*target);
  }
  return std::nullopt;
}

// Nothing for data of the wrong size and for addresses nobody can be reached at.
std::optional<address> address_in(const record& r) {
  address out;
  if (r.type == ns_t_a) {
    boost::asio::ip::address_v4::bytes_type raw;
    if (r.data.size() != raw.size()) return std::nullopt;
    std::copy(r.data.begin(), r.data.end(), raw.begin());
    out = boost::asio::ip::address_v4{raw};
  } else {
    boost::asio::ip::address_v6::bytes_type raw;
    if (r.data.size() != raw.size()) return std::nullopt;
    std::copy(r.data.begin(), r.data.end(), raw.begin());
    out = unmapped(boost::asio::ip::address_v6{raw});
  }
  return is_dialable(out) ? std::optional{out} : std::nullopt;
}

// min(SOA TTL, SOA minimum) of a zone that `name` lies in; 0 without one.
std::uint32_t negative_ttl(ns_msg& m, const std::string& name) {
  const auto records = read_section(m, ns_s_ns);
  if (!records) return 0;
  for (const auto& r : *records) {
    // The five numbers at the end follow two names; the last one is the minimum.
    if (r.type != ns_t_soa || r.data.size() < 22 || !is_inside(name, r.owner)) continue;
    return std::min(r.ttl, sane_ttl(get32(r.data, r.data.size() - 4)));
  }
  return 0;
}

answer verdict(answer_outcome outcome, errc code) {
  answer a;
  a.outcome = outcome;
  a.error = make_error_code(code);
  return a;
}

answer malformed() { return verdict(answer_outcome::malformed, errc::dns_bad_answer); }

answer negative(ns_msg& m, const chain& c, int rcode) {
  auto a = rcode == ns_r_nxdomain ? verdict(answer_outcome::name_not_found, errc::name_not_found)
                                  : verdict(answer_outcome::no_data, errc::no_data);
  // An alias on the way may lead elsewhere sooner than the zone changes.
  a.ttl = std::chrono::seconds{std::min(c.ttl, negative_ttl(m, c.end))};
  return a;
}

// The records of the asked type at the end of the chain, and the smallest TTL up to here: also of
// those that are dropped below, since a set has one TTL.
std::vector<record> wanted(std::vector<record> records, record_type type, chain& c) {
  std::erase_if(records, [&](const record& r) {
    return r.type != static_cast<int>(type) || !same_name(r.owner, c.end);
  });
  for (const auto& r : records) c.ttl = std::min(c.ttl, r.ttl);
  return records;
}

void take_addresses(const std::vector<record>& records, answer& a) {
  for (const auto& r : records) {
    if (const auto where = address_in(r)) {
      a.addresses.push_back(*where);
    } else {
      ++a.dropped;
    }
  }
  std::sort(a.addresses.begin(), a.addresses.end());
  a.addresses.erase(std::unique(a.addresses.begin(), a.addresses.end()), a.addresses.end());
}

// False when a target cannot be read: then nothing in the message is to be trusted.
bool take_services(const std::vector<record>& records, bytes message, answer& a) {
  std::vector<srv_record> raw;
  for (const auto& r : records) {
    if (r.data.size() <= srv_numbers_size) {
      ++a.dropped;
      continue;
    }
    auto target = name_in(message, r.data.subspan(srv_numbers_size));
    if (!target) return false;
    raw.push_back({std::move(*target), get16(r.data, 4), get16(r.data, 0), get16(r.data, 2)});
  }
  auto judged = judge_services(raw);
  if (judged.no_service) a.error = make_error_code(errc::no_service);
  a.services = std::move(judged.usable);
  a.dropped += judged.dropped;
  return true;
}

answer positive(const question& asked, ns_msg& m, bytes message, int rcode) {
  auto records = read_section(m, ns_s_an);
  if (!records) return malformed();
  auto c = follow(asked.name, *records, message);
  if (!c) return malformed();
  if (rcode == ns_r_nxdomain) return negative(m, *c, rcode);

  answer a;
  const auto found = wanted(std::move(*records), asked.type, *c);
  if (asked.type != record_type::srv) {
    take_addresses(found, a);
  } else if (!take_services(found, message, a)) {
    return malformed();
  }
  if (a.addresses.empty() && a.services.empty() && !a.error) {
    auto none = negative(m, *c, rcode);
    none.dropped = a.dropped;
    return none;
  }
  a.outcome = a.error ? answer_outcome::no_data : answer_outcome::records;
  a.ttl = std::chrono::seconds{c->ttl};
  return a;
}

answer judge(const question& asked, bytes message) {
  const auto whole = trimmed(message);
  ns_msg m;
  if (!whole || ns_initparse(whole->data(), static_cast<int>(whole->size()), &m) != 0) {
    return malformed();
  }
  // A truncated message that came this far came over TCP, where nothing may be cut.
  if (ns_msg_getflag(m, ns_f_qr) == 0 || ns_msg_getflag(m, ns_f_opcode) != ns_o_query ||
      ns_msg_getflag(m, ns_f_tc) != 0) {
    return malformed();
  }
  const int rcode = ns_msg_getflag(m, ns_f_rcode);
  switch (rcode) {
    case ns_r_noerror:
    case ns_r_nxdomain:
      return question_matches(m, asked) ? positive(asked, m, *whole, rcode) : malformed();
    case ns_r_refused:
      return verdict(answer_outcome::refused, errc::dns_refused);
    default:
      return verdict(answer_outcome::server_failure, errc::dns_server_failure);
  }
}

}  // namespace

answer check_answer(question asked, bytes message) {
  answer a = judge(asked, message);
  a.asked = std::move(asked);
  return a;
}

}  // namespace redial::inline REDIAL_ABI::detail
