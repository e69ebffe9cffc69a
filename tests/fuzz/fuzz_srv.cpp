// SPDX-License-Identifier: Apache-2.0
//
// Well-formed responses with SRV records of any content, read back and compared with what a simple
// model says of them. The input is a list of records:
//   flags     bit 0: the owner is somebody else; bit 1: the owner is in upper case
//   port, priority, weight   two bytes each
//   ttl       one byte
//   labels    each a byte of length (its low six bits) and that many bytes; length 0 ends the name
#include <redial/core/error.hpp>

#include "answer_promises.hpp"
#include "dns/answer_check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace redial;

constexpr std::size_t most_records = 64;  // at most 64 * 288 bytes of message

class reader {
 public:
  reader(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  std::uint8_t byte() { return done() ? std::uint8_t{0} : *at_++; }
  std::uint16_t number() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>((high << 8) | byte());
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

struct wire_record {
  bool ours = true;
  bool loud = false;
  srv_record data;  // without its target
  std::uint8_t ttl = 0;
  std::vector<std::string> labels;
};

wire_record read_record(reader& in) {
  wire_record r;
  const auto flags = in.byte();
  r.ours = (flags & 1) == 0;
  r.loud = (flags & 2) != 0;
  r.data.port = in.number();
  r.data.priority = in.number();
  r.data.weight = in.number();
  r.ttl = in.byte();
  std::size_t size = 1;  // of the name on the wire, at most 255
  while (const std::size_t length = in.byte() & 63U) {
    if ((size += length + 1) > 255) break;
    std::string label;
    for (std::size_t i = 0; i < length; ++i) label += static_cast<char>(in.byte());
    r.labels.push_back(std::move(label));
  }
  return r;
}

// --- the message --------------------------------------------------------------------------------

void put16(std::string& out, std::size_t v) {
  out += static_cast<char>(v >> 8);
  out += static_cast<char>(v & 0xff);
}

void put_all(std::string& out, std::initializer_list<std::size_t> numbers) {
  for (const std::size_t v : numbers) put16(out, v);
}

std::string encoded_name(const std::vector<std::string>& labels) {
  std::string out;
  for (const auto& label : labels) {
    out += static_cast<char>(label.size());
    out += label;
  }
  return out + '\0';
}

std::string encoded_record(const wire_record& r) {
  std::string out = encoded_name({r.loud ? "API" : "api", r.ours ? "test" : "evil"});
  put_all(out, {33, 1, 0, r.ttl});
  const std::string name = encoded_name(r.labels);
  put16(out, 6 + name.size());
  put_all(out, {r.data.priority, r.data.weight, r.data.port});
  return out + name;
}

std::string message_of(const std::vector<wire_record>& records) {
  std::string out;
  put_all(out, {0, 0x8180, 1, records.size(), 0, 0});
  out += encoded_name({"api", "test"});
  put_all(out, {33, 1});
  for (const auto& r : records) out += encoded_record(r);
  return out;
}

// --- the model ----------------------------------------------------------------------------------

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// The canonical target; nothing when it is no name that anybody may dial.
std::optional<std::string> target_of(const wire_record& r) {
  std::string text;
  for (std::string label : r.labels) {
    for (char& c : label) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    if (!std::ranges::all_of(label, is_plain)) return std::nullopt;
    text += (text.empty() ? "" : ".") + label;
  }
  const auto dot = text.rfind('.');
  const std::string last = dot == std::string::npos ? text : text.substr(dot + 1);
  if (last == "onion" || last.find_first_not_of("0123456789") == std::string::npos) {
    return std::nullopt;
  }
  return text;
}

struct expected {
  std::map<std::pair<std::string, std::uint16_t>, std::pair<std::uint16_t, int>> places;
  std::uint32_t dropped = 0;
  std::uint32_t roots = 0;
  std::uint32_t ours = 0;
  int ttl = 255;
};

expected judge(const std::vector<wire_record>& records) {
  expected e;
  for (const auto& r : records) {
    if (!r.ours) continue;
    ++e.ours;
    e.ttl = std::min(e.ttl, int{r.ttl});
    const auto target = target_of(r);
    if (r.labels.empty()) ++e.roots;
    if (!target || r.data.port == 0) {
      ++e.dropped;
      continue;
    }
    const std::pair rank{r.data.priority, -int{r.data.weight}};
    const auto [place, fresh] = e.places.try_emplace({*target, r.data.port}, rank);
    if (!fresh) place->second = std::min(place->second, rank);
  }
  return e;
}

void compare(const answer& got, const expected& e) {
  using fuzz::demand;
  const bool gone = e.ours > 0 && e.roots == e.ours;
  demand((got.error == errc::no_service) == gone, "\".\" alone, and only that, is no_service");
  demand(got.dropped == (gone ? 0 : e.dropped), "every unusable record is counted");
  demand(got.services.size() == e.places.size(), "every usable record is told");
  for (const auto& one : got.services) {
    const auto found = e.places.find({one.target, one.port});
    demand(found != e.places.end(), "a service is one of the records");
    demand(found->second == std::pair{one.priority, -int{one.weight}}, "the best record stays");
  }
  const bool has_ttl = gone || !e.places.empty();
  demand(got.ttl.count() == (has_ttl ? e.ttl : 0), "the TTL is the smallest of the set");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  reader in(data, size);
  std::vector<wire_record> records;
  while (!in.done() && records.size() < most_records) records.push_back(read_record(in));
  const std::string message = message_of(records);
  question q;
  q.name = "api.test";
  q.type = record_type::srv;
  const answer got = detail::check_answer(
      q, {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
  fuzz::demand(got.outcome != answer_outcome::malformed, "a well-formed message is read");
  fuzz::check_promises(got, message.size());
  compare(got, judge(records));
  return 0;
}
