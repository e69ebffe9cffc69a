// SPDX-License-Identifier: Apache-2.0
//
// Well-formed messages whose records say odd things: TTLs, aliases, owners, too many, in any order.
#include "fault_row.hpp"
#include "fault_world.hpp"
#include "wire.hpp"

#include <algorithm>
#include <set>

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr record_type families[] = {record_type::a, record_type::aaaa};

// One family, no caps and floors in the way of what DNS said.
struct one_family : fault_world {
  one_family() {
    options.watch.ipv6 = false;
    options.watch.ttl_floor = 1s;
    options.watch.ttl_cap = 1h;
  }
  // The TTL of the first answer.
  std::chrono::seconds ttl_of(const std::string& name, std::vector<dns_record> records) {
    dns.set_records(name, record_type::a, std::move(records));
    auto& v = watch("tcp://" + name + ":80");
    EXPECT_TRUE(v.becomes({"127.0.0.2:80"}));
    return answers->last(name, record_type::a).value_or(answer{}).ttl;
  }
};

dns_record a_record(const std::string& name, const std::string& where, std::uint32_t ttl = 1) {
  return make_address_record(name, ip(where), ttl);
}

// An answer of this TTL is used and asked for again `floor` later, never sooner.
void expect_floor(fault_world& w, std::uint32_t ttl) {
  constexpr duration floor = 100ms;
  w.options.watch.ipv6 = false;
  w.options.watch.ttl_floor = floor;
  w.options.watch.ttl_cap = 10s;
  w.dns.set_records("api.test", record_type::a, {a_record("api.test", "127.0.0.2", ttl)});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  EXPECT_EQ(v.now().state, freshness::fresh);
  ASSERT_TRUE(w.more_answers(4));
  const auto& all = w.answers->all;
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i].what.ttl, 0s);
    EXPECT_GE(all[i].at - all[i - 1].at, floor);
  }
}

void ttl_zero() {
  fault_world w;
  expect_floor(w, 0);
}

void ttl_huge() {
  fault_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.ttl_floor = 1s;
  w.options.watch.ttl_cap = 10s;  // the default
  w.dns.set_records("api.test", record_type::a, {a_record("api.test", "127.0.0.2", 0x7fffffff)});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  EXPECT_EQ(w.answers->all.front().what.ttl, 2147483647s);
  EXPECT_LE(v.now().fresh_until, clock::now() + 10s);
  EXPECT_GT(v.now().fresh_until, w.answers->all.front().at + 9s);
  const auto e = w.explain();
  ASSERT_THAT(e.sets, SizeIs(1));
  EXPECT_LE(e.sets[0].next_refresh, e.now + 10s);

  // And with a short cap the next answer is there soon.
  fault_world quick;
  quick.dns.set_records(
      "api.test", record_type::a, {a_record("api.test", "127.0.0.2", 0x7fffffff)});
  auto& q = quick.watch();
  ASSERT_TRUE(q.becomes({"127.0.0.2:80"}));
  quick.dns.set("api.test", record_type::a, {"127.0.0.3"});
  EXPECT_TRUE(q.becomes({"127.0.0.3:80"}));
}

void ttl_top_bit() {
  for (const std::uint32_t ttl : {0x80000000U, 0xffffffffU}) {
    fault_world w;
    expect_floor(w, ttl);
  }
}

void ttls_differ() {
  one_family w;
  EXPECT_EQ(w.ttl_of("api.test",
                     {a_record("api.test", "127.0.0.2", 300),
                      a_record("api.test", "0.0.0.0", 200),  // dropped, but of the set
                      a_record("api.test", "127.0.0.2", 7)}),
            7s);
}

void chain_minimum() {
  one_family w;
  const time_point asked = clock::now();
  EXPECT_EQ(w.ttl_of("www.test",
                     {make_cname_record("www.test", "middle.test", 200),
                      make_cname_record("middle.test", "end.test", 3),
                      a_record("end.test", "127.0.0.2", 300)}),
            3s);
  const auto e = w.explain("tcp://www.test:80");
  ASSERT_THAT(e.sets, SizeIs(1));
  EXPECT_LE(e.sets[0].fresh_until, clock::now() + 3s);
  EXPECT_GE(e.sets[0].fresh_until, asked + 3s);
}

void chain_reversed() {
  one_family w;
  EXPECT_EQ(w.ttl_of("www.test",
                     {a_record("end.test", "127.0.0.2", 300),
                      make_cname_record("middle.test", "end.test", 100),
                      make_cname_record("www.test", "middle.test", 200)}),
            100s);
}

void set_both(dns_server& dns, const std::vector<dns_record>& records) {
  for (const auto type : families) dns.set_records("api.test", type, records);
}

void alias_loop() {
  const auto fails = [](const std::vector<dns_record>& records) {
    soft_fault fault([&](dns_server& dns) { set_both(dns, records); });
    fault.end = set_good;
    fault.at_once = true;
    expect_soft_failure(fault);
  };
  fails({make_cname_record("api.test", "api.test")});
  fails({make_cname_record("api.test", "b.test"), make_cname_record("b.test", "api.test")});
  // A chain of 16 is followed, a longer one is not.
  std::vector<dns_record> chain{make_cname_record("api.test", "n1.test")};
  for (int i = 1; i < 16; ++i) {
    chain.push_back(make_cname_record("n" + std::to_string(i) + ".test",
                                      "n" + std::to_string(i + 1) + ".test"));
  }
  auto longer = chain;
  chain.push_back(a_record("n16.test", "127.0.0.2"));
  longer.push_back(make_cname_record("n16.test", "n17.test"));
  longer.push_back(a_record("n17.test", "127.6.6.6"));
  fails(longer);
  one_family w;
  EXPECT_EQ(w.ttl_of("api.test", chain), 1s);
  EXPECT_EQ(w.dns.queries(), w.dns.queries("api.test")) << "nobody walks from here";
}

void alias_without_target() {
  fault_world cold;
  set_both(cold.dns, {make_cname_record("api.test", "gone.test", 1)});
  auto& v = cold.watch();
  ASSERT_TRUE(cold.wait([&] { return !v.seen.empty(); }));
  EXPECT_EQ(v.now().error, errc::no_data);
  EXPECT_TRUE(v.now().definite);
  EXPECT_EQ(cold.dns.queries("gone.test"), 0u);
  set_good(cold.dns);
  EXPECT_TRUE(v.becomes(good_endpoints));

  set_both(cold.dns, {make_cname_record("api.test", "gone.test", 1)});
  ASSERT_TRUE(cold.more_answers(4));
  EXPECT_EQ(v.endpoints(), good_endpoints);
  EXPECT_TRUE(v.now().error);
}

void two_aliases() {
  fault_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_records("api.test",
                    record_type::a,
                    {make_cname_record("api.test", "one.test", 1),
                     make_cname_record("api.test", "two.test", 1),
                     a_record("one.test", "127.0.0.2"),
                     a_record("two.test", "127.0.0.3")});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(w.more_answers(3));
  v.expect_only({"127.0.0.2:80"});
  // Each leads back to the other: this must only end.
  soft_fault fault([](dns_server& dns) {
    set_both(dns,
             {make_cname_record("api.test", "one.test"),
              make_cname_record("api.test", "two.test"),
              make_cname_record("one.test", "two.test"),
              make_cname_record("two.test", "one.test")});
  });
  fault.end = set_good;
  fault.at_once = true;
  expect_soft_failure(fault);
}

void other_types() {
  fault_world w;
  w.options.watch.ipv6 = false;
  std::vector<dns_record> mixed;
  for (const unsigned type : {39U, 16U, 46U, 2U, 15U, 65280U}) {  // DNAME, TXT, RRSIG, NS, MX
    dns_record r;
    r.name = "api.test";
    r.type = static_cast<std::uint16_t>(type);
    r.ttl = 1;
    r.rdata = detail::encode_name("else.test");
    if (type == 15) r.rdata.insert(r.rdata.begin(), {0, 10});
    mixed.push_back(r);
  }
  mixed.insert(mixed.begin() + 3, a_record("api.test", "127.0.0.2"));
  w.dns.set_records("api.test", record_type::a, mixed);
  auto& v = w.watch();
  EXPECT_TRUE(v.becomes({"127.0.0.2:80"}));
  v.expect_only({"127.0.0.2:80"});
}

// Neither beside the right records nor alone.
void expect_ignored(const std::function<dns_record(record_type)>& stranger) {
  fault_world w;
  const auto right = [](record_type type) {
    return a_record("api.test", type == record_type::a ? "127.0.0.2" : "fd00::2");
  };
  for (const auto type : families) {
    w.dns.set_records("api.test", type, {stranger(type), right(type), stranger(type)});
  }
  auto& v = w.watch();
  const texts both{"127.0.0.2:80", "[fd00::2]:80"};
  ASSERT_TRUE(v.becomes(both));
  for (const auto type : families) w.dns.set_records("api.test", type, {stranger(type)});
  const auto from = w.answers->all.size();
  ASSERT_TRUE(w.wait([&] { return w.answers->all.size() >= from + 6; }));
  EXPECT_EQ(v.endpoints(), both);
  v.expect_only(both);

  fault_world cold;
  for (const auto type : families) cold.dns.set_records("api.test", type, {stranger(type)});
  auto& c = cold.watch();
  ASSERT_TRUE(cold.wait([&] { return !c.seen.empty(); }));
  c.expect_only({});
}

void stranger_owner() {
  expect_ignored([](record_type type) {
    return make_address_record("evil.test", evil(static_cast<std::uint16_t>(type)), 1);
  });
}

void other_family() {
  expect_ignored([](record_type type) {
    return make_address_record("api.test", evil(type == record_type::a ? 28 : 1), 1);
  });
}

void duplicate_addresses() {
  fault_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.2"});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80", "127.0.0.3:80"}));
  ASSERT_TRUE(w.more_answers(3));
  v.expect_always({"127.0.0.2:80", "127.0.0.3:80"});
}

texts many_addresses(int count, const std::string& prefix = "10.2.") {
  texts all;
  for (int i = 0; i < count; ++i) {
    all.push_back(prefix + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  return all;
}

void very_many_addresses() {
  fault_world w;
  w.options.watch.ttl_cap = 10s;
  w.dns.set("api.test", record_type::a, many_addresses(1000));
  auto& v = w.watch();
  ASSERT_TRUE(w.wait([&] { return !v.seen.empty() && !v.now().endpoints.empty(); }));
  EXPECT_THAT(v.endpoints(), SizeIs(1000));
  EXPECT_EQ(w.names()->counters().dropped_records, 0u);

  // 4000 + 1500: more than the default bound, which holds for both families together.
  fault_world over;
  over.options.watch.ttl_cap = 10s;
  over.options.watch.first_family_wait = 10s;
  over.dns.set("api.test", record_type::a, many_addresses(4000));
  texts v6;
  for (int i = 0; i < 1500; ++i) v6.push_back("fd00:7::" + std::to_string(i + 1));
  over.dns.set("api.test", record_type::aaaa, v6);
  auto& o = over.watch();
  ASSERT_TRUE(over.wait([&] { return !o.seen.empty(); }));
  EXPECT_THAT(o.endpoints(), SizeIs(4096));
  EXPECT_EQ(over.names()->counters().dropped_records, 4000u + 1500u - 4096u);

  // Which ones are left out depends on nothing but the set.
  std::set<texts> subsets;
  for (const auto order :
       {record_order::as_given, record_order::reversed, record_order::shuffled}) {
    fault_world bounded;
    bounded.options.watch.ipv6 = false;
    bounded.options.watch.ttl_cap = 10s;
    bounded.options.watch.max_endpoints = 100;
    bounded.dns.set("api.test", record_type::a, many_addresses(150));
    bounded.dns.order("api.test", record_type::a, order);
    auto& b = bounded.watch();
    ASSERT_TRUE(bounded.wait([&] { return !b.seen.empty(); }));
    subsets.insert(b.endpoints());
    EXPECT_EQ(bounded.names()->counters().dropped_records, 50u);
  }
  EXPECT_THAT(subsets, SizeIs(1));
}

void order_changes() {
  for (const int count : {2, 8, 20}) {
    fault_world w;
    w.options.watch.ipv6 = false;
    w.dns.set("api.test", record_type::a, many_addresses(count));
    w.dns.order("api.test", record_type::a, record_order::shuffled);
    auto& v = w.watch();
    ASSERT_TRUE(w.more_answers(10));
    EXPECT_EQ(v.deltas.front().added.size(), static_cast<std::size_t>(count));
    for (std::size_t i = 1; i < v.deltas.size(); ++i) EXPECT_TRUE(v.deltas[i].empty());
    EXPECT_FALSE(v.now().rotating);
  }
}

}  // namespace

std::vector<fault_row> record_rows() {
  return {
      {23, "ttl_zero", ttl_zero},
      {24, "ttl_of_68_years", ttl_huge},
      {25, "ttl_with_top_bit", ttl_top_bit},
      {26, "ttls_of_a_set_differ", ttls_differ},
      {27, "cname_chain_minimum", chain_minimum},
      {28, "cname_after_its_addresses", chain_reversed},
      {29, "cname_loop", alias_loop},
      {30, "cname_without_its_target", alias_without_target},
      {31, "two_cnames_of_one_owner", two_aliases},
      {32, "other_types_mixed_in", other_types},
      {33, "address_of_a_stranger", stranger_owner},
      {34, "address_of_the_other_family", other_family},
      {35, "duplicate_addresses", duplicate_addresses},
      {36, "thousands_of_addresses", very_many_addresses},
      {37, "order_changes", order_changes},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
