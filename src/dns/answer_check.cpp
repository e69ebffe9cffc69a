// SPDX-License-Identifier: Apache-2.0
//
// A message is looked through once, to its end, before anything in it is believed; names are
// compared as they are in it. Only the targets of SRV records become text, which the C library
// makes (ns_name_uncompress), so that odd bytes are escaped as everywhere else.
//
// Sources and constants
//   RFC 1035 §3.6.2, §4.1, 2181 §5.2, §8   format, CNAME chains, TTLs of a set, TTL with the top
//                                          bit set is 0
//   RFC 2308 §2, §5                        negative answers and their TTL
//   RFC 2782                               SRV: data, the target "."
//   16 hops                                longer chains than any real one; glibc and Unbound stop
//                                          there
// Steps
//   header -> end of the four sections -> question -> records -> chain -> addresses, services, SOA
#include "dns/answer_check.hpp"

#include "core/service_set.hpp"
#include "dns/wire_name.hpp"

// The order matters to nameser.h on BSDs.
#include <netinet/in.h>
// clang-format off
#include <arpa/nameser.h>
// clang-format on

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

namespace redial::detail {
namespace {

using bytes = std::span<const std::uint8_t>;

constexpr int longest_chain = 16;
constexpr std::size_t srv_numbers_size = 6;

// What is kept of a record. `data` points into the message.
struct record {
  std::size_t owner = 0;  // in the message
  int type = 0;
  std::uint32_t ttl = 0;
  bytes data;
};

// Most answers have a handful, and then need no memory.
using records_type = std::pmr::vector<record>;
constexpr std::size_t usual_records = 16;

std::uint32_t sane_ttl(std::uint32_t ttl) noexcept { return ttl > 0x7fff'ffffU ? 0 : ttl; }

std::uint16_t get16(bytes m, std::size_t at) noexcept {
  return static_cast<std::uint16_t>((m[at] << 8) | m[at + 1]);
}

std::uint32_t get32(bytes m, std::size_t at) noexcept {
  return (std::uint32_t{get16(m, at)} << 16) | get16(m, at + 2);
}

// A message whose header and sections are whole, without what comes after them: some servers append
// junk.
struct message {
  bytes all;
  std::size_t answers = 0;    // where they begin
  std::size_t authority = 0;  // as well

  [[nodiscard]] int flags() const noexcept { return get16(all, 2); }
  [[nodiscard]] int rcode() const noexcept { return flags() & 0x0f; }
  [[nodiscard]] int count(ns_sect section) const noexcept {
    return get16(all, 4 + 2 * static_cast<std::size_t>(section));
  }
};

// Where the entry of a section at `at` ends; 0 when it does not fit in.
std::size_t skip_entry(bytes m, std::size_t at, ns_sect section) noexcept {
  const std::size_t fixed = section == ns_s_qd ? 4 : 10;
  at = skip_name(m, at);
  if (at == 0 || m.size() - at < fixed) return 0;
  at += fixed;
  if (section == ns_s_qd) return at;
  const std::size_t size = get16(m, at - 2);
  return m.size() - at < size ? 0 : at + size;
}

std::optional<message> whole(bytes m) noexcept {
  if (m.size() < dns_header_size) return std::nullopt;
  message out{m};
  std::size_t at = dns_header_size;
  for (const ns_sect section : {ns_s_qd, ns_s_an, ns_s_ns, ns_s_ar}) {
    if (section == ns_s_an) out.answers = at;
    if (section == ns_s_ns) out.authority = at;
    for (int i = out.count(section); i > 0; --i) {
      at = skip_entry(m, at, section);
      if (at == 0) return std::nullopt;
    }
  }
  // Names may point into the junk: then the message without it is not whole.
  return at == m.size() ? out : whole(m.first(at));
}

// The records of class IN of a section that begins at `at`.
void read_section(const message& m, std::size_t at, ns_sect section, records_type& out) {
  const int count = m.count(section);
  out.reserve(static_cast<std::size_t>(count));  // true: the sections were skipped through
  for (int i = 0; i < count; ++i) {
    record r;
    r.owner = at;
    at = skip_name(m.all, at);
    r.type = get16(m.all, at);
    r.ttl = sane_ttl(get32(m.all, at + 4));
    r.data = m.all.subspan(at + 10, get16(m.all, at + 8));
    if (get16(m.all, at + 2) == ns_c_in) out.push_back(r);
    at += 10 + r.data.size();
  }
}

// Where the name that fills `data` to its end is; 0 when it cannot be read or is shorter or longer.
std::size_t name_in(bytes m, bytes data) noexcept {
  const auto at = static_cast<std::size_t>(data.data() - m.data());
  return !data.empty() && skip_name(m, at) == at + data.size() ? at : 0;
}

std::optional<std::string> text_at(bytes m, std::size_t at) {
  char text[NS_MAXDNAME];
  const std::uint8_t* const begin = m.data();
  const int size = ns_name_uncompress(begin, begin + m.size(), begin + at, text, sizeof text);
  return size < 0 ? std::nullopt : std::optional<std::string>{text};
}

bool question_matches(const message& m, const wire_name& name, record_type type) noexcept {
  return m.count(ns_s_qd) == 1 && get16(m.all, m.answers - 2) == ns_c_in &&
         get16(m.all, m.answers - 4) == static_cast<int>(type) &&
         name.is_at(m.all, dns_header_size);
}

// Where the aliases lead, and the smallest TTL on the way.
struct chain {
  wire_name end;
  std::uint32_t ttl = 0x7fff'ffffU;
};

std::optional<chain> follow(const wire_name& start, const records_type& records, bytes m) {
  chain c{start};
  for (int hop = 0; hop <= longest_chain; ++hop) {
    const auto alias = std::find_if(records.begin(), records.end(), [&](const record& r) {
      return r.type == ns_t_cname && c.end.is_at(m, r.owner);
    });
    if (alias == records.end()) return c;
    const auto target = name_in(m, alias->data);
    if (target == 0) return std::nullopt;
    c.ttl = std::min(c.ttl, alias->ttl);
    c.end = wire_name::at(m, target);
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
std::uint32_t negative_ttl(const message& m, const wire_name& name) {
  std::array<std::byte, usual_records * sizeof(record)> room;
  std::pmr::monotonic_buffer_resource memory{room.data(), room.size()};
  records_type records{&memory};
  read_section(m, m.authority, ns_s_ns, records);
  for (const auto& r : records) {
    // The five numbers at the end follow two names; the last one is the minimum.
    if (r.type != ns_t_soa || r.data.size() < 22 || !name.is_inside(m.all, r.owner)) continue;
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

answer negative(const message& m, const chain& c) {
  auto a = m.rcode() == ns_r_nxdomain
               ? verdict(answer_outcome::name_not_found, errc::name_not_found)
               : verdict(answer_outcome::no_data, errc::no_data);
  // An alias on the way may lead elsewhere sooner than the zone changes.
  a.ttl = std::chrono::seconds{std::min(c.ttl, negative_ttl(m, c.end))};
  return a;
}

// Leaves the records of the asked type at the end of the chain, and the smallest TTL up to here:
// also of those that are dropped below, since a set has one TTL.
void keep_wanted(records_type& records, record_type type, bytes m, chain& c) {
  std::erase_if(records, [&](const record& r) {
    return r.type != static_cast<int>(type) || !c.end.is_at(m, r.owner);
  });
  for (const auto& r : records) c.ttl = std::min(c.ttl, r.ttl);
}

void take_addresses(const records_type& records, answer& a) {
  a.addresses.reserve(records.size());
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
bool take_services(const records_type& records, bytes m, answer& a) {
  std::vector<srv_record> raw;
  for (const auto& r : records) {
    if (r.data.size() <= srv_numbers_size) {
      ++a.dropped;
      continue;
    }
    const auto at = name_in(m, r.data.subspan(srv_numbers_size));
    auto target = at == 0 ? std::nullopt : text_at(m, at);
    if (!target) return false;
    raw.push_back({std::move(*target), get16(r.data, 4), get16(r.data, 0), get16(r.data, 2)});
  }
  auto judged = judge_services(raw);
  if (judged.no_service) a.error = make_error_code(errc::no_service);
  a.services = std::move(judged.usable);
  a.dropped += judged.dropped;
  return true;
}

answer positive(const question& asked, const wire_name& name, const message& m) {
  std::array<std::byte, usual_records * sizeof(record)> room;
  std::pmr::monotonic_buffer_resource memory{room.data(), room.size()};
  records_type records{&memory};
  read_section(m, m.answers, ns_s_an, records);
  auto c = follow(name, records, m.all);
  if (!c) return malformed();
  if (m.rcode() == ns_r_nxdomain) return negative(m, *c);

  answer a;
  keep_wanted(records, asked.type, m.all, *c);
  if (asked.type != record_type::srv) {
    take_addresses(records, a);
  } else if (!take_services(records, m.all, a)) {
    return malformed();
  }
  if (a.addresses.empty() && a.services.empty() && !a.error) {
    auto none = negative(m, *c);
    none.dropped = a.dropped;
    return none;
  }
  a.outcome = a.error ? answer_outcome::no_data : answer_outcome::records;
  a.ttl = std::chrono::seconds{c->ttl};
  return a;
}

answer judge(const question& asked, bytes received) {
  constexpr int response = 0x8000;
  constexpr int opcode = 0x7800;
  constexpr int truncated = 0x0200;
  const auto m = whole(received);
  // A truncated message that came this far came over TCP, where nothing may be cut.
  if (!m || (m->flags() & (response | opcode | truncated)) != response) return malformed();
  switch (m->rcode()) {
    case ns_r_noerror:
    case ns_r_nxdomain: {
      const auto name = wire_name::of(asked.name);
      if (!name || !question_matches(*m, *name, asked.type)) return malformed();
      return positive(asked, *name, *m);
    }
    case ns_r_refused:
      return verdict(answer_outcome::refused, errc::dns_refused);
    default:
      return verdict(answer_outcome::server_failure, errc::dns_server_failure);
  }
}

}  // namespace

answer check_answer(question asked, bytes received) {
  answer a = judge(asked, received);
  a.asked = std::move(asked);
  return a;
}

}  // namespace redial::detail
