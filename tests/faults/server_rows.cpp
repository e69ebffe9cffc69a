// SPDX-License-Identifier: Apache-2.0
//
// resolv.conf, and servers that are silent, slow, down, elsewhere or of different minds.
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "fault_row.hpp"
#include "fault_world.hpp"
#include "support/temp_dir.hpp"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

// A world that knows its servers from a file.
struct file_world : fault_world {
  explicit file_world(duration query_timeout = 5s) : fault_world(query_timeout) {
    options.nameservers.clear();
    options.resolv_conf = (dir.path() / "resolv.conf").string();
    options.watch.ipv6 = false;
    dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  }
  void write(const std::string& text) const { (void)dir.write("resolv.conf", text); }
  [[nodiscard]] std::string line() const { return line_for(dns); }
  static std::string line_for(const dns_server& server) {
    return "nameserver " + server.address() + "\n";
  }

  temp_dir dir;
};

// The program's own default must not be c-ares': a server on this machine that nobody named. Where
// we may listen there, we look.
std::unique_ptr<dns_server> server_on_port_53() {
  dns_server_options o;
  o.port = 53;
  try {
    auto server = std::make_unique<dns_server>(o);
    server->set("api.test", record_type::a, {"127.6.6.6"}, 1s);
    return server;
  } catch (const boost::system::system_error& e) {
    std::cout << "note: nobody listens on port 53 of this machine for us: " << e.what() << '\n';
    return nullptr;
  }
}

void expect_no_servers(file_world& w, view& v) {
  ASSERT_TRUE(w.wait([&] { return w.answers->failures(record_type::a) >= 3 && !v.seen.empty(); }));
  EXPECT_EQ(v.now().error, errc::no_dns_servers);
  EXPECT_FALSE(v.now().definite);
  v.expect_only({});
}

void no_resolv_conf() {
  const auto uninvited = server_on_port_53();
  for (const bool exists : {false, true}) {
    file_world w;
    if (exists) w.write("");
    auto& v = w.watch();
    expect_no_servers(w, v);
    w.write(w.line());
    EXPECT_TRUE(v.becomes({"127.0.0.2:80"}));
  }
  EXPECT_TRUE(!uninvited || uninvited->queries() == 0);
}

void resolv_conf_garbage() {
  using namespace std::string_literals;
  const texts garbage{"\0\0\0\0"s,
                      "nameserver\n",
                      "nameserver \0127.0.0.1\n"s,
                      "nameserver 999.999.999.999\nnameserver 127.0.0.1:99999\n",
                      "options timeout:99999999999999999999 attempts:-7 ndots:99999999999\n",
                      "options " + std::string(60'000, 'x') + "\n",
                      std::string(10'000, '\n') + "\xff\xfe\x80 nameserver\n",
                      "sortlist " + std::string(5000, '/') + "\nsearch \n;;;;\n#"};
  for (const auto& text : garbage) {
    SCOPED_TRACE(::testing::PrintToString(text.substr(0, 40)));
    file_world w;
    w.write(text);
    auto& v = w.watch();
    expect_no_servers(w, v);
  }
  // Beside a good line: defaults for all that is nonsense.
  file_world w;
  std::string all;
  for (const auto& text : garbage) all += text;
  w.write(all.substr(0, 1000) + "\n" + w.line() +
          "options timeout:99999999999999999999 attempts:99999999999999999999\n");
  auto& v = w.watch();
  EXPECT_TRUE(v.becomes({"127.0.0.2:80"}));
}

// Rewritten while the name is followed, with a question in flight that nobody answers.
void resolv_conf_changes() {
  dns_server second;
  second.set("api.test", record_type::a, {"127.0.0.3"}, 1s);
  file_world w(1s);
  w.write(w.line());
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  w.write(file_world::line_for(second));
  ASSERT_TRUE(v.becomes({"127.0.0.3:80"}));
  v.expect_only({"127.0.0.2:80", "127.0.0.3:80"});
  EXPECT_EQ(w.answers->failures(record_type::a), 0u) << "no question was lost";

  second.silence(true);
  const auto before = second.queries();
  ASSERT_TRUE(w.wait([&] { return second.queries() > before; }));
  w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  w.write(w.line());
  ASSERT_TRUE(v.becomes({"127.0.0.4:80"}));
}

// Each for 1.4 s at least, by the number of refreshes: that is longer than the second look takes.
void resolv_conf_half_written() {
  file_world w;
  w.options.watch.ttl_floor = 100ms;
  w.options.watch.ttl_cap = 100ms;
  w.write(w.line());
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  w.write("");
  ASSERT_TRUE(w.more_answers(14));
  w.write("# half a li");
  ASSERT_TRUE(w.more_answers(14));
  std::filesystem::remove(w.options.resolv_conf);
  ASSERT_TRUE(w.more_answers(14));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  v.expect_only({"127.0.0.2:80"});
  w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  EXPECT_TRUE(v.becomes({"127.0.0.4:80"}));
}

void one_server_silent() {
  dns_server dead;
  dead.silence(true);
  fault_world w(2s);
  set_good(w.dns);
  w.options.nameservers = {dead.address(), w.dns.address()};
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u) << "one try of a question, not the question";
  // One of the first questions may still have been on its way.
  ASSERT_TRUE(w.more_answers(2));
  const auto paid = dead.queries();
  EXPECT_LE(paid, 4u);
  ASSERT_TRUE(w.more_answers(30));
  EXPECT_EQ(dead.queries(), paid);
  EXPECT_LE(w.names()->counters().channel_rebuilds, 2u);
}

void server_flaps() {
  // An hour of a server that comes and goes every second.
  simulation sim;
  scripted_dns dns(sim);
  dns.latency(1ms);
  dns.set("api.test", {"10.0.0.1"}, 1s);
  discovery_options options;
  options.watch.ipv6 = false;
  const auto names = discovery::create(sim.executor(), options, dns.share(), sim.time());
  std::vector<snapshot_ptr> seen;
  const auto s = names->subscribe(target("tcp://api.test:80"),
                                  sim.executor(),
                                  [&](snapshot_ptr got) { seen.push_back(std::move(got)); });
  sim.advance(1s);
  for (int second = 0; second < 3600; ++second) {
    if (second % 2 == 0) {
      dns.fail("api.test", answer_outcome::timeout);
    } else {
      dns.set("api.test", {"10.0.0.1"}, 1s);
    }
    sim.advance(1s);
  }
  for (const auto& one : seen) EXPECT_EQ(view::texts_of(*one), texts{"10.0.0.1:80"});
  const auto asked = dns.asked();
  ASSERT_GT(asked.size(), 1000u);
  for (std::size_t i = 1; i < asked.size(); ++i) {
    EXPECT_GE(asked[i].at - asked[i - 1].at, options.watch.backoff_base / 5 * 4);
  }
  names->close();

  // Two real ones that take turns: the endpoints never flicker, and channels are not rebuilt with
  // every change of mood.
  dns_server other;
  fault_world w(400ms);
  set_good(w.dns);
  set_good(other);
  w.options.nameservers = {w.dns.address(), other.address()};
  for (int turn = 0; turn < 12; ++turn) {
    const duration at = turn * 150ms;
    w.dns.at(at, [turn](dns_server& d) { d.silence(turn % 2 == 0); });
    other.at(at, [turn](dns_server& d) { d.silence(turn % 2 == 1); });
  }
  const auto began = clock::now();
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  w.dns.at(1900ms, [](dns_server& d) {
    d.silence(false);
    d.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  });
  other.at(1900ms, [](dns_server& d) {
    d.silence(false);
    d.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  });
  ASSERT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::2]:80"}));
  v.expect_only({"127.0.0.2:80", "127.0.0.3:80", "127.0.0.4:80", "[fd00::2]:80"});
  const auto seconds = static_cast<std::uint64_t>((clock::now() - began) / 1s);
  EXPECT_LE(w.names()->counters().channel_rebuilds, 2 * (seconds + 2));
}

void all_silent_for_an_hour() {
  simulation sim;
  scripted_dns dns(sim);
  dns.latency(1ms);
  dns.set("api.test", {"10.0.0.1", "fd00::1"}, 60s);
  discovery_options options;
  const auto names = discovery::create(sim.executor(), options, dns.share(), sim.time());
  snapshot_ptr now;
  const auto s = names->subscribe(
      target("tcp://api.test:80"), sim.executor(), [&](snapshot_ptr got) { now = std::move(got); });
  sim.advance(1s);
  dns.fail("api.test", answer_outcome::timeout);
  sim.advance(20s);
  const auto asked_before = dns.times_asked("api.test");
  const texts good{"10.0.0.1:80", "[fd00::1]:80"};
  for (int minute = 0; minute < 59; ++minute) {
    sim.advance(1min);
    ASSERT_EQ(view::texts_of(*now), good);
    ASSERT_EQ(now->state, freshness::stale);
  }
  // One question of each family per backoff of 8 to 10 s.
  const auto asked = dns.times_asked("api.test") - asked_before;
  EXPECT_LE(asked, 2u * (59 * 60 / 8 + 6));
  EXPECT_GE(asked, 2u * (59 * 60 / 10));
  EXPECT_EQ(dns.most_in_flight_per_question(), 1u);
  sim.advance(10min);
  EXPECT_EQ(now->state, freshness::expired);
  EXPECT_EQ(view::texts_of(*now), good) << "failures alone take nothing away";
  dns.set("api.test", {"10.0.0.2"}, 60s);
  sim.advance(options.watch.backoff_max + 10ms);
  EXPECT_EQ(view::texts_of(*now), texts{"10.0.0.2:80"}) << "within one step of the backoff";
  names->close();

  // What questions without an answer leave behind in reality.
  const auto descriptors = [] {
    using entry = std::filesystem::directory_iterator;
    return std::distance(entry{"/dev/fd"}, entry{});
  };
  fault_world w(20ms);
  w.options.max_queries_in_flight = 4;
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(w.wait([&] { return v.endpoints() == good_endpoints; }));
  const auto before = descriptors();
  w.dns.silence(true);
  ASSERT_TRUE(w.wait([&] { return w.answers->failures(record_type::a) >= 40; }));
  EXPECT_LE(descriptors(), before + 20);
  EXPECT_EQ(v.endpoints(), good_endpoints);
  EXPECT_EQ(v.now().state, freshness::stale);
  w.dns.silence(false);
  w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  EXPECT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::2]:80"}));
}

// Some fast answers first: c-ares would adapt its timeout to them.
void slow_server() {
  fault_world w;  // 5 s, the default
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(w.more_answers(6));
  dns_manner slow;
  slow.delay = 1200ms;
  w.dns.behave("api.test", slow);
  w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  ASSERT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::2]:80"}));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);

  fault_world cold;
  set_good(cold.dns);
  cold.dns.behave("api.test", slow);
  auto& c = cold.watch();
  ASSERT_TRUE(c.becomes(good_endpoints));
  EXPECT_EQ(cold.answers->failures(record_type::a), 0u);
}

void nobody_listens() {
  soft_fault fault([](dns_server& dns) { dns.stop(); });
  fault.at_once = true;
  expect_soft_failure(fault);
  // And with another server nobody notices.
  dns_server gone;
  gone.stop();
  fault_world w;
  set_good(w.dns);
  w.options.nameservers = {gone.address(), w.dns.address()};
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  ASSERT_TRUE(w.more_answers(10));
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
}

// `fe80::...%interface` of an interface that is up; empty when this machine has none.
std::string link_local_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string found;
  for (const ifaddrs* i = all; i != nullptr && found.empty(); i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET6) continue;
    if ((i->ifa_flags & IFF_UP) == 0) continue;
    boost::asio::ip::address_v6::bytes_type bytes;
    const auto& in6 = *reinterpret_cast<const sockaddr_in6*>(i->ifa_addr);
    std::copy(std::begin(in6.sin6_addr.s6_addr), std::end(in6.sin6_addr.s6_addr), bytes.begin());
    const boost::asio::ip::address_v6 a(bytes);
    if (a.is_link_local()) found = a.to_string() + "%" + i->ifa_name;
  }
  ::freeifaddrs(all);
  return found;
}

void expect_server_at(const std::string& where) {
  dns_server_options o;
  o.address = where;
  dns_server server(o);
  set_good(server);
  {
    fault_world w;
    w.options.nameservers = {server.address()};
    auto& v = w.watch();
    EXPECT_TRUE(v.becomes(good_endpoints)) << server.address();
    EXPECT_EQ(w.dns.queries(), 0u);
  }
  {
    file_world w;
    w.options.watch.ipv6 = true;
    w.write(file_world::line_for(server));
    auto& v = w.watch();
    EXPECT_TRUE(v.becomes(good_endpoints)) << server.address();
  }
  fault_world w;
  w.options.zones = {{"test", {server.address()}}};
  auto& v = w.watch();
  EXPECT_TRUE(v.becomes(good_endpoints)) << server.address();
  EXPECT_EQ(w.dns.queries(), 0u);
}

void server_on_ipv6() {
  expect_server_at("::1");
  const auto link_local = link_local_address();
  if (link_local.empty()) {
    std::cout << "note: no interface of this machine has a link-local address\n";
    return;
  }
  dns_server_options o;
  o.address = link_local;
  dns_server server(o);
  set_good(server);
  try {
    fault_world w;
    w.options.nameservers = {server.address()};
    (void)w.names();
  } catch (const std::invalid_argument& e) {
    // This c-ares takes no zone. That is said, and what comes after it in resolv.conf counts.
    EXPECT_THAT(e.what(), ::testing::HasSubstr("this c-ares cannot use"));
    file_world f;
    f.write(file_world::line_for(server) + f.line());
    auto& v = f.watch();
    EXPECT_TRUE(v.becomes({"127.0.0.2:80"}));
    std::cout << "note: " << e.what() << '\n';
    return;
  }
  expect_server_at(link_local);
}

void split_horizon() {
  dns_server other;
  fault_world w(1s);
  w.options.watch.ipv6 = false;
  w.options.nameservers = {w.dns.address(), other.address()};
  w.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  other.set("api.test", record_type::a, {"127.0.0.3"}, 1s);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  w.dns.stop();
  ASSERT_TRUE(v.becomes({"127.0.0.3:80"}));
  ASSERT_TRUE(w.more_answers(3));
  for (const auto& s : v.seen) EXPECT_THAT(s->endpoints, SizeIs(1)) << "no merge";

  // Who is asked for a zone is asked for nothing else, and nobody else is asked for it.
  fault_world zoned;
  dns_server inner;
  for (const char* name : {"api.test", "api.corp.test"}) {
    zoned.dns.set(name, record_type::a, {"127.0.0.2"}, 1s);
    inner.set(name, record_type::a, {"127.0.0.3"}, 1s);
  }
  zoned.options.zones = {{"corp.test", {inner.address()}}};
  auto& outside = zoned.watch();
  auto& inside = zoned.watch("tcp://api.corp.test:80");
  ASSERT_TRUE(outside.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(inside.becomes({"127.0.0.3:80"}));
  inner.remove("api.corp.test");
  ASSERT_TRUE(zoned.wait([&] { return inside.now().error == errc::name_not_found; }));
  EXPECT_EQ(inside.endpoints(), texts{"127.0.0.3:80"});
  EXPECT_EQ(zoned.dns.queries("api.corp.test"), 0u);
  EXPECT_EQ(inner.queries("api.test"), 0u);
}

void empty_for_one_refresh() {
  fault_world w;
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints));
  const auto known = v.seen.size() - 1;
  for (int again = 0; again < 3; ++again) {
    const auto from = w.answers->all.size();
    for (const auto type : {record_type::a, record_type::aaaa}) w.dns.set("api.test", type, {});
    ASSERT_TRUE(w.wait([&] {
      return w.answers->count(record_type::a, answer_outcome::no_data, from) > 0 &&
             w.answers->count(record_type::aaaa, answer_outcome::no_data, from) > 0;
    }));
    ASSERT_TRUE(w.wait([&] { return v.now().error == errc::no_data; }));
    EXPECT_FALSE(v.now().definite);
    set_good(w.dns);
    ASSERT_TRUE(w.wait([&] { return !v.now().error && v.now().state == freshness::fresh; }));
  }
  v.expect_always(good_endpoints, known);
  EXPECT_EQ(v.removals(), 0u);
}

}  // namespace

std::vector<fault_row> server_rows() {
  return {
      {76, "no_resolv_conf", no_resolv_conf},
      {77, "resolv_conf_garbage", resolv_conf_garbage},
      {78, "resolv_conf_changes", resolv_conf_changes},
      {79, "resolv_conf_half_written", resolv_conf_half_written},
      {80, "one_server_silent", one_server_silent},
      {81, "server_flaps", server_flaps, "an hour in simulated time, then two real servers"},
      {82,
       "all_silent_for_an_hour",
       all_silent_for_an_hour,
       "an hour in simulated time, then what real questions leave behind"},
      {83, "slow_server", slow_server},
      {84, "nobody_listens", nobody_listens},
      {85,
       "server_on_ipv6_and_any_port",
       server_on_ipv6,
       "a link-local server needs a zone; where c-ares takes none (1.18.1, 1.34.5) that is said"},
      {86, "two_views", split_horizon},
      {87, "empty_for_one_refresh", empty_for_one_refresh},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
