// SPDX-License-Identifier: Apache-2.0
//
// What an answer says without records: that there are none, that there is no name, that the server
// cannot or will not say; in one family or in both. And records that nobody can use.
#include "fault_row.hpp"
#include "fault_world.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr record_type families[] = {record_type::a, record_type::aaaa};

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

std::vector<fault_row> verdict_rows() {
  return {
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

}  // namespace redial::inline REDIAL_ABI::testing
