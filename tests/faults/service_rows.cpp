// SPDX-License-Identifier: Apache-2.0
//
// SRV. Whom a call goes to is the pool's business: rows about choice have a real discovery under a
// pool whose connections are scripted.
#include <redial/discovery/feed.hpp>
#include <redial/pool/pool.hpp>
#include <redial/testing/scripted_connector.hpp>

#include "fault_row.hpp"
#include "fault_world.hpp"
#include "wire.hpp"

#include <cmath>
#include <map>
#include <set>

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr auto calc = "srv://calc.test";

void set_node(dns_server& dns, const std::string& node, const std::string& where) {
  dns.set(node, record_type::a, {where}, 1s);
}

// calc.test with n1 and n2.
void set_two(dns_server& dns) {
  dns.set_srv("calc.test", {{0, 0, 81, "n1.test"}, {0, 0, 82, "n2.test"}}, 1s);
  set_node(dns, "n1.test", "127.0.0.2");
  set_node(dns, "n2.test", "127.0.0.3");
}
const texts two{"127.0.0.2:81 (n1.test)", "127.0.0.3:82 (n2.test)"};

void no_service() {
  fault_world w;
  w.dns.set_srv("calc.test", {{0, 0, 0, "."}}, 1s);
  auto& v = w.watch(calc);
  ASSERT_TRUE(w.wait([&] { return !v.seen.empty(); }));
  EXPECT_EQ(v.now().error, errc::no_service);
  EXPECT_TRUE(v.now().definite);
  EXPECT_THAT(v.endpoints(), IsEmpty());
  for (const auto& q : w.dns.log()) EXPECT_EQ(q.name, "calc.test");
  set_two(w.dns);
  ASSERT_TRUE(v.becomes(two));
  // Once there were some, they stay for as long as any definite negative lets them.
  w.dns.set_srv("calc.test", {{0, 0, 0, "."}}, 1s);
  ASSERT_TRUE(w.wait([&] { return v.now().error == errc::no_service; }));
  EXPECT_EQ(v.endpoints(), two);
}

// A pool on calc.test.
struct pool_world : fault_world {
  void start() {
    options.watch.ipv6 = false;
    pool_options pooled;
    pooled.seed = 1;
    pooled.warm_backoff_base = 1h;  // who is down stays down
    pooled.warm_backoff_max = 1h;
    net = std::make_shared<scripted_connector>(io.get_executor(), names()->time());
    pool.emplace(io.get_executor(), make_feed(names(), target(calc)), net, pooled, names()->time());
  }
  ~pool_world() { pool.reset(); }

  [[nodiscard]] bool becomes_active(std::uint32_t count) {
    return wait([&] { return pool->gauges().endpoints_active == count; });
  }
  /// The node that serves the next call.
  std::string take() {
    std::string node;
    bool done = false;
    pool->async_checkout([&](error_code ec, lease<scripted_connection> l) {
      node = ec ? ec.message() : l.where().srv_target;
      done = true;
    });
    EXPECT_TRUE(wait([&] { return done; }));
    return node;
  }
  std::map<std::string, int> share(int calls) {
    std::map<std::string, int> seen;
    for (int i = 0; i < calls; ++i) ++seen[take()];
    return seen;
  }
  void kill(const std::string& where, std::uint16_t port) {
    const endpoint e{ip(where), port};
    for (const auto& peer : net->peers()) {
      if (peer->where().addr != e.addr || peer->where().port != port) continue;
      net->refuse(peer->where());
      peer->hang_up();
    }
  }

  std::shared_ptr<scripted_connector> net;
  std::optional<basic_pool<scripted_connection>> pool;
};

// Five standard deviations of `of` independent choices: the seed is fixed, so this never flickers.
void expect_share(int seen, int of, double share) {
  EXPECT_NEAR(seen, of * share, 5 * std::sqrt(of * share * (1 - share)) + 1);
}

void weights() {
  for (const std::uint16_t second : {std::uint16_t{0}, std::uint16_t{10}}) {
    pool_world w;
    w.dns.set_srv("calc.test", {{0, 0, 81, "n1.test"}, {0, second, 82, "n2.test"}}, 1s);
    set_node(w.dns, "n1.test", "127.0.0.2");
    set_node(w.dns, "n2.test", "127.0.0.3");
    w.start();
    ASSERT_TRUE(w.becomes_active(2));
    constexpr int calls = 1000;
    auto seen = w.share(calls);
    expect_share(seen["n1.test"], calls, second == 0 ? 0.5 : 1.0 / 11);
    EXPECT_EQ(seen["n1.test"] + seen["n2.test"], calls);
  }
}

void priorities() {
  pool_world w;
  w.dns.set_srv(
      "calc.test", {{20, 0, 83, "n3.test"}, {10, 0, 81, "n1.test"}, {10, 0, 82, "n2.test"}}, 1s);
  set_node(w.dns, "n1.test", "127.0.0.2");
  set_node(w.dns, "n2.test", "127.0.0.3");
  set_node(w.dns, "n3.test", "127.0.0.4");
  w.start();
  ASSERT_TRUE(w.becomes_active(3));
  EXPECT_EQ(w.share(100).count("n3.test"), 0u);
  w.kill("127.0.0.2", 81);
  ASSERT_TRUE(w.wait([&] { return w.net->counts().open == 2; }));
  EXPECT_EQ(w.share(50), (std::map<std::string, int>{{"n2.test", 50}}));
  w.kill("127.0.0.3", 82);
  ASSERT_TRUE(w.wait([&] { return w.net->counts().open == 1; }));
  EXPECT_EQ(w.share(50), (std::map<std::string, int>{{"n3.test", 50}}));
}

void target_without_address() {
  fault_world w;
  set_two(w.dns);
  w.dns.remove("n1.test");
  auto& v = w.watch(calc);
  ASSERT_TRUE(v.becomes({two[1]}));

  fault_world none;
  set_two(none.dns);
  none.dns.remove("n1.test");
  none.dns.set("n2.test", record_type::a, {});
  auto& n = none.watch(calc);
  ASSERT_TRUE(none.wait([&] { return !n.seen.empty() && n.now().definite; }));
  EXPECT_TRUE(n.now().error);
  n.expect_only({});
  set_two(none.dns);
  EXPECT_TRUE(n.becomes(two));
}

void target_is_an_alias() {
  fault_world w;
  set_two(w.dns);
  w.dns.set_cname("n1.test", "real.test", 1s);
  set_node(w.dns, "real.test", "127.0.0.9");
  auto& v = w.watch(calc);
  EXPECT_TRUE(v.becomes({two[1], "127.0.0.9:81 (n1.test)"}));
}

// Beside a good target, and alone.
void expect_refused(const srv_data& bad) {
  SCOPED_TRACE(bad.target);
  fault_world w;
  w.dns.set_srv("calc.test", {bad, {0, 0, 82, "n2.test"}}, 1s);
  set_node(w.dns, "n1.test", "127.6.6.6");
  set_node(w.dns, "n2.test", "127.0.0.3");
  auto& v = w.watch(calc);
  ASSERT_TRUE(v.becomes({two[1]}));
  EXPECT_GE(w.names()->counters().dropped_records, 1u);
  w.dns.set_srv("calc.test", {bad}, 1s);
  const auto count = w.answers->count("calc.test", record_type::srv);
  ASSERT_TRUE(w.wait([&] { return w.answers->count("calc.test", record_type::srv) >= count + 4; }));
  v.expect_only({two[1]});
  EXPECT_EQ(v.endpoints(), texts{two[1]}) << "no usable record is no answer that empties";
  for (const auto& q : w.dns.log()) {
    EXPECT_TRUE(q.name == "calc.test" || q.name == "n2.test") << q.name;
  }
}

void target_is_an_address() {
  for (const char* text : {"127.6.6.6", "127.1", "256.1.1.1"}) expect_refused({0, 0, 81, text});
}

void port_zero() { expect_refused({0, 0, 0, "n1.test"}); }

// A liar beside the answer is not heard; the target is asked for by itself.
void additional_addresses() {
  fault_world w;
  set_node(w.dns, "n1.test", "127.0.0.2");
  w.dns.raw("calc.test", record_type::srv, [](const dns_bytes& query) {
    auto m = respond(query, {make_srv_record("calc.test", {0, 0, 81, "n1.test"}, 1)});
    for (const char* owner : {"n1.test", "calc.test", "evil.test"}) {
      const auto name = detail::encode_name(owner);
      m.insert(m.end(), name.begin(), name.end());
      const dns_bytes rest{0, 1, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 4, 127, 6, 6, 6};
      m.insert(m.end(), rest.begin(), rest.end());
    }
    put16(m, 10, 3);
    return m;
  });
  auto& v = w.watch(calc);
  ASSERT_TRUE(v.becomes({two[0]}));
  ASSERT_TRUE(w.more_answers(3, "n1.test"));
  v.expect_only({two[0]});
}

std::vector<srv_data> many_targets(int count) {
  std::vector<srv_data> all;
  for (int i = 0; i < count; ++i) all.push_back({0, 0, 81, "n" + std::to_string(i) + ".test"});
  return all;
}

std::size_t targets_asked(const dns_server& dns) {
  std::set<std::string> names;
  for (const auto& q : dns.log()) names.insert(q.name);
  names.erase("calc.test");
  return names.size();
}

void many_targets_at_once() {
  constexpr int count = 200;
  fault_world w(1min);
  w.options.watch.ttl_cap = 10s;
  w.dns.set_srv("calc.test", many_targets(count), 1s);
  dns_manner mute;
  mute.drop = true;
  for (int i = 0; i < count; ++i) {
    const auto node = "n" + std::to_string(i) + ".test";
    set_node(w.dns, node, "127.0.1." + std::to_string(i + 1));
    w.dns.behave(node, mute);
  }
  auto& v = w.watch(calc);
  // Sixteen targets; a seventeenth would have been asked for before the marker, which comes later.
  ASSERT_TRUE(w.wait([&] { return targets_asked(w.dns) >= 16; }));
  w.dns.set("marker.test", record_type::a, {"127.0.0.9"});
  auto& marker = w.watch("tcp://marker.test:80");
  ASSERT_TRUE(marker.becomes({"127.0.0.9:80"}));
  EXPECT_EQ(targets_asked(w.dns), 16u + 1u);
  for (int i = 0; i < count; ++i) w.dns.behave("n" + std::to_string(i) + ".test", dns_manner{});
  ASSERT_TRUE(w.wait([&] { return !v.seen.empty() && v.endpoints().size() == count; }));

  fault_world bounded;
  bounded.options.watch.ttl_cap = 10s;
  bounded.options.watch.max_srv_targets = 50;
  bounded.dns.set_srv("calc.test", many_targets(count), 1s);
  for (int i = 0; i < count; ++i) {
    set_node(bounded.dns, "n" + std::to_string(i) + ".test", "127.0.1." + std::to_string(i + 1));
  }
  auto& b = bounded.watch(calc);
  ASSERT_TRUE(bounded.wait([&] { return b.endpoints().size() == 50; }));
  EXPECT_EQ(targets_asked(bounded.dns), 50u);
  EXPECT_EQ(bounded.names()->counters().dropped_records, 150u);
}

void one_target_moves() {
  fault_world w;
  set_two(w.dns);
  auto& v = w.watch(calc);
  ASSERT_TRUE(v.becomes(two));
  const auto from = v.deltas.size();
  const auto life = v.now().endpoints[0].life;
  set_node(w.dns, "n2.test", "127.0.0.9");
  ASSERT_TRUE(v.becomes({two[0], "127.0.0.9:82 (n2.test)"}));
  texts added;
  texts removed;
  for (std::size_t i = from; i < v.deltas.size(); ++i) {
    for (const auto& e : v.deltas[i].added) added.push_back(to_string(e.where));
    for (const auto& e : v.deltas[i].removed) removed.push_back(to_string(e.where));
  }
  EXPECT_THAT(added, ElementsAre("127.0.0.9:82 (n2.test)"));
  EXPECT_THAT(removed, ElementsAre(two[1]));
  EXPECT_EQ(v.now().endpoints[0].life, life);
}

}  // namespace

std::vector<fault_row> service_rows() {
  return {
      {48, "srv_no_service", no_service},
      {49, "srv_weights_zero_and_mixed", weights},
      {50, "srv_priorities", priorities},
      {51, "srv_target_without_address", target_without_address},
      {52, "srv_target_is_an_alias", target_is_an_alias},
      {53, "srv_target_is_an_address", target_is_an_address},
      {54, "srv_port_zero", port_zero},
      {55, "srv_additional_addresses", additional_addresses},
      {56, "srv_200_targets", many_targets_at_once},
      {57, "srv_one_target_moves", one_target_moves},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
