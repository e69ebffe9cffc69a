// SPDX-License-Identifier: Apache-2.0
#include "testing/dns_wire.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

void put16(dns_bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>((value >> 8) & 0xff));
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void put32(dns_bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

std::uint16_t get16(const dns_bytes& in, std::size_t at) {
  return static_cast<std::uint16_t>((in[at] << 8) | in[at + 1]);
}

void set16(dns_bytes& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value & 0xff);
}

void append(dns_bytes& out, const dns_bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

}  // namespace

dns_record make_address_record(std::string_view name,
                               const redial::address& where,
                               std::uint32_t ttl) {
  dns_record r;
  r.name = name;
  r.ttl = ttl;
  r.type = where.is_v6() ? 28 : 1;
  if (where.is_v6()) {
    const auto bytes = where.to_v6().to_bytes();
    r.rdata.assign(bytes.begin(), bytes.end());
  } else {
    const auto bytes = where.to_v4().to_bytes();
    r.rdata.assign(bytes.begin(), bytes.end());
  }
  return r;
}

dns_record make_cname_record(std::string_view name, std::string_view target, std::uint32_t ttl) {
  dns_record r;
  r.name = name;
  r.type = 5;
  r.ttl = ttl;
  r.rdata = detail::encode_name(target);
  return r;
}

dns_record make_soa_record(std::string_view zone, std::uint32_t ttl, std::uint32_t minimum) {
  dns_record r;
  r.name = zone;
  r.type = 6;
  r.ttl = ttl;
  r.rdata = detail::encode_name("ns.invalid");
  append(r.rdata, detail::encode_name("hostmaster.invalid"));
  for (const std::uint32_t value : {1U, 3600U, 600U, 86400U, minimum}) put32(r.rdata, value);
  return r;
}

dns_record make_srv_record(std::string_view name, const srv_data& data, std::uint32_t ttl) {
  dns_record r;
  r.name = name;
  r.type = 33;
  r.ttl = ttl;
  put16(r.rdata, data.priority);
  put16(r.rdata, data.weight);
  put16(r.rdata, data.port);
  append(r.rdata, detail::encode_name(data.target));
  return r;
}

namespace detail {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::uint16_t opt_type = 41;

// Reads an uncompressed name at `at` and moves `at` past it.
bool read_name(const dns_bytes& in, std::size_t& at, std::string& name) {
  while (at < in.size()) {
    const std::size_t length = in[at++];
    if (length == 0) return true;
    if (length > 63 || at + length > in.size() || name.size() > 255) return false;
    if (!name.empty()) name += '.';
    name.append(in.begin() + static_cast<std::ptrdiff_t>(at),
                in.begin() + static_cast<std::ptrdiff_t>(at + length));
    at += length;
  }
  return false;
}

// The owner names of most records are the question's: a pointer to offset 12 then keeps answers
// with thousands of records inside 64 kB.
void put_record(dns_bytes& out, const dns_record& r, const std::string& asked) {
  if (canonical(r.name) == asked) {
    put16(out, 0xc000 + header_size);
  } else {
    append(out, encode_name(r.name));
  }
  put16(out, r.type);
  put16(out, r.class_number);
  put32(out, r.ttl);
  put16(out, r.rdata.size());
  append(out, r.rdata);
}

}  // namespace

std::string canonical(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  std::string out{name};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

dns_bytes encode_name(std::string_view name) {
  dns_bytes out;
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    const auto label = name.substr(0, std::min<std::size_t>(dot, 63));
    if (!label.empty()) {
      out.push_back(static_cast<std::uint8_t>(label.size()));
      out.insert(out.end(), label.begin(), label.end());
    }
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(0);
  return out;
}

std::optional<wire_query> parse_query(const dns_bytes& in) {
  if (in.size() < header_size || (in[2] & 0xf8) != 0 || get16(in, 4) != 1) return std::nullopt;
  wire_query q;
  q.id = get16(in, 0);
  q.recursion_desired = (in[2] & 1) != 0;
  std::size_t at = header_size;
  if (!read_name(in, at, q.name) || at + 4 > in.size()) return std::nullopt;
  q.name = canonical(q.name);
  q.type = get16(in, at);
  q.question_end = at + 4;
  // An OPT record has the root as its owner and the UDP size in place of the class.
  at = q.question_end;
  if (get16(in, 10) > 0 && at + 11 <= in.size() && in[at] == 0 && get16(in, at + 1) == opt_type) {
    q.edns = true;
    q.udp_size = std::max<std::uint16_t>(512, get16(in, at + 3));
  }
  return q;
}

dns_bytes write_response(const wire_query& query,
                         const dns_bytes& query_bytes,
                         const wire_response& response) {
  dns_bytes out;
  put16(out, query.id);
  out.push_back(static_cast<std::uint8_t>(0x84 | (response.truncated ? 2 : 0) |
                                          (query.recursion_desired ? 1 : 0)));
  out.push_back(static_cast<std::uint8_t>(0x80 | (static_cast<unsigned>(response.code) & 0x0f)));
  put16(out, 1);
  put16(out, response.answer.size());
  put16(out, response.authority.size());
  put16(out, query.edns ? 1 : 0);
  out.insert(out.end(),
             query_bytes.begin() + header_size,
             query_bytes.begin() + static_cast<std::ptrdiff_t>(query.question_end));
  for (const auto& r : response.answer) put_record(out, r, query.name);
  for (const auto& r : response.authority) put_record(out, r, query.name);
  if (query.edns) {
    out.push_back(0);
    put16(out, opt_type);
    put16(out, 1232);
    put32(out, 0);
    put16(out, 0);
  }
  return out;
}

void apply_defect(dns_bytes& m, std::size_t question_end, dns_defect defect) {
  const bool has_record = m.size() >= question_end + header_size;
  switch (defect) {
    case dns_defect::none:
      break;
    case dns_defect::wrong_id:
      m[1] = static_cast<std::uint8_t>(m[1] ^ 0x55);
      break;
    case dns_defect::wrong_name:
      m[header_size + 1] = '~';
      break;
    case dns_defect::wrong_type:
      set16(m, question_end - 4, 16);
      break;
    case dns_defect::no_question:
      set16(m, 4, 0);
      m.erase(m.begin() + header_size, m.begin() + static_cast<std::ptrdiff_t>(question_end));
      break;
    case dns_defect::not_a_response:
      m[2] = static_cast<std::uint8_t>(m[2] & 0x7f);
      break;
    case dns_defect::wrong_opcode:
      m[2] = static_cast<std::uint8_t>(m[2] | 0x10);
      break;
    case dns_defect::wrong_class:
      if (has_record) set16(m, question_end + 4, 3);
      break;
    case dns_defect::pointer_loop:
      if (has_record) set16(m, question_end, static_cast<std::uint16_t>(0xc000 | question_end));
      break;
    case dns_defect::lying_count:
      set16(m, 6, 0xffff);
      break;
    case dns_defect::cut_record:
      if (has_record) m.resize(m.size() - 2);
      break;
    case dns_defect::short_header:
      m.resize(5);
      break;
    case dns_defect::empty:
      m.clear();
      break;
  }
}

}  // namespace detail
}  // namespace redial::inline REDIAL_ABI::testing
