// SPDX-License-Identifier: Apache-2.0
//
// Messages that are broken or not for us. Whatever a broken one carries is an address that nobody
// must be told of.
#include "allocations.hpp"
#include "cares_kind.hpp"
#include "fault_row.hpp"
#include "fault_world.hpp"
#include "support/temp_dir.hpp"
#include "wire.hpp"

#include <algorithm>
#include <cctype>

namespace redial::inline REDIAL_ABI::testing {
namespace {

dns_manner manner_of(dns_defect defect, bool right_one_follows = false) {
  dns_manner m;
  m.defect = defect;
  m.right_one_follows = right_one_follows;
  return m;
}

// Every question gets the faulty response and then the right one: nobody notices.
void expect_no_effect(const dns_manner& m) {
  fault_world w;
  set_good(w.dns);
  w.dns.behave("api.test", m);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  ASSERT_TRUE(w.more_answers(5));
  v.expect_only(good_endpoints);
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  EXPECT_EQ(w.answers->failures(record_type::aaaa), 0u);
}

// c-ares takes such a response for the answer, so the question ends there and cannot wait for the
// right one. What counts: it is not believed, it is no statement about the name, and the question
// is asked again, which finds the right answer.
void expect_dropped_by_us(dns_defect defect) {
  expect_soft_failure(manner_of(defect));
  SCOPED_TRACE("only the first response, then the right one");
  fault_world w;
  set_good(w.dns);
  for (const auto type : {record_type::a, record_type::aaaa}) {
    w.dns.raw("api.test", type, [&w, defect, type](const dns_bytes& query) {
      auto m = evil_response(query);
      detail::apply_defect(m, question_of(query).question_end, defect);
      w.dns.raw("api.test", type, nullptr);
      return m;
    });
  }
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  v.expect_only(good_endpoints);
}

void short_reply() {
  std::vector<spoiler> ways;
  for (const std::size_t size : {1U, 2U, 3U, 5U, 11U}) {
    ways.push_back([size](dns_bytes& m, std::size_t) { m.resize(size); });
  }
  expect_soft_failure(in_turn(std::move(ways)), 5);
}

void empty_datagram() {
  if (newer_cares) {
    // It closes the socket, with the right response still in it: a try is lost, the question not.
    fault_world w;
    set_good(w.dns);
    w.dns.behave("api.test", manner_of(dns_defect::empty, true));
    auto& v = w.watch();
    ASSERT_TRUE(w.wait([&] {
      return w.dns.queries("api.test", record_type::a) > 0 &&
             w.dns.queries("api.test", record_type::aaaa) > 0;
    }));
    w.dns.behave("api.test", dns_manner{});
    ASSERT_TRUE(v.becomes(good_endpoints));
    EXPECT_EQ(w.answers->failures(record_type::a), 0u);
    EXPECT_EQ(w.answers->failures(record_type::aaaa), 0u);
  } else {
    expect_no_effect(manner_of(dns_defect::empty, true));
  }
  expect_soft_failure(manner_of(dns_defect::empty));
}

void header_only() {
  expect_soft_failure(in_turn({
      [](dns_bytes& m, std::size_t) { m.resize(12); },
      [](dns_bytes& m, std::size_t) {
        m.resize(12);
        put16(m, 4, 0);  // no question either
      },
      [](dns_bytes& m, std::size_t records) { m.resize(records); },
      [](dns_bytes& m, std::size_t records) {
        m.resize(records);
        put16(m, 6, 0);
        put16(m, 8, 3);
        put16(m, 10, 7);
      },
  }));
}

void lying_count() {
  const largest_allocation largest;
  expect_soft_failure(in_turn({
      [](dns_bytes& m, std::size_t) { put16(m, 6, 0xffff); },
      [](dns_bytes& m, std::size_t) {
        for (const std::size_t count : {6U, 8U, 10U}) put16(m, count, 0xffff);
      },
  }));
  EXPECT_LT(largest.bytes(), 1U << 20);
}

void pointer_loops() {
  const auto owner_at = [](std::size_t offset) {
    return [offset](dns_bytes& m, std::size_t records) { put16(m, records, 0xc000 + offset); };
  };
  expect_soft_failure(
      in_turn({
          [](dns_bytes& m, std::size_t records) { put16(m, records, 0xc000 + records); },
          // Forward, to another record's pointer, which comes back.
          [](dns_bytes& m, std::size_t records) {
            const dns_bytes record(m.begin() + static_cast<std::ptrdiff_t>(records), m.end());
            m.insert(m.end(), record.begin(), record.end());
            put16(m, 6, 2);
            put16(m, records, 0xc000 + records + record.size());
            put16(m, records + record.size(), 0xc000 + records);
          },
          // Forward, to where the right name is.
          [](dns_bytes& m, std::size_t records) {
            put16(m, records, 0xc000 + m.size());
            const dns_bytes name(m.begin() + 12, m.begin() + static_cast<std::ptrdiff_t>(records));
            m.insert(m.end(), name.begin(), name.end() - 4);
          },
          // A label, then a pointer to it: a name without an end.
          [](dns_bytes& m, std::size_t records) {
            m.insert(m.begin() + static_cast<std::ptrdiff_t>(records), {1, 'x'});
            put16(m, records + 2, 0xc000 + records);
          },
          [](dns_bytes& m, std::size_t) { put16(m, 12, 0xc00c); },  // the question's name
          owner_at(0x3fff),
          owner_at(0),
      }),
      7);
}

// A record of an unknown type holds a chain of pointers whose far end is the right name; the owner
// of every other record is a pointer to its near end.
dns_bytes pointer_chain(const dns_bytes& query, std::size_t hops, std::size_t records) {
  const auto q = question_of(query);
  dns_record unknown;
  unknown.name = q.name;
  unknown.type = 65280;
  auto m = respond(query, {unknown});
  put16(m, 6, 1 + records);
  put16(m, m.size() - 2, 2 * hops);
  append16(m, 0xc00c);
  for (std::size_t i = 1; i < hops; ++i) append16(m, 0xc000 + m.size() - 2);
  const auto near = m.size() - 2;
  const auto evil_one = evil_response(query);
  for (std::size_t i = 0; i < records; ++i) {
    append16(m, 0xc000 + near);
    m.insert(m.end(),
             evil_one.begin() + static_cast<std::ptrdiff_t>(after_first_owner(query)),
             evil_one.end());
  }
  return m;
}

// Bounded work: a chain that long is refused before it is followed. If it were followed it would
// lead to the right name, and the evil address would be believed. A c-ares that follows it itself
// hands on what it found there, which is no lie; then only the end of the question counts.
void pointer_chains() {
  const temp_dir dir;
  const auto n = std::make_shared<std::atomic<int>>(0);
  const auto hook = [n](const dns_bytes& query) {
    return n->fetch_add(1) % 2 == 0 ? pointer_chain(query, 8000, 1500)
                                    : pointer_chain(query, 200, 1);
  };
  // Over TCP, which takes 64 kB.
  const auto over_tcp = [&dir](discovery_options& o) {
    o.resolv_conf = dir.write("resolv.conf", "nameserver " + o.nameservers[0] + "\noptions use-vc");
    o.nameservers.clear();
  };
  if (newer_cares) {
    fault_world w;
    over_tcp(w.options);
    for (const auto type : {record_type::a, record_type::aaaa}) w.dns.raw("api.test", type, hook);
    auto& v = w.watch();
    ASSERT_TRUE(w.more_answers(4));
    v.expect_only({"127.6.6.6:80", "[fd00:6::6]:80"});
    EXPECT_LT(w.turns, 3000u);
    return;
  }
  soft_fault fault([&](dns_server& dns) {
    for (const auto type : {record_type::a, record_type::aaaa}) dns.raw("api.test", type, hook);
  });
  fault.prepare = over_tcp;
  fault.query_timeout = 5s;
  const auto cost = expect_soft_failure(fault);
  EXPECT_LT(cost.turns, 3000u);
}

void length_past_the_end() {
  const auto set_length = [](dns_bytes& m, std::size_t records, std::size_t length) {
    put16(m, records + 10, length);
  };
  expect_soft_failure(in_turn({
      [=](dns_bytes& m, std::size_t records) { set_length(m, records, 0xffff); },
      [=](dns_bytes& m, std::size_t records) { set_length(m, records, m.size()); },
      [=](dns_bytes& m, std::size_t records) { set_length(m, records, m.size() - records - 11); },
      [](dns_bytes& m, std::size_t) { m.pop_back(); },
  }));
}

// One c-ares hands the message on, and we drop the record; another refuses the message, and the
// last good addresses stay. Both leave the same.
void short_address() {
  for (const auto type : {record_type::a, record_type::aaaa}) {
    const texts good{type == record_type::a ? "127.0.0.2:80" : "[fd00::2]:80"};
    const auto where = ip(type == record_type::a ? "127.0.0.2" : "fd00::2");
    fault_world w(200ms);
    (type == record_type::a ? w.options.watch.ipv6 : w.options.watch.ipv4) = false;
    w.dns.set("api.test", type, {where.to_string()}, 1s);
    auto& v = w.watch();
    ASSERT_TRUE(v.becomes(good));
    for (const bool with_a_good_one : {true, false}) {
      auto cut = make_address_record("api.test", evil(static_cast<std::uint16_t>(type)), 1);
      cut.rdata.pop_back();
      std::vector<dns_record> records{cut};
      if (with_a_good_one) records.push_back(make_address_record("api.test", where, 1));
      w.dns.set_records("api.test", type, records);
      const auto from = w.answers->all.size();
      ASSERT_TRUE(w.wait([&] { return w.answers->all.size() >= from + 5; }));
      v.expect_always(good);
    }
    w.dns.set("api.test", type, {type == record_type::a ? "127.0.0.4" : "fd00::4"}, 1s);
    EXPECT_TRUE(v.becomes({type == record_type::a ? "127.0.0.4:80" : "[fd00::4]:80"}));
  }
}

void wrong_id() {
  expect_no_effect(manner_of(dns_defect::wrong_id, true));
  expect_soft_failure(manner_of(dns_defect::wrong_id));
}

void wrong_question() {
  for (const auto defect : {dns_defect::wrong_name, dns_defect::wrong_type}) {
    expect_no_effect(manner_of(defect, true));
    expect_soft_failure(manner_of(defect));
  }
}

void no_question() { expect_soft_failure(manner_of(dns_defect::no_question)); }
void not_a_response() { expect_dropped_by_us(dns_defect::not_a_response); }
void wrong_opcode() { expect_dropped_by_us(dns_defect::wrong_opcode); }

void trailing_bytes() {
  for (const std::size_t size : {1U, 11U, 400U}) {
    dns_manner m;
    m.trailing = size;
    expect_no_effect(m);
    m.truncate = true;  // the same over TCP
    expect_no_effect(m);
  }
}

void wrong_class() {
  fault_world w;
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  for (const auto type : {record_type::a, record_type::aaaa}) {
    auto chaos = make_address_record("api.test", evil(static_cast<std::uint16_t>(type)), 1);
    chaos.class_number = 3;
    const auto right = ip(type == record_type::a ? "127.0.0.4" : "fd00::4");
    w.dns.set_records("api.test", type, {chaos, make_address_record("api.test", right, 1)});
  }
  ASSERT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::4]:80"}));
  // Nothing but the wrong class: as if there were nothing.
  for (const auto type : {record_type::a, record_type::aaaa}) {
    auto chaos = make_address_record("api.test", evil(static_cast<std::uint16_t>(type)), 1);
    chaos.class_number = 3;
    w.dns.set_records("api.test", type, {chaos});
  }
  const auto from = w.answers->all.size();
  ASSERT_TRUE(w.wait([&] { return w.answers->all.size() >= from + 6; }));
  EXPECT_EQ(v.endpoints(), (texts{"127.0.0.4:80", "[fd00::4]:80"}));
  v.expect_only({"127.0.0.2:80", "127.0.0.3:80", "[fd00::2]:80", "127.0.0.4:80", "[fd00::4]:80"});
}

void other_case() {
  fault_world w;
  const auto shout = [](const dns_bytes& query) {
    const auto q = question_of(query);
    auto m = respond(query, {make_address_record("API.Test", evil(q.type), 1)});
    // Question and owner, which is a pointer to it.
    for (std::size_t i = 12; i < q.question_end - 4; ++i) {
      m[i] = static_cast<std::uint8_t>(std::toupper(m[i]));
    }
    return m;
  };
  w.dns.raw("api.test", record_type::a, shout);
  w.dns.raw("api.test", record_type::aaaa, shout);
  auto& v = w.watch("tcp://aPi.teSt:80");
  EXPECT_TRUE(v.becomes({"127.6.6.6:80", "[fd00:6::6]:80"}));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  EXPECT_EQ(v.now().name, "api.test");
}

void large_replies() {
  texts all;
  for (int i = 0; i < 4000; ++i) {
    all.push_back("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  const auto watch_many = [&](std::size_t count, bool over_udp) {
    fault_world w;
    w.options.watch.ipv6 = false;
    w.options.watch.ttl_cap = 10s;
    w.dns.set("api.test", record_type::a, {all.begin(), all.begin() + static_cast<int>(count)});
    dns_manner m;
    m.oversize = over_udp;
    w.dns.behave("api.test", m);
    auto& v = w.watch();
    ASSERT_TRUE(w.wait([&] { return !v.seen.empty(); }));
    EXPECT_THAT(v.endpoints(), SizeIs(count));
    EXPECT_EQ(w.answers->failures(record_type::a), 0u);
    EXPECT_TRUE(over_udp || w.dns.log().back().tcp);
  };
  // 1.6 kB in one datagram, whatever we announced: c-ares may ask again over TCP.
  watch_many(100, true);
  watch_many(4000, false);  // 64 kB
}

dns_manner truncated() {
  dns_manner m;
  m.truncate = true;
  return m;
}

void truncated_answer() {
  fault_world w;
  w.options.watch.first_family_wait = 10s;
  set_good(w.dns);
  w.dns.behave("api.test", truncated());
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  ASSERT_TRUE(w.more_answers(3));
  v.expect_always(good_endpoints);
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  const auto log = w.dns.log();
  EXPECT_GE(std::count_if(log.begin(), log.end(), [](const dns_query& q) { return q.tcp; }), 4);
}

// What a truncated answer has is different from what is known: using it would show.
soft_fault tcp_fault(tcp_manner how) {
  return soft_fault([how](dns_server& dns) {
    dns.set("api.test", record_type::a, {"127.6.6.6", "127.6.6.7"}, 1s);
    dns.set("api.test", record_type::aaaa, {"fd00:6::6", "fd00:6::7"}, 1s);
    dns.behave("api.test", truncated());
    dns.tcp(how);
  });
}

void tcp_refused() {
  auto fault = tcp_fault(tcp_manner::refuse);
  fault.end = set_good;
  fault.at_once = true;
  expect_soft_failure(fault);
}

void tcp_mute() {
  auto fault = tcp_fault(tcp_manner::mute);
  fault.end = set_good;
  expect_soft_failure(fault);
}

// A loop on a connection that is at its end would run handlers without any progress.
void tcp_cut() {
  auto fault = tcp_fault(tcp_manner::cut);
  fault.end = set_good;
  fault.query_timeout = 1s;
  const auto cost = expect_soft_failure(fault);
  EXPECT_LT(cost.turns, 500 + 200 * cost.failures);
}

void tcp_drip() {
  fault_world w;
  set_good(w.dns);
  w.dns.behave("api.test", truncated());
  w.dns.tcp(tcp_manner::drip);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
}

}  // namespace

std::vector<fault_row> message_rows() {
  return {
      {1, "reply_shorter_than_a_header", short_reply},
      {2, "empty_datagram", empty_datagram, "costs c-ares 1.34 a try"},
      {3, "header_only", header_only},
      {4, "count_65535_with_one_record", lying_count},
      {5, "pointer_loops", pointer_loops},
      {6, "pointer_chain_of_thousands", pointer_chains, "c-ares 1.34 follows the chain itself"},
      {7, "record_length_past_the_end", length_past_the_end},
      {8, "address_of_the_wrong_size", short_address},
      {9, "wrong_transaction_id", wrong_id},
      {10, "wrong_question", wrong_question},
      {11, "no_question", no_question},
      {12,
       "query_bit_instead_of_response",
       not_a_response,
       "c-ares takes it for the answer: the question ends and is asked again after the backoff"},
      {13,
       "opcode_not_query",
       wrong_opcode,
       "c-ares takes it for the answer: the question ends and is asked again after the backoff"},
      {14, "trailing_bytes", trailing_bytes},
      {15, "class_not_in", wrong_class},
      {16, "case_differs", other_case},
      {17, "replies_up_to_64_kb", large_replies},
      {18, "truncated_then_tcp", truncated_answer},
      {19, "truncated_and_tcp_refused", tcp_refused},
      {20, "truncated_and_tcp_mute", tcp_mute},
      {21, "tcp_reply_cut_in_the_middle", tcp_cut},
      {22, "tcp_byte_by_byte", tcp_drip},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
