// SPDX-License-Identifier: Apache-2.0
#include <redial/client/client.hpp>
#include <redial/core/version.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/metrics/metrics.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "exposition.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using scripted_client = basic_client<scripted_connection>;

class Metrics : public ::testing::Test {
 protected:
  void TearDown() override {
    client.reset();
    if (names) names->close();
    sim.settle();
  }
  void start(const std::string& where = "tcp://api.test:80") {
    discovery_options d;
    d.watch.seed = 1;
    names = discovery::create(sim.executor(), d, dns.share(), sim.time());
    client_options o;
    o.pool.seed = 1;
    client.emplace(sim.executor(), names, target(where), net, o, sim.time());
    figures.add(*names);
    figures.add(*client);
  }
  // One call whose attempts end with these errors, the last one again and again.
  void call(std::vector<error_code> ends) {
    auto left = std::make_shared<std::vector<error_code>>(std::move(ends));
    client->async_call(
        [left, this](attempt&, scripted_connection&, operation_handler done) {
          const error_code ec = left->front();
          if (left->size() > 1) left->erase(left->begin());
          auto held = std::make_shared<operation_handler>(std::move(done));
          sim.after(20ms, [held, ec] { (*held)(ec); });
        },
        call_options(5s).idempotent(),
        [](error_code, const call_history&) {});
    sim.advance(2s);
  }
  exposition read() {
    exposition e(figures.text());
    EXPECT_EQ(e.complaints(), "");
    return e;
  }

  simulation sim;
  scripted_dns dns{sim};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(sim);
  std::shared_ptr<discovery> names;
  std::optional<scripted_client> client;
  metrics figures;
};

measurements of_pool(const std::string& name, std::uint64_t opened) {
  measurements m;
  m.name = name;
  m.pool.emplace();
  m.pool->counters.opened = opened;
  m.pool->gauges.idle = 3;
  m.pool->histograms.connect.add(2ms, opened);
  return m;
}

TEST_F(Metrics, NothingRegisteredIsStillAPage) {
  const auto page = read();
  EXPECT_EQ(page.series.size(), 1U);
  EXPECT_EQ(page.value("redial_build_info", {{"version", std::string(version())}}), 1.0);
}

TEST_F(Metrics, SaysWhatTheCountersSay) {
  dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
  net->behave([] {
    connect_behaviour b;
    b.latency = 3ms;
    return b;
  }());
  start();
  sim.advance(1s);
  call({{}});
  call({errc::peer_closed, {}});
  call({boost::system::errc::make_error_code(boost::system::errc::protocol_error)});
  dns.set("api.test", {"10.0.0.2"}, 5s);
  sim.advance(12s);
  call({{}});
  const auto page = read();
  const exposition::label_set pool{{"pool", "tcp://api.test:80"}};
  const auto with = [&](const std::string& key, const std::string& value) {
    auto l = pool;
    l[key] = value;
    return l;
  };
  const auto p = client->connection_counters();
  const auto g = client->connection_gauges();
  const auto c = client->counters();
  const auto d = names->counters();
  EXPECT_EQ(page.value("redial_connections_created_total", pool), p.opened);
  EXPECT_EQ(page.value("redial_connects_total", pool), p.connects);
  EXPECT_EQ(page.sum("redial_connections_closed_total"), p.closed);
  EXPECT_GT(p.closed, 0U);
  EXPECT_EQ(page.value("redial_connections_closed_total", with("reason", "departed")),
            p.closed_by[static_cast<std::size_t>(close_reason::departed)]);
  EXPECT_EQ(page.value("redial_connections", with("state", "idle")), g.idle);
  EXPECT_GT(g.idle, 0U);
  EXPECT_EQ(page.value("redial_endpoints", with("state", "active")), 1.0);
  EXPECT_EQ(page.value("redial_endpoint_changes_total", with("change", "departed")), 1.0);
  EXPECT_EQ(page.value("redial_endpoint_changes_total", with("change", "added")), 2.0);
  EXPECT_EQ(page.value("redial_departed_use_seconds_count", pool), 1.0);
  EXPECT_EQ(page.value("redial_connect_duration_seconds_count", pool), p.opened);
  EXPECT_EQ(page.value("redial_checkout_duration_seconds_count", pool), p.checkouts);
  EXPECT_EQ(page.value("redial_calls_total", pool), 4.0);
  EXPECT_EQ(page.value("redial_call_failures_total", pool), c.failed_calls);
  EXPECT_EQ(page.value("redial_call_duration_seconds_count", pool), 4.0);
  EXPECT_EQ(page.value("redial_attempts_total", pool), c.attempts);
  EXPECT_EQ(page.value("redial_retries_total", pool), c.retries);
  EXPECT_GT(c.retries, 0U);
  EXPECT_EQ(page.value("redial_dns_queries_total"), d.queries);
  EXPECT_EQ(page.sum("redial_dns_refreshes_total"), d.answers + d.failures);
  EXPECT_EQ(page.value("redial_dns_refreshes_total", {{"result", "changed"}}), d.refreshes_changed);
  EXPECT_GE(d.refreshes_changed, 2U);
  EXPECT_EQ(page.value("redial_dns_lookup_duration_seconds_count"), d.answers + d.failures);
  EXPECT_EQ(page.value("redial_pending_checkouts", pool), 0.0);
}

TEST_F(Metrics, EveryStateReasonAndChangeIsThereFromTheStart) {
  start();
  const auto page = read();
  EXPECT_EQ(page.label_values("reason").size(), close_reason_count);
  EXPECT_EQ(page.label_values("change").size(), endpoint_change_count);
  EXPECT_EQ(page.label_values("result").size(), 4U);
  EXPECT_EQ(page.value("redial_resets_suppressed_total", {{"pool", "tcp://api.test:80"}}), 0.0);
}

TEST_F(Metrics, TwoOfOneNameAreAddedUp) {
  figures.add_meter([] { return of_pool("a", 4); });
  figures.add_meter([] { return of_pool("b", 5); }, "a");
  const auto page = read();
  EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "a"}}), 9.0);
  EXPECT_EQ(page.value("redial_connections", {{"pool", "a"}, {"state", "idle"}}), 6.0);
  EXPECT_EQ(page.value("redial_connect_duration_seconds_count", {{"pool", "a"}}), 9.0);
}

TEST_F(Metrics, CountersOfWhatIsGoneStayAndGaugesGo) {
  bool gone = false;
  figures.add_meter([&]() -> std::optional<measurements> {
    if (gone) return std::nullopt;
    return of_pool("a", 4);
  });
  (void)read();
  gone = true;
  for (int i = 0; i < 3; ++i) {
    const auto page = read();
    EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "a"}}), 4.0);
    EXPECT_EQ(page.value("redial_connect_duration_seconds_count", {{"pool", "a"}}), 4.0);
    EXPECT_EQ(page.value("redial_connections", {{"pool", "a"}, {"state", "idle"}}), std::nullopt);
  }
  figures.add_meter([] { return of_pool("a", 2); });
  EXPECT_EQ(read().value("redial_connections_created_total", {{"pool", "a"}}), 6.0);
}

TEST_F(Metrics, ObjectsAreNotKeptAlive) {
  dns.set("api.test", {"10.0.0.1"}, 5s);
  start();
  sim.advance(1s);
  ASSERT_EQ(read().value("redial_connections_created_total", {{"pool", "tcp://api.test:80"}}), 1.0);
  client.reset();
  names.reset();
  sim.settle();
  EXPECT_EQ(net->counts().open, 0U);
  const auto page = read();
  EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "tcp://api.test:80"}}), 1.0);
  EXPECT_EQ(page.sum("redial_connections"), 0.0);
  EXPECT_EQ(page.label_values("state").size(), 0U);
}

TEST_F(Metrics, AMeterThatThrowsLosesNothing) {
  bool gone = false;
  int throws = 0;
  figures.add_meter([&]() -> std::optional<measurements> {
    if (gone) return std::nullopt;
    return of_pool("a", 4);
  });
  figures.add_meter([&]() -> std::optional<measurements> {
    if (throws-- > 0) throw std::runtime_error("meter");
    return of_pool("b", 1);
  });
  (void)read();
  gone = true;
  throws = 2;
  EXPECT_THROW((void)figures.text(), std::runtime_error);
  EXPECT_THROW((void)figures.text(), std::runtime_error);
  const auto page = read();
  EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "a"}}), 4.0);
  EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "b"}}), 1.0);
}

TEST_F(Metrics, Fault168_NamesFromOutsideAreEscapedAndCut) {
  const std::string hostile = "x\"} 1\nredial_fake_total 7\n\\\x80" + std::string(5000, 'y');
  figures.add_meter([&] { return of_pool(hostile, 1); });
  const auto page = read();
  EXPECT_EQ(page.value("redial_fake_total"), std::nullopt);
  const auto shown = page.label_values("pool");
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown.begin()->find("x\"} 1\\x0aredial_fake_total 7\\x0a\\\\x80yyy"), 0U)
      << *shown.begin();
  EXPECT_LE(shown.begin()->size(), 123U);
  EXPECT_TRUE(shown.begin()->ends_with("y..."));
}

TEST(MetricsLimits, Fault168_LabelsAreBoundedAndTheRestIsAddedUp) {
  metrics_options o;
  o.max_pools = 3;
  metrics figures(o);
  for (int i = 0; i < 50; ++i) {
    figures.add_meter([i] { return of_pool("pool" + std::to_string(i), 2); });
  }
  const exposition page(figures.text());
  EXPECT_EQ(page.complaints(), "");
  EXPECT_EQ(page.label_values("pool").size(), 4U);
  EXPECT_EQ(page.value("redial_connections_created_total", {{"pool", "other"}}), 94.0);
  EXPECT_EQ(page.sum("redial_connections_created_total"), 100.0);
}

TEST(MetricsLimits, Fault123_LargeCountersAreWrittenInFull) {
  metrics figures;
  figures.add_meter([] { return of_pool("a", 18446744073709551615U); });
  EXPECT_NE(figures.text().find("redial_connections_created_total{pool=\"a\"} "
                                "18446744073709551615\n"),
            std::string::npos);
}

TEST(MetricsLimits, OptionsAndMetersAreChecked) {
  metrics_options o;
  o.max_pools = 0;
  EXPECT_THROW(metrics{o}, std::invalid_argument);
  metrics figures;
  EXPECT_THROW(figures.add_meter(meter()), std::invalid_argument);
}

TEST(MetricsThreads, ReadingAddingAndEndingMayMeet) {
  metrics figures;
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) EXPECT_EQ(exposition(figures.text()).complaints(), "");
  });
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_shared<int>(i);
    figures.add_meter([weak = std::weak_ptr<int>(alive)]() -> std::optional<measurements> {
      if (!weak.lock()) return std::nullopt;
      return of_pool("a", 1);
    });
  }
  stop = true;
  reader.join();
  EXPECT_EQ(exposition(figures.text()).sum("redial_connections"), 0.0);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
