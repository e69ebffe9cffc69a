// SPDX-License-Identifier: Apache-2.0
//
// Options that make no sense, and those that change.
#include <redial/net/make_connector.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/testing/certificates.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"

#include <fstream>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::HasSubstr;

/// What is said about wrong options, or "accepted".
std::string complaint(const std::function<void()>& use) {
  try {
    use();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

template <class Options>
using named_members = std::vector<std::pair<const char*, duration Options::*>>;

/// Less than nothing is refused by name, and the longest is legal or refused but never overflows.
template <class Options>
void expect_ranges(const char* owner,
                   const named_members<Options>& members,
                   const std::function<void(const Options&)>& check) {
  for (const auto& [name, member] : members) {
    for (const duration bad : {duration{-1}, duration::min()}) {
      Options o;
      o.*member = bad;
      EXPECT_THAT(complaint([&] { check(o); }),
                  HasSubstr(std::string(owner) + "::" + name + " is"));
    }
    Options o;
    o.*member = duration::max();
    const std::string said = complaint([&] { check(o); });
    EXPECT_TRUE(said == "accepted" || said.find(name) != std::string::npos) << said;
  }
}

void expect_ranges_of_watching() {
  expect_ranges<watch_options>(
      "watch_options",
      {{"ttl_floor", &watch_options::ttl_floor},
       {"ttl_cap", &watch_options::ttl_cap},
       {"stale_limit", &watch_options::stale_limit},
       {"backoff_base", &watch_options::backoff_base},
       {"backoff_max", &watch_options::backoff_max},
       {"min_forced_refresh_interval", &watch_options::min_forced_refresh_interval},
       {"first_family_wait", &watch_options::first_family_wait},
       {"absence_window", &watch_options::absence_window},
       {"rotation_memory", &watch_options::rotation_memory},
       {"rotation_end", &watch_options::rotation_end}},
      [](const watch_options& o) { validate(o); });
}

void expect_ranges_of_pools() {
  expect_ranges<pool_options>("pool_options",
                              {{"checkout_timeout", &pool_options::checkout_timeout},
                               {"connect_timeout", &pool_options::connect_timeout},
                               {"idle_timeout", &pool_options::idle_timeout},
                               {"max_lifetime", &pool_options::max_lifetime},
                               {"idle_check_after", &pool_options::idle_check_after},
                               {"warm_stagger", &pool_options::warm_stagger},
                               {"warm_backoff_base", &pool_options::warm_backoff_base},
                               {"warm_backoff_max", &pool_options::warm_backoff_max},
                               {"replacement_deadline", &pool_options::replacement_deadline},
                               {"drain_deadline", &pool_options::drain_deadline},
                               {"min_reset_interval", &pool_options::min_reset_interval}},
                              [](const pool_options& o) { validate(o); });
}

void expect_ranges_of_health() {
  expect_ranges<health_options>("health_options",
                                {{"ejection_base", &health_options::ejection_base},
                                 {"ejection_max", &health_options::ejection_max},
                                 {"slow_start", &health_options::slow_start},
                                 {"probe_interval", &health_options::probe_interval},
                                 {"probe_timeout", &health_options::probe_timeout}},
                                [](const health_options& o) {
                                  pool_options p;
                                  p.health = o;
                                  validate(p);
                                });
}

void expect_ranges_of_calls() {
  expect_ranges<retry_policy>("retry_policy",
                              {{"delay", &retry_policy::delay},
                               {"delay_max", &retry_policy::delay_max},
                               {"budget_window", &retry_policy::budget_window},
                               {"reset_grace", &retry_policy::reset_grace}},
                              [](const retry_policy& o) { validate(o); });
  expect_ranges<hedge_policy>("hedge_policy",
                              {{"delay", &hedge_policy::delay}},
                              [](const hedge_policy& o) { validate(o); });
  expect_ranges<client_options>("client_options",
                                {{"attempt_timeout", &client_options::attempt_timeout},
                                 {"default_timeout", &client_options::default_timeout}},
                                [](const client_options& o) { validate(o); });
}

void expect_ranges_of_discovery() {
  asio::io_context io;
  expect_ranges<discovery_options>(
      "discovery_options",
      {{"query_timeout", &discovery_options::query_timeout}},
      [&](const discovery_options& o) { (void)discovery::create(io.get_executor(), o); });
}

void durations_out_of_range() {
  expect_ranges_of_watching();
  expect_ranges_of_pools();
  expect_ranges_of_health();
  expect_ranges_of_calls();
  expect_ranges_of_discovery();
  // What Asio's own timers would fire at once.
  pool_row w;
  w.options.idle_timeout = w.options.max_lifetime = w.options.checkout_timeout = longest_duration;
  w.start({"10.0.0.1"});
  w.sim.advance(1h);
  EXPECT_EQ(w.open_now(), 1U);
  for (const auto bad : {std::chrono::seconds{-1}, std::chrono::seconds::max()}) {
    tcp_options o;
    o.keep_alive_idle = bad;
    EXPECT_THAT(complaint([&] { tcp_connector c(o); }), HasSubstr("keep_alive_idle"));
  }
}

void limits_that_contradict() {
  const auto said = [](auto change) {
    pool_options o;
    change(o);
    return complaint([&] { validate(o); });
  };
  EXPECT_THAT(said([](auto& o) { o.max_connections = 0; }), HasSubstr("max_connections is 0"));
  const auto more = said([](auto& o) { o.max_connections = o.max_total_connections + 1; });
  EXPECT_THAT(more, HasSubstr("max_connections is 1025"));
  EXPECT_THAT(more, HasSubstr("max_total_connections (1024)"));
  const auto idle = said([](auto& o) { o.min_idle = o.max_connections + 1; });
  EXPECT_THAT(idle, HasSubstr("min_idle is 65"));
  EXPECT_THAT(idle, HasSubstr("max_connections (64)"));
  // Nobody waits.
  pool_row w;
  w.options.queue_limit = 0;
  w.options.max_connections = 1;
  w.start({"10.0.0.1"});
  const auto held = w.take();
  const auto refused = w.checkout();
  w.sim.settle();
  EXPECT_EQ(refused->error, errc::queue_full);
}

void crossed_timeouts() {
  pool_options connects_belong_to_the_pool;
  connects_belong_to_the_pool.connect_timeout = 1min;
  EXPECT_NO_THROW(validate(connects_belong_to_the_pool));
  watch_options floor;
  floor.ttl_floor = 11s;
  EXPECT_THAT(complaint([&] { validate(floor); }), HasSubstr("ttl_cap (10 s)"));
  watch_options stale;
  stale.stale_limit = 9s;
  EXPECT_THAT(complaint([&] { validate(stale); }), HasSubstr("ttl_cap (10 s)"));
}

void shares_out_of_range() {
  for (const double bad : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    pool_options p;
    p.lifetime_jitter = bad;
    EXPECT_THAT(complaint([&] { validate(p); }), HasSubstr("lifetime_jitter is"));
    retry_policy r;
    r.jitter = bad;
    EXPECT_THAT(complaint([&] { validate(r); }), HasSubstr("jitter is"));
    r = {};
    r.budget_percent = bad < 1 ? bad : 101;
    EXPECT_THAT(complaint([&] { validate(r); }), HasSubstr("budget_percent is"));
    hedge_policy h;
    h.max_percent = bad < 1 ? bad : 101;
    EXPECT_THAT(complaint([&] { validate(h); }), HasSubstr("max_percent is"));
    p = {};
    p.health.ejection_jitter = bad;
    EXPECT_THAT(complaint([&] { validate(p); }), HasSubstr("ejection_jitter is"));
  }
  pool_options p;
  p.health.max_ejected_percent = 101;
  EXPECT_THAT(complaint([&] { validate(p); }), HasSubstr("max_ejected_percent is 101"));
  p = {};
  p.health.ejection_base = p.health.ejection_max + 1s;
  EXPECT_THAT(complaint([&] { validate(p); }), HasSubstr("ejection_max"));
}

void targets_that_lead_nowhere() {
  for (const char* text : {"tcp://a.test:0",
                           "tcp://a.test:65536",
                           "tcp://a.test",
                           "tcp://:80",
                           "https://",
                           "https://:443",
                           "gopher://a.test:70",
                           "a.test:80",
                           "static://",
                           ""}) {
    EXPECT_NE(complaint([&] { target t(text); }), "accepted") << text;
  }
}

void wrong_tls_files() {
  certificate_authority ca;
  const auto ours = ca.issue_for({"a.test"});
  const auto others = ca.issue_for({"a.test"});
  const std::string garbage = ca.directory() + "/garbage.pem";
  std::ofstream(garbage) << "no certificate\n";
  const auto said = [](auto change) {
    tls_options o;
    change(o);
    return complaint([&] { (void)make_connector(target("https://a.test"), {}, o); });
  };
  EXPECT_THAT(said([](auto& o) { o.ca_file = "/nowhere.pem"; }), HasSubstr("/nowhere.pem"));
  EXPECT_THAT(said([&](auto& o) { o.ca_file = garbage; }), HasSubstr("garbage.pem"));
  EXPECT_THAT(said([&](auto& o) { o.certificate_file = ours.certificate; }),
              HasSubstr("private_key_file"));
  EXPECT_THAT(said([&](auto& o) {
                o.certificate_file = ours.certificate;
                o.private_key_file = others.private_key;
              }),
              HasSubstr("private_key_file"));
}

void nobody_to_verify() {
  EXPECT_NE(complaint([] { (void)make_connector(target("https://:443"), {}, {}); }), "accepted");
  for (const char* nobody : {".", " ", "a..test"}) {
    tls_options o;
    o.server_name = nobody;
    EXPECT_THAT(complaint([&] { (void)make_connector(target("https://a.test"), {}, o); }),
                HasSubstr("server_name"));
  }
}

void options_of_the_dead() {
  http_row w;
  auto names = std::make_unique<discovery_options>();
  auto ours = std::make_unique<http_options>(w.options);
  auto text = std::make_unique<std::string>("static://" + w.server.authority());
  ours->user_agent = "somebody who lives long enough to be on the heap";
  names->hosts_path = "/nowhere/that/is/long/enough/to/be/on/the/heap";
  w.client.emplace(
      w.io.get_executor(), discovery::create(w.io.get_executor(), *names), *text, *ours);
  for (auto* s : {&ours->user_agent, &*names->hosts_path, text.get()}) s->assign(s->size(), 'x');
  names.reset();
  ours.reset();
  text.reset();
  w.expect_served(1);
  EXPECT_THAT(w.server.requests().at(0), HasSubstr("User-Agent: somebody who lives"));
}

void another_set_while_running() {
  told_row w;
  w.expect_served(1);
  raw_reply slow;
  slow.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "o", "l", "d"};
  slow.between = 50ms;
  w.server.next(slow);
  const auto running = w.start(http_request("GET", "/"));
  ASSERT_TRUE(w.wait([&] { return w.server.requests().size() == 2; }));
  w.set({&w.other});
  ASSERT_TRUE(w.wait([&] { return w.is_active(w.other); }));
  EXPECT_EQ(w.finish(running).response.body, "old");
  const auto before = w.server.requests().size();
  w.expect_served(10);
  EXPECT_EQ(w.server.requests().size(), before);
  EXPECT_TRUE(w.wait([&] { return w.server.open() == 0; }));
}

}  // namespace

std::vector<fault_row> option_rows() {
  return {
      {88, "durations_out_of_range", durations_out_of_range},
      {89, "limits_that_contradict", limits_that_contradict},
      {90, "crossed_timeouts", crossed_timeouts},
      {91, "shares_out_of_range", shares_out_of_range},
      {92, "port_host_or_scheme_missing", targets_that_lead_nowhere},
      {93, "tls_files_that_do_not_fit", wrong_tls_files},
      {94, "tls_without_an_identity", nobody_to_verify},
      {95, "options_whose_owner_has_died", options_of_the_dead},
      {96, "another_set_while_running", another_set_while_running},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
