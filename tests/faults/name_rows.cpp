// SPDX-License-Identifier: Apache-2.0
//
// What a user may write as a host, what nobody may ask DNS for, the hosts file, and many names.
#include <redial/core/host_name.hpp>
#include <redial/core/target.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "cares_kind.hpp"
#include "environment.hpp"
#include "fault_row.hpp"
#include "fault_world.hpp"
#include "support/temp_dir.hpp"

#include <set>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::string shown(std::string_view text) {
  return ::testing::PrintToString(std::string(text.substr(0, 80)));
}

// Refused by every way in, before there is anything that could be asked for.
void expect_rejected(std::string_view host, errc why) {
  const auto name = host_name::parse(host);
  EXPECT_EQ(name.error(), why) << shown(host);
  for (const char* scheme : {"tcp://", "https://", "srv://"}) {
    const auto text = scheme + std::string(host) + (scheme[0] == 't' ? ":80" : "");
    const auto parsed = target::parse(text);
    EXPECT_TRUE(parsed.has_error()) << shown(text);
    EXPECT_THROW(target{text}, std::invalid_argument) << shown(text);
  }
  fault_world w;
  w.options.search = {std::string(host)};
  EXPECT_THROW((void)w.names(), std::invalid_argument) << shown(host);
}

// An SRV record that names such a target is left out, and nothing else is asked for.
void expect_refused_as_target(const std::string& host) {
  fault_world w;
  w.dns.set_srv("calc.test", {{0, 0, 81, host}, {0, 0, 82, "n2.test"}}, 1s);
  w.dns.set("n2.test", record_type::a, {"127.0.0.3"}, 1s);
  auto& v = w.watch("srv://calc.test");
  ASSERT_TRUE(v.becomes({"127.0.0.3:82 (n2.test)"})) << shown(host);
  EXPECT_GE(w.names()->counters().dropped_records, 1u);
  for (const auto& q : w.dns.log()) {
    EXPECT_TRUE(q.name == "calc.test" || q.name == "n2.test") << shown(q.name);
  }
}

// Endpoints at once, without a question.
void expect_fixed(const std::string& target_text, const texts& endpoints) {
  fault_world w;
  auto& v = w.watch(target_text);
  ASSERT_TRUE(v.becomes(endpoints)) << target_text;
  EXPECT_EQ(v.now().state, freshness::fresh);
  EXPECT_FALSE(v.now().error);
  EXPECT_EQ(w.dns.queries(), 0u) << target_text;
}

// Resolved by a question for exactly `asked`.
void expect_asked(const std::string& host, const std::string& asked) {
  fault_world w;
  w.dns.set(asked, record_type::a, {"127.0.0.2"}, 1s);
  auto& v = w.watch("tcp://" + host + ":80");
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"})) << host;
  for (const auto& q : w.dns.log()) EXPECT_EQ(q.name, asked);
}

void empty_names() {
  for (const char* name : {"", "."}) expect_rejected(name, errc::bad_name);
}

void lengths() {
  const std::string label63(63, 'a');
  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253u);
  expect_rejected(std::string(64, 'a'), errc::bad_name);
  expect_rejected(std::string(64, 'a') + ".test", errc::bad_name);
  expect_rejected(longest + "a", errc::bad_name);
  expect_rejected(longest + ".a", errc::bad_name);
  for (const char* name : {"a..test", ".test", "..", "a.test..", "...."}) {
    expect_rejected(name, errc::bad_name);
  }
  expect_asked(longest, longest);
}

void bad_characters() {
  using namespace std::string_view_literals;
  for (const auto name : {"a b.test"sv,
                          "a\nb.test"sv,
                          "a.test\r\n"sv,
                          "a\0b.test"sv,
                          "a\tb.test"sv,
                          "a\x7f.test"sv,
                          "a/b.test"sv,
                          "a\\010.test"sv,
                          "a*.test"sv,
                          "a@b.test"sv}) {
    expect_rejected(name, errc::bad_name);
  }
  for (const auto name : {"a b.test"sv, "a\nb.test"sv, "a\0b.test"sv, "a/b.test"sv}) {
    expect_refused_as_target(std::string(name));
  }
}

void not_ascii() {
  for (const char* name : {"b\xc3\xbc"
                           "cher.test",
                           "\xe2\x98\x83.test",
                           "a.te\xff"}) {
    expect_rejected(name, errc::name_not_ascii);
    expect_refused_as_target(name);
  }
  EXPECT_NE(make_error_code(errc::name_not_ascii).message().find("xn--"), std::string::npos);
}

void odd_but_legal() {
  for (const char* name : {"_api._tcp.test",
                           "-a.test",
                           "a-.test",
                           "123.test",
                           "1.2.3.x",
                           "a_b",
                           "xn--bcher-kva.test"}) {
    expect_asked(name, name);
  }
}

void trailing_dot() {
  expect_asked("api.test.", "api.test");
  const target t("https://Api.Test.:443");
  EXPECT_EQ(t.identity().text(), "api.test");
  EXPECT_EQ(t.host().text(), "api.test");
  EXPECT_EQ(t, target("https://api.test"));
}

void ipv4_literal() {
  expect_fixed("tcp://127.0.0.2:80", {"127.0.0.2:80"});
  expect_fixed("https://10.1.2.3", {"10.1.2.3:443"});
}

void not_quite_addresses() {
  for (const char* name :
       {"127.1", "1.2.3", "256.1.1.1", "1.2.3.4.5", "0127.0.0.1", "1", "a.1", "127.0.0.1."}) {
    const auto parsed = host_name::parse(name);
    EXPECT_TRUE(parsed.has_error()) << name;
    EXPECT_TRUE(target::parse("tcp://" + std::string(name) + ":80").has_error()) << name;
    expect_refused_as_target(name);
  }
  for (const char* name : {"0x7f.1", "127.1", "256.1.1.1"}) {
    expect_rejected(name, errc::bad_address);
  }
}

void ipv6_literal() {
  expect_fixed("tcp://[::1]:80", {"[::1]:80"});
  expect_fixed("https://[fd00::1]", {"[fd00::1]:443"});
  // Interface 1 has one name or another everywhere; a zone is part of the address where it matters.
  const auto zoned = host_name::parse("fe80::1%1");
  ASSERT_TRUE(zoned.has_value());
  EXPECT_EQ(zoned->addresses().front().to_v6().scope_id(), 1u);
  const auto by_name = host_name::parse(zoned->text());
  ASSERT_TRUE(by_name.has_value()) << zoned->text();
  EXPECT_EQ(by_name->addresses(), zoned->addresses());
  expect_fixed("tcp://[fe80::1%1]:80", {"[" + zoned->text() + "]:80"});
  for (const char* name :
       {"fe80::1%nosuchinterface", "fe80::1%999999", "fe80::1%", "::g", "[::1"}) {
    expect_rejected(name, errc::bad_address);
  }
}

void localhost() {
  for (const char* name : {"localhost", "LocalHost.", "foo.localhost", "a.b.localhost"}) {
    expect_fixed("tcp://" + std::string(name) + ":80", {"127.0.0.1:80", "[::1]:80"});
  }
  expect_asked("notlocalhost", "notlocalhost");
}

void onion_and_local() {
  for (const char* name : {"abc.onion", "ABC.Onion.", "onion"}) {
    expect_rejected(name, errc::name_not_found);
  }
  expect_refused_as_target("abc.onion");
  expect_asked("printer.local", "printer.local");
}

void search_domains() {
  // Off: the name alone, whatever exists elsewhere.
  fault_world off;
  off.dns.set("api.corp.test", record_type::a, {"127.6.6.6"}, 1s);
  auto& o = off.watch("tcp://api:80");
  ASSERT_TRUE(off.wait([&] { return !o.seen.empty(); }));
  EXPECT_EQ(o.now().error, errc::name_not_found);
  for (const auto& q : off.dns.log()) EXPECT_EQ(q.name, "api");

  fault_world on;
  on.options.search = {"prod.test", "corp.test"};
  on.dns.set("api.corp.test", record_type::a, {"127.0.0.2"}, 1s);
  on.dns.set("two.labels", record_type::a, {"127.0.0.3"}, 1s);
  auto& v = on.watch("tcp://api:80");
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  EXPECT_GE(on.dns.queries("api.prod.test"), 1u);
  auto& absolute = on.watch("tcp://two.labels:80");
  ASSERT_TRUE(absolute.becomes({"127.0.0.3:80"}));
  EXPECT_EQ(on.dns.queries("two.labels.prod.test"), 0u);
}

void environment_variables() {
  const temp_dir dir;
  const environment aliases{"HOSTALIASES", dir.write("aliases", "api evil.test\n")};
  const environment domain{"LOCALDOMAIN", "evil.test"};
  const environment resolver{"RES_OPTIONS",
                             newer_cares ? "ndots:15 rotate timeout:30 attempts:1"
                                         : "ndots:15 use-vc rotate timeout:30 attempts:1"};
  fault_world w;
  for (const char* name : {"api.evil.test", "evil.test", "none.evil.test"}) {
    w.dns.set(name, record_type::a, {"127.6.6.6"}, 1s);
  }
  w.dns.set("api", record_type::a, {"127.0.0.2"}, 1s);
  auto& v = w.watch("tcp://api:80");
  auto& none = w.watch("tcp://none:80");
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(w.wait([&] { return !none.seen.empty(); }));
  EXPECT_EQ(none.now().error, errc::name_not_found);
  for (const auto& q : w.dns.log()) {
    EXPECT_TRUE(q.name == "api" || q.name == "none") << q.name;
    EXPECT_FALSE(q.tcp);
  }
}

void hosts_file() {
  const temp_dir dir;
  // In real time: what is in the file is not asked for, and an addition counts.
  fault_world w;
  w.options.hosts_path = dir.write("hosts", "127.0.0.1 localhost\n127.0.0.2 api.test\n");
  w.dns.set("api.test", record_type::a, {"127.6.6.6"}, 1s);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  (void)dir.write("hosts", "127.0.0.1 localhost\n127.0.0.2 api.test\nfd00::2 api.test\n");
  ASSERT_TRUE(v.becomes({"127.0.0.2:80", "[fd00::2]:80"}));
  EXPECT_EQ(w.dns.queries(), 0u);

  // In simulated time: minutes with a file that is torn, empty, garbage or gone.
  simulation sim;
  scripted_dns dns(sim);
  dns.set("api.test", {"127.6.6.6"}, 5s);
  discovery_options options;
  options.hosts_path = dir.write("watched", "10.0.0.1 api.test\n10.0.0.2 api.test\n");
  const auto names = discovery::create(sim.executor(), options, dns.share(), sim.time());
  snapshot_ptr now;
  const auto s = names->subscribe(
      target("tcp://api.test:80"), sim.executor(), [&](snapshot_ptr got) { now = std::move(got); });
  sim.advance(5s);
  const texts both{"10.0.0.1:80", "10.0.0.2:80"};
  for (const std::string& text : {std::string{},
                                  std::string(100, '\0'),
                                  std::string("\x7f\x45\x4c\x46 nonsense\n\n\n"),
                                  std::string(200'000, 'x')}) {
    (void)dir.write("watched", text);
    sim.advance(2min);
    ASSERT_TRUE(now);
    EXPECT_EQ(view::texts_of(*now), both) << shown(text);
  }
  std::filesystem::remove(dir.path() / "watched");
  sim.advance(2min);
  // Half of it, for less than the five seconds after which a removal counts.
  (void)dir.write("watched", "10.0.0.1 api.te");
  sim.advance(4s);
  (void)dir.write("watched", "10.0.0.1 api.test\n10.0.0.2 api.test\n");
  sim.advance(2min);
  EXPECT_EQ(view::texts_of(*now), both);
  EXPECT_EQ(dns.times_asked("api.test"), 0u);
  (void)dir.write("watched", "10.0.0.2 api.test\n10.0.0.3 api.test\n");
  sim.advance(2min);
  EXPECT_EQ(view::texts_of(*now), (texts{"10.0.0.2:80", "10.0.0.3:80"}));
  names->close();
}

// Several hundred here; ten thousand are a benchmark.
void many_names() {
  constexpr std::size_t count = 300;
  constexpr std::size_t cap = 16;
  fault_world w(1min);
  w.options.watch.ipv6 = false;
  w.options.watch.ttl_cap = 1h;
  w.options.max_queries_in_flight = cap;
  w.options.max_queries_per_second = 400;
  for (std::size_t i = 0; i < count; ++i) {
    w.dns.set("n" + std::to_string(i) + ".test", record_type::a, {"127.0.0.2"}, 3600s);
  }
  w.dns.silence(true);
  std::vector<view*> views;
  for (std::size_t i = 0; i < count; ++i) {
    views.push_back(&w.watch("tcp://n" + std::to_string(i) + ".test:80"));
  }
  const auto asked = [&] {
    texts names;
    std::set<std::string> seen;
    for (const auto& q : w.dns.log()) {
      if (seen.insert(q.name).second) names.push_back(q.name);
    }
    return names;
  };
  // Each question of the cap is asked at least twice before anybody else's turn could come.
  ASSERT_TRUE(w.wait([&] { return w.dns.queries() >= 2 * cap; }));
  EXPECT_EQ(asked().size(), cap);
  const auto began = clock::now();
  w.dns.silence(false);
  for (auto* v : views) ASSERT_TRUE(v->becomes({"127.0.0.2:80"}));
  const auto took = clock::now() - began;
  // First come, first served.
  const auto order = asked();
  ASSERT_THAT(order, SizeIs(count));
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(order[i], "n" + std::to_string(i) + ".test");
  // 400 a second and a fiftieth more at once.
  EXPECT_GE(took, (count - cap - 8) * duration{1s} / 400);
  EXPECT_EQ(w.names()->counters().queries, count);
}

}  // namespace

std::vector<fault_row> name_rows() {
  return {
      {61, "empty_name_and_root", empty_names},
      {62, "labels_and_names_too_long", lengths},
      {63, "bad_characters", bad_characters},
      {64, "not_ascii", not_ascii},
      {65, "odd_but_legal", odd_but_legal},
      {66, "trailing_dot", trailing_dot},
      {67, "ipv4_literal", ipv4_literal},
      {68, "not_quite_an_ipv4_address", not_quite_addresses},
      {69, "ipv6_literal_and_zone", ipv6_literal},
      {70, "localhost", localhost},
      {71, "onion_and_local", onion_and_local},
      {72, "search_domains", search_domains},
      {73, "environment", environment_variables, "c-ares 1.34 obeys use-vc, and nothing else"},
      {74, "hosts_file", hosts_file, "what takes minutes is in simulated time, with a real file"},
      {75, "hundreds_of_names", many_names, "10 000 names are a benchmark"},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
