// SPDX-License-Identifier: Apache-2.0

// A day in the life of one discovery: names move, scale, rotate, fail in every way and come back.

#include <redial/discovery/discovery.hpp>
#include <redial/testing/event_recorder.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace redial {
namespace {

using namespace std::chrono_literals;
using testing::scripted_dns;
using testing::simulation;

/// Folds every snapshot of one name into a number, and checks what must always hold.
struct witness {
  void operator()(const snapshot_ptr& s) {
    EXPECT_EQ(s->generation, generation + 1);
    generation = s->generation;
    for (std::size_t i = 0; i < s->endpoints.size(); ++i) {
      const auto& e = s->endpoints[i];
      EXPECT_TRUE(i == 0 || s->endpoints[i - 1].where < e.where);
      fold(std::hash<std::string>{}(to_string(e.where)) + e.life * 4 + (e.doubted ? 2U : 0U));
    }
    fold(static_cast<std::uint64_t>(s->state) * 2 + (s->definite ? 1U : 0U));
    if (!s->endpoints.empty()) was_good = true;
    const bool emptied = was_good && s->endpoints.empty();
    EXPECT_TRUE(!emptied || s->definite) << "emptied by a mere failure";
    last = s;
  }
  void fold(std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3U; }

  std::uint64_t generation = 0;
  std::uint64_t hash = 0xcbf29ce484222325U;
  bool was_good = false;
  snapshot_ptr last;
};

class dns_day {
 public:
  explicit dns_day(std::uint64_t seed) : sim_(seed), dns_(sim_) {
    discovery_options o;
    o.watch.seed = seed;
    names_ = discovery::create(sim_.executor(), o, dns_.share(), sim_.time());
    dns_.latency(5ms);
    for (std::size_t i = 0; i < witnesses_.size(); ++i) {
      churn(i);
      subscriptions_.push_back(names_->subscribe(
          target("http://" + name(i)), sim_.executor(), [this, i](const snapshot_ptr& s) {
            witnesses_[i](s);
          }));
    }
  }

  void run(duration length) {
    const time_point end = sim_.now() + length;
    while (sim_.now() < end) {
      sim_.advance(std::chrono::seconds{pick(20, 200)});
      churn(pick(0, witnesses_.size() - 1));
      const auto& s = subscriptions_[pick(0, witnesses_.size() - 1)];
      if (pick(0, 2) == 0) s.report({address(2), 80}, endpoint_outcome::connect_refused);
    }
  }

  /// All well again: after the longest backoff and the longest evidence, belief equals truth.
  void heal_and_check() {
    for (std::size_t i = 0; i < witnesses_.size(); ++i) dns_.set(name(i), {"10.9.9.9"}, 60s);
    sim_.advance(20min);
    for (const witness& w : witnesses_) {
      ASSERT_TRUE(w.last);
      ASSERT_EQ(w.last->endpoints.size(), 1U);
      EXPECT_EQ(to_string(w.last->endpoints[0].where), "10.9.9.9:80");
      EXPECT_EQ(w.last->state, freshness::fresh);
      EXPECT_FALSE(w.last->error);
    }
  }

  [[nodiscard]] std::vector<std::uint64_t> trace() const {
    std::vector<std::uint64_t> all;
    for (const witness& w : witnesses_) {
      all.push_back(w.generation);
      all.push_back(w.hash);
    }
    all.push_back(names_->counters().queries);
    return all;
  }

  [[nodiscard]] dns_counters counters() const { return names_->counters(); }
  [[nodiscard]] std::size_t most_in_flight() const { return dns_.most_in_flight_per_question(); }
  [[nodiscard]] std::size_t timers() const { return sim_.time()->armed_timers(); }
  [[nodiscard]] bool ends_cleanly() {
    names_->close();
    return sim_.left_over().none();
  }

 private:
  static std::string name(std::size_t i) { return "n" + std::to_string(i) + ".test"; }
  std::size_t pick(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(sim_.rng());
  }
  redial::address address(std::size_t n) {
    return boost::asio::ip::make_address_v4(0x0a000000U + static_cast<std::uint32_t>(n));
  }
  std::vector<std::string> some(std::size_t shown, std::size_t of) {
    std::vector<std::string> all;
    for (std::size_t n = 1; n <= of; ++n) all.push_back(address(n).to_string());
    std::shuffle(all.begin(), all.end(), sim_.rng());
    all.resize(shown);
    return all;
  }

  void churn(std::size_t i) {
    const std::chrono::seconds ttl{pick(0, 90)};
    switch (pick(0, 6)) {
      case 0:
        return dns_.fail(name(i), answer_outcome::server_failure);
      case 1:
        return dns_.silence(name(i));
      case 2:
        return dns_.fail(name(i), answer_outcome::name_not_found);
      case 3: {
        std::vector<std::vector<std::string>> samples;
        for (int n = 0; n < 12; ++n) samples.push_back(some(8, 20));
        return dns_.sequence(name(i), samples, ttl, true);
      }
      default:
        return dns_.set(name(i), some(pick(1, 6), 12), ttl);
    }
  }

  simulation sim_;
  scripted_dns dns_;
  std::shared_ptr<discovery> names_;
  std::vector<witness> witnesses_ = std::vector<witness>(2);
  std::vector<subscription> subscriptions_;
};

TEST(DnsDay, ADayOfChurn) {
  dns_day day(1);
  day.run(24h);
  EXPECT_EQ(day.most_in_flight(), 1U);
  EXPECT_LE(day.timers(), 16U) << "one per name, and those of the script";
  // The bound on our own rate: at TTL 0 one question per second, family and name, forced ones
  // apart.
  EXPECT_LE(day.counters().queries, 2U * 2U * 86400U);
  EXPECT_GE(day.counters().queries, 2U * 2U * 86400U / 20U);
  day.heal_and_check();
  EXPECT_TRUE(day.ends_cleanly());
}

TEST(DnsDay, TheSameSeedIsTheSameDay) {
  const auto trace = [](std::uint64_t seed) {
    dns_day day(seed);
    day.run(1h);
    return day.trace();
  };
  EXPECT_EQ(trace(7), trace(7));
  EXPECT_NE(trace(7), trace(8));
}

}  // namespace
}  // namespace redial
