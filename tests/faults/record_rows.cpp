// SPDX-License-Identifier: Apache-2.0
//
// Well-formed messages whose records say odd things: TTLs, aliases, addresses, nothing at all.
#include "fault_row.hpp"
#include "fault_world.hpp"
#include "wire.hpp"

#include <algorithm>
#include <set>

namespace redial::testing {
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
  return address_record(name, ip(where), ttl);
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
  EXPECT_EQ(w.ttl_of("www.test",
                     {cname_record("www.test", "middle.test", 200),
                      cname_record("middle.test", "end.test", 3),
                      a_record("end.test", "127.0.0.2", 300)}),
            3s);
  EXPECT_LE(w.answers->all.front().at + 2s, clock::now() + 3s);
}

void chain_reversed() {
  one_family w;
  EXPECT_EQ(w.ttl_of("www.test",
                     {a_record("end.test", "127.0.0.2", 300),
                      cname_record("middle.test", "end.test", 100),
                      cname_record("www.test", "middle.test", 200)}),
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
  fails({cname_record("api.test", "api.test")});
  fails({cname_record("api.test", "b.test"), cname_record("b.test", "api.test")});
  // A chain of 16 is followed, a longer one is not.
  std::vector<dns_record> chain{cname_record("api.test", "n1.test")};
  for (int i = 1; i < 16; ++i) {
    chain.push_back(
        cname_record("n" + std::to_string(i) + ".test", "n" + std::to_string(i + 1) + ".test"));
  }
  auto longer = chain;
  chain.push_back(a_record("n16.test", "127.0.0.2"));
  longer.push_back(cname_record("n16.test", "n17.test"));
  longer.push_back(a_record("n17.test", "127.6.6.6"));
  fails(longer);
  one_family w;
  EXPECT_EQ(w.ttl_of("api.test", chain), 1s);
  EXPECT_EQ(w.dns.queries(), w.dns.queries("api.test")) << "nobody walks from here";
}

void alias_without_target() {
  fault_world cold;
  set_both(cold.dns, {cname_record("api.test", "gone.test", 1)});
  auto& v = cold.watch();
  ASSERT_TRUE(cold.wait([&] { return !v.seen.empty(); }));
  EXPECT_EQ(v.now().error, errc::no_data);
  EXPECT_TRUE(v.now().definite);
  EXPECT_EQ(cold.dns.queries("gone.test"), 0u);
  set_good(cold.dns);
  EXPECT_TRUE(v.becomes(good_endpoints));

  set_both(cold.dns, {cname_record("api.test", "gone.test", 1)});
  ASSERT_TRUE(cold.more_answers(4));
  EXPECT_EQ(v.endpoints(), good_endpoints);
  EXPECT_TRUE(v.now().error);
}

void two_aliases() {
  fault_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_records("api.test",
                    record_type::a,
                    {cname_record("api.test", "one.test", 1),
                     cname_record("api.test", "two.test", 1),
                     a_record("one.test", "127.0.0.2"),
                     a_record("two.test", "127.0.0.3")});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(w.more_answers(3));
  v.expect_only({"127.0.0.2:80"});
  // Each leads back to the other: this must only end.
  soft_fault fault([](dns_server& dns) {
    set_both(dns,
             {cname_record("api.test", "one.test"),
              cname_record("api.test", "two.test"),
              cname_record("one.test", "two.test"),
              cname_record("two.test", "one.test")});
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
    return address_record("evil.test", evil(static_cast<std::uint16_t>(type)), 1);
  });
}

void other_family() {
  expect_ignored([](record_type type) {
    return address_record("api.test", evil(type == record_type::a ? 28 : 1), 1);
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

void nodata() {
  fault_world w;
  w.options.watch.ttl_cap = 10s;
  w.options.watch.ttl_floor = 1s;
  for (const auto type : families) w.dns.set("api.test", type, {});
  w.dns.set_soa("test", 900s, 7s);
  auto& v = w.watch();
  ASSERT_TRUE(w.wait([&] { return !v.seen.empty(); }));
  EXPECT_EQ(v.now().error, errc::no_data);
  EXPECT_TRUE(v.now().definite);
  EXPECT_EQ(w.answers->all[0].what.ttl, 7s);
  for (const auto& set : w.explain().sets) EXPECT_LE(set.next_refresh, clock::now() + 7700ms);

  // However long the negative TTL is: no longer than the cap.
  fault_world capped;
  for (const auto type : families) capped.dns.set("api.test", type, {});
  capped.dns.set_soa("test", 86400s, 86400s);
  auto& c = capped.watch();
  ASSERT_TRUE(capped.more_answers(2));
  EXPECT_EQ(capped.answers->all[0].what.ttl, 86400s);
  set_good(capped.dns);
  EXPECT_TRUE(c.becomes(good_endpoints));
}

void nxdomain() {
  fault_world cold;
  auto& c = cold.watch();
  ASSERT_TRUE(cold.wait([&] { return !c.seen.empty(); }));
  EXPECT_EQ(c.now().error, errc::name_not_found);
  EXPECT_TRUE(c.now().definite);
  set_good(cold.dns);
  EXPECT_TRUE(c.becomes(good_endpoints));

  // Kept, then doubted, then gone; and all of it forgotten when the name is back.
  fault_world w;
  w.options.watch.absence_window = 200ms;
  w.options.watch.stale_limit = 600ms;
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  w.dns.fail("api.test", rcode::nxdomain);
  ASSERT_TRUE(w.wait([&] { return v.now().error == errc::name_not_found; }));
  EXPECT_EQ(v.endpoints(), good_endpoints);
  EXPECT_FALSE(v.now().endpoints[0].doubted);
  ASSERT_TRUE(w.wait([&] { return v.now().endpoints.empty() || v.now().endpoints[0].doubted; }));
  EXPECT_EQ(v.endpoints(), good_endpoints) << "doubted before it is gone";
  ASSERT_TRUE(v.becomes({}));
  EXPECT_EQ(v.now().error, errc::name_gone);
  EXPECT_TRUE(v.now().definite);
  set_good(w.dns);
  ASSERT_TRUE(v.becomes(good_endpoints));
  EXPECT_FALSE(v.now().endpoints[0].doubted);

  fault_world believer;
  believer.options.watch.on_name_not_found = on_failure::believe;
  set_good(believer.dns);
  auto& b = believer.watch();
  ASSERT_TRUE(b.becomes(good_endpoints));
  believer.dns.fail("api.test", rcode::nxdomain);
  EXPECT_TRUE(b.becomes({}));
}

void nxdomain_without_soa() {
  constexpr duration floor = 100ms;
  fault_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.ttl_floor = floor;
  w.options.watch.ttl_cap = 10s;
  auto& v = w.watch();
  ASSERT_TRUE(w.more_answers(4));
  for (std::size_t i = 1; i < w.answers->all.size(); ++i) {
    EXPECT_EQ(w.answers->all[i].what.ttl, 0s);
    EXPECT_GE(w.answers->all[i].at - w.answers->all[i - 1].at, floor);
  }
  EXPECT_EQ(v.now().error, errc::name_not_found);
}

// Those codes that c-ares 1.18.1 reports all alike, and FORMERR.
void failure_codes() {
  for (const auto code : {rcode::servfail, rcode::refused, rcode::notimp, rcode::formerr}) {
    SCOPED_TRACE(static_cast<int>(code));
    soft_fault fault([code](dns_server& dns) { dns.fail("api.test", code); });
    fault.end = set_good;
    fault.at_once = true;
    expect_soft_failure(fault);

    dns_server first;
    first.fail("api.test", code);
    fault_world w;
    set_good(w.dns);
    w.options.nameservers = {first.address(), w.dns.address()};
    auto& v = w.watch();
    EXPECT_TRUE(v.becomes(good_endpoints)) << "the next server knows";
  }
}

void unknown_code() {
  for (const int code : {6, 9, 15}) {
    SCOPED_TRACE(code);
    soft_fault fault([code](dns_server& dns) { dns.fail("api.test", rcode(code)); });
    fault.end = set_good;
    fault.at_once = true;
    expect_soft_failure(fault);
  }
}

dns_manner silent() {
  dns_manner m;
  m.drop = true;
  return m;
}

void one_family_fails() {
  const auto spoil = [](dns_server& dns, bool mute) {
    if (mute) {
      dns.behave("api.test", record_type::aaaa, silent());
    } else {
      dns.fail("api.test", record_type::aaaa, rcode::servfail);
    }
  };
  for (const bool mute : {false, true}) {
    // At a cold start nobody waits for the other family's deadline.
    fault_world cold(mute ? duration{1min} : duration{5s});
    set_good(cold.dns);
    spoil(cold.dns, mute);
    auto& c = cold.watch();
    ASSERT_TRUE(c.becomes({"127.0.0.2:80", "127.0.0.3:80"}));
    EXPECT_TRUE(!mute || cold.answers->count("api.test", record_type::aaaa) == 0);

    fault_world w(mute ? duration{200ms} : duration{5s});
    set_good(w.dns);
    auto& v = w.watch();
    ASSERT_TRUE(v.becomes(good_endpoints));
    spoil(w.dns, mute);
    w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
    if (!mute) spoil(w.dns, mute);
    ASSERT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::2]:80"}));
    ASSERT_TRUE(w.wait([&] { return w.answers->failures(record_type::aaaa) >= 3; }));
    ASSERT_TRUE(w.wait([&] { return v.now().state == freshness::stale; }));
    EXPECT_EQ(v.endpoints(), (texts{"127.0.0.4:80", "[fd00::2]:80"}));
    EXPECT_TRUE(v.now().error);
  }
}

void timeout_beside_nodata() {
  fault_world w(200ms);
  w.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  w.dns.behave("api.test", record_type::a, silent());
  ASSERT_TRUE(w.wait([&] { return w.answers->failures(record_type::a) >= 3; }));
  v.expect_always({"127.0.0.2:80"});
  EXPECT_TRUE(v.now().error);
  EXPECT_FALSE(v.now().definite);

  fault_world cold(200ms);
  cold.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  cold.dns.behave("api.test", record_type::a, silent());
  auto& c = cold.watch();
  ASSERT_TRUE(cold.wait([&] {
    return cold.answers->failures(record_type::a) >= 1 && !c.seen.empty() &&
           cold.answers->count(record_type::aaaa, answer_outcome::no_data) >= 1;
  }));
  for (const auto& s : c.seen) EXPECT_FALSE(s->definite) << s->error.message();
  cold.dns.behave("api.test", dns_manner{});
  EXPECT_TRUE(c.becomes({"127.0.0.2:80"}));
}

void one_family_denied() {
  fault_world w;
  set_good(w.dns);
  w.dns.fail("api.test", record_type::a, rcode::nxdomain);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"[fd00::2]:80"}));
  EXPECT_FALSE(v.now().definite);
  w.dns.fail("api.test", record_type::a, rcode::noerror);
  ASSERT_TRUE(v.becomes(good_endpoints));
  w.dns.fail("api.test", record_type::a, rcode::nxdomain);
  ASSERT_TRUE(w.wait([&] { return v.now().error == errc::name_not_found; }));
  ASSERT_TRUE(w.more_answers(3));
  EXPECT_EQ(v.endpoints(), good_endpoints);
  for (const auto& set : w.explain().sets) {
    EXPECT_TRUE(set.what != "A api.test" || set.last_error == errc::name_not_found);
  }
}

void undialable_addresses() {
  const auto set_bad = [](dns_server& dns, texts more_v4, texts more_v6) {
    more_v4.insert(more_v4.end(), {"0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255"});
    more_v6.insert(more_v6.end(), {"::", "ff02::1"});
    dns.set("api.test", record_type::a, more_v4, 1s);
    dns.set("api.test", record_type::aaaa, more_v6, 1s);
  };
  fault_world w;
  set_bad(w.dns, {"127.0.0.2", "127.0.0.3"}, {"fd00::2"});
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  EXPECT_GE(w.names()->counters().dropped_records, 6u);
  set_bad(w.dns, {}, {});
  ASSERT_TRUE(w.more_answers(4));
  EXPECT_EQ(v.endpoints(), good_endpoints) << "none left is no answer that empties";
  v.expect_only(good_endpoints);
}

void mapped_addresses() {
  fault_world w;
  w.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  w.dns.set("api.test",
            record_type::aaaa,
            {"::ffff:127.0.0.2", "::ffff:127.0.0.3", "::ffff:0.0.0.0", "::ffff:224.0.0.1"},
            1s);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80", "127.0.0.3:80"}));
  EXPECT_GE(w.names()->counters().dropped_records, 2u);
  for (const auto& e : v.now().endpoints) EXPECT_TRUE(e.where.addr.is_v4());
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
      {38, "nodata", nodata},
      {39, "nxdomain", nxdomain},
      {40, "nxdomain_without_soa", nxdomain_without_soa},
      {41, "servfail_refused_notimp_formerr", failure_codes},
      {42, "unknown_response_code", unknown_code},
      {43, "one_family_fails", one_family_fails},
      {44, "timeout_beside_nodata", timeout_beside_nodata},
      {45, "one_family_does_not_exist", one_family_denied},
      {46, "undialable_addresses", undialable_addresses},
      {47, "mapped_addresses", mapped_addresses},
  };
}

}  // namespace redial::testing
