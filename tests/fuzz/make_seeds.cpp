// SPDX-License-Identifier: Apache-2.0
//
// Writes the seeds under corpus/ that are DNS messages or made of records:
//   redial_fuzz_seeds tests/fuzz/corpus
// Files that are there already are written anew, others (findings) are left alone. Seeds that are
// plain text are kept by hand.
#include "../unit/dns/answer_packet.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using redial::detail::packet;
using redial::detail::pointer_trap;
using redial::detail::put16;
using redial::testing::dns_bytes;
using redial::testing::dns_record;
using redial::testing::make_cname_record;
using redial::testing::make_soa_record;
using redial::testing::srv_data;

namespace fs = std::filesystem;

constexpr const char* name = "api.test";
constexpr int types[] = {1, 28, 33};  // in the order of the selector byte

void write(const fs::path& path, const dns_bytes& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

dns_record address(const std::string& text, std::uint32_t ttl = 60) {
  return redial::testing::make_address_record(name, redial::parse_address(text).value(), ttl);
}

dns_record service(const std::string& target, std::uint16_t port = 80, std::uint16_t priority = 0) {
  return redial::testing::make_srv_record(name, srv_data{priority, 5, port, target}, 30);
}

dns_record moved(dns_record r, const std::string& owner) {
  r.name = owner;
  return r;
}

// One folder of seeds for the three types of questions.
class message_seeds {
 public:
  explicit message_seeds(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
  }

  void add(const std::string& title, int selector, packet p) const {
    p.name = name;
    p.type = types[selector];
    add_raw(title, selector, p.bytes());
  }
  void add(const std::string& title, int selector, std::vector<dns_record> answers) const {
    packet p;
    p.answers = std::move(answers);
    add(title, selector, std::move(p));
  }
  void add_raw(const std::string& title, int selector, dns_bytes bytes) const {
    bytes.insert(bytes.begin(), static_cast<std::uint8_t>(selector));
    write(folder_ / title, bytes);
  }

 private:
  fs::path folder_;
};

void write_good(const message_seeds& seeds) {
  seeds.add("a_two", 0, {address("10.0.0.1"), address("10.0.0.2", 5)});
  seeds.add("aaaa_two", 1, {address("2001:db8::1"), address("::ffff:10.0.0.1")});
  seeds.add(
      "srv_three", 2, {service("n1.test"), service("N1.test", 80, 1), service("n2.test", 81)});
  seeds.add("a_chain",
            0,
            {moved(address("10.0.0.1"), "c.test"),
             make_cname_record("b.test", "c.test", 3),
             make_cname_record(name, "b.test", 200)});
  seeds.add(
      "srv_chain", 2, {make_cname_record(name, "b.test", 9), moved(service("n.test"), "b.test")});
  seeds.add("srv_no_service", 2, {service(".", 0)});
  seeds.add("srv_dropped", 2, {service("."), service("10.0.0.1"), service("n.test", 0)});
  packet many;
  for (int i = 0; i < 100; ++i) many.answers.push_back(address("10.0.0." + std::to_string(i + 1)));
  seeds.add("a_hundred", 0, many);
  for (const int rcode : {0, 3, 2, 5, 1, 9}) {
    packet none;
    none.flags |= rcode;
    none.authority = {make_soa_record("test", 900, 7)};
    seeds.add("rcode_" + std::to_string(rcode), 0, none);
  }
  seeds.add(
      "undialable", 0, {address("0.0.0.0"), address("224.0.0.1"), address("255.255.255.255")});
}

void write_evil_counts(const message_seeds& seeds) {
  packet p;
  p.answer_count = 3;
  seeds.add("fault3_counts_without_records", 0, p);
  p.answers = {address("10.0.0.1")};
  p.answer_count = 65535;
  seeds.add("fault4_count_65535", 0, p);
  p.answer_count = -1;
  p.question_count = 0;
  seeds.add("fault11_no_question", 0, p);
  p.question_count = 2;
  seeds.add("two_questions", 0, p);
  seeds.add_raw("fault1_five_bytes", 0, {1, 2, 0x81, 0x80, 0});
  packet cut;
  cut.answers = {address("10.0.0.1"), address("10.0.0.2")};
  auto bytes = cut.bytes();
  bytes.resize(bytes.size() - 3);
  seeds.add_raw("fault7_cut_record", 0, bytes);
  bytes = cut.bytes();
  bytes[bytes.size() - 5] = 200;
  seeds.add_raw("fault7_length_past_the_end", 0, bytes);
  cut.tail = {1, 2, 3};
  seeds.add("fault14_trailing_bytes", 0, cut);
}

void write_evil_records(const message_seeds& seeds) {
  auto short_a = address("10.0.0.1");
  short_a.rdata.pop_back();
  seeds.add("fault8_short_a", 0, {short_a, address("10.0.0.2")});
  seeds.add("fault35_duplicates", 0, {address("10.0.0.1"), address("10.0.0.1", 5)});
  auto chaos = address("10.0.0.1");
  chaos.class_number = 3;
  seeds.add("fault15_class", 0, {chaos, address("10.0.0.2")});
  seeds.add("fault25_ttl", 0, {address("10.0.0.1", 0x80000000), address("10.0.0.2", 0xffffffff)});
  seeds.add("fault29_alias_to_itself", 0, {make_cname_record(name, name)});
  seeds.add("fault29_alias_loop",
            2,
            {make_cname_record(name, "b.test"), make_cname_record("b.test", name)});
  seeds.add("fault31_two_aliases",
            0,
            {make_cname_record(name, "b.test"), make_cname_record(name, "c.test")});
  seeds.add("fault33_other_owner", 0, {moved(address("10.6.6.6"), "evil.test")});
  seeds.add("fault34_other_types", 0, {address("2001:db8::1"), service("n.test")});
  for (const std::size_t size : {0U, 1U, 5U, 6U, 7U, 9U}) {
    auto cut = service("n.test");
    cut.rdata.resize(size);
    seeds.add("srv_data_of_" + std::to_string(size), 2, {cut, service("m.test")});
  }
  auto longer = service("n.test");
  longer.rdata.push_back(0);
  seeds.add("srv_data_too_long", 2, {longer});
  auto odd = service("n.test");
  odd.rdata.resize(6);
  odd.rdata.insert(odd.rdata.end(), {4, 'a', '.', 0, 0xff, 3, ':', ':', '1', 0});
  seeds.add("srv_odd_bytes", 2, {odd});
}

void write_evil_pointers(const message_seeds& seeds) {
  packet p;
  p.name = name;
  p.answer_count = 1;
  const auto at = static_cast<std::uint8_t>(p.bytes().size());
  const std::pair<const char*, int> places[] = {
      {"itself", at}, {"forward", at + 12}, {"past_the_end", 0xff}, {"header", 0}};
  for (const auto& [title, to] : places) {
    p.tail = {0xc0, static_cast<std::uint8_t>(to), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 0xc0, at, 0, 1};
    seeds.add(std::string("fault5_pointer_to_") + title, 0, p);
  }
  packet srv;
  srv.name = name;
  auto looping = service("n.test");
  looping.rdata.resize(6);
  looping.rdata.insert(looping.rdata.end(), {0xc0, static_cast<std::uint8_t>(at + 26)});
  srv.answers = {looping};
  seeds.add("fault5_srv_target_to_itself", 2, srv);
  looping.rdata.back() = 12;
  seeds.add("srv_target_compressed", 2, {looping});
}

void write_huge(const message_seeds& seeds) {
  packet p;
  p.name = name;
  std::size_t last = 0;
  packet::put(p.tail, pointer_trap(p, last));
  p.answer_count = 2901;
  for (int i = 0; i < 2900; ++i) {
    put16(p.tail, 0xc000 | last);
    packet::append(p.tail, {0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1});
  }
  seeds.add("fault6_pointer_chain_64k", 0, p);
  packet many;
  many.name = name;
  many.type = 33;
  many.answer_count = 0;
  // 64 kB of records whose owner and target are pointers to the question's name.
  while (many.bytes().size() + 20 <= 65535) {
    packet::append(many.tail, {0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 9, 0, 8, 0, 1, 0, 2});
    put16(many.tail, static_cast<std::size_t>(1 + many.answer_count++));
    packet::append(many.tail, {0xc0, 12});
  }
  seeds.add("fault56_srv_64k", 2, many);
}

// --- fuzz_srv: lists of records, as it describes them -------------------------------------------

class record_list {
 public:
  record_list& add(std::uint8_t flags, srv_data data, std::uint8_t ttl, bool raw_label = false) {
    bytes_.push_back(flags);
    for (const auto v : {data.port, data.priority, data.weight}) put16(bytes_, v);
    bytes_.push_back(ttl);
    if (raw_label) {
      bytes_.push_back(static_cast<std::uint8_t>(data.target.size()));
      bytes_.insert(bytes_.end(), data.target.begin(), data.target.end());
      bytes_.push_back(0);
    } else {
      packet::append(bytes_, redial::testing::detail::encode_name(data.target));
    }
    return *this;
  }
  [[nodiscard]] const dns_bytes& bytes() const { return bytes_; }

 private:
  dns_bytes bytes_;
};

void write_record_lists(const fs::path& folder) {
  fs::create_directories(folder);
  const auto put = [&](const char* title, const record_list& list) {
    write(folder / title, list.bytes());
  };
  put("one", record_list().add(0, {1, 2, 80, "n1.test"}, 60));
  put("fault48_no_service", record_list().add(0, {0, 0, 0, "."}, 30));
  put("fault48_among_others",
      record_list().add(0, {0, 0, 0, "."}, 30).add(0, {0, 0, 80, "n.test"}, 30));
  put("fault53_literals",
      record_list()
          .add(0, {0, 0, 80, "10.0.0.1"}, 30)
          .add(0, {0, 0, 80, "::1"}, 30)
          .add(0, {0, 0, 80, "1.2.3"}, 30)
          .add(0, {0, 0, 80, "10.0.0.1"}, 30, true));
  put("fault54_port_zero",
      record_list().add(0, {0, 0, 0, "n.test"}, 1).add(0, {0, 0, 1, "n.test"}, 2));
  put("repeated",
      record_list()
          .add(0, {1, 5, 80, "n.test"}, 3)
          .add(2, {1, 7, 80, "N.test"}, 2)
          .add(0, {0, 1, 80, "n.TEST"}, 4)
          .add(0, {0, 9, 80, "n.test"}, 4)
          .add(0, {0, 0, 81, "n.test"}, 9));
  put("other_owner", record_list().add(1, {0, 0, 80, "n.test"}, 1).add(0, {0, 0, 80, "m.test"}, 2));
  put("special_names",
      record_list()
          .add(0, {0, 0, 80, "localhost"}, 1)
          .add(0, {0, 0, 80, "a.onion"}, 1)
          .add(0, {0, 0, 80, "_x.-y.1z"}, 1)
          .add(0, {0, 0, 80, std::string("a.b\0@\xff", 6)}, 1, true));
  const std::string label(63, 'x');
  put("longest_name",
      record_list().add(
          0, {0, 0, 80, label + '.' + label + '.' + label + '.' + std::string(61, 'y')}, 1));
  record_list many;
  for (int i = 0; i < 60; ++i) many.add(0, {0, 1, 80, "n" + std::to_string(i) + ".test"}, 9);
  put("fault56_sixty", many);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s <corpus folder>\n", arguments[0]);
    return 2;
  }
  try {
    const fs::path corpus = arguments[1];
    const message_seeds messages(corpus / "answer_check");
    write_good(messages);
    write_evil_counts(messages);
    write_evil_records(messages);
    write_evil_pointers(messages);
    write_huge(messages);
    write_record_lists(corpus / "srv");
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
