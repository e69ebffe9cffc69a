// SPDX-License-Identifier: Apache-2.0
// The machine under random histories: after every step all its counts agree, everybody who waits
// is answered once, and when it is closed nothing is left.

#include "pool/pool_core.hpp"

#include <redial/pool/health_probe.hpp>

#include "pool/pool_core_hot.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/system_executor.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

class dummy_connection final : public pooled_connection {
 public:
  explicit dummy_connection(int& open) : open_(open) { ++open_; }
  ~dummy_connection() override { --open_; }
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return true; }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return {}; }

 private:
  int& open_;
};

class dummy_observer final : public idle_observer {
 public:
  void stirred() override {}
};

/// A user's policy without any.
class whim final : public endpoint_chooser {
 public:
  std::size_t choose(const choice_request& r) noexcept override {
    return r.random % 5 == 0 ? none : static_cast<std::size_t>(r.random % r.among.size());
  }
};

/// Plays driver, network, DNS and callers by dice.
class history {
 public:
  explicit history(std::uint64_t seed) : dice_(seed), core_(random_options(), seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      pool_actions out;
      step(out);
      core_.follow_drain(now_, out);
      take(out);
      check();
      if (::testing::Test::HasFailure()) return;
    }
    finish();
  }

 private:
  int roll(int sides) { return static_cast<int>(dice_() % static_cast<unsigned>(sides)); }

  const pool_options& random_options() {
    options_.max_connections = static_cast<std::size_t>(1 + roll(4));
    options_.max_total_connections = options_.max_connections + static_cast<std::size_t>(roll(6));
    options_.min_idle = roll(3) == 0 ? 1 : 0;
    options_.queue_limit = static_cast<std::size_t>(1 + roll(8));
    options_.max_warming = static_cast<std::size_t>(1 + roll(3));
    options_.exclusive = roll(5) == 0;
    options_.identity_proven = roll(2) == 0;
    options_.max_lifetime = roll(2) == 0 ? 20s : 1h;
    options_.balance = static_cast<balancing>(roll(3));
    if (roll(4) == 0) options_.chooser = std::make_shared<whim>();
    options_.max_connecting = roll(3) == 0 ? static_cast<std::size_t>(1 + roll(3)) : 128;
    options_.health.consecutive_failures = static_cast<std::uint32_t>(roll(4));
    options_.health.ejection_base = 1s;
    options_.health.slow_start = roll(2) == 0 ? 5s : 0s;
    options_.health.unhealthy_after = 2;
    options_.health.max_ejected_percent = roll(2) == 0 ? 100 : 50;
    options_.health.panic_threshold_percent = roll(3) == 0 ? 0 : 50;
    if (roll(2) == 0) options_.health.probe = tcp_probe();
    tiers_ = 1 + roll(3);
    weights_ = roll(2) == 0 ? 1 : 5;
    return options_;
  }

  void step(pool_actions& out) {
    switch (roll(18)) {
      case 0:
      case 1:
        return checkout(out);
      case 2:
      case 3:
      case 4:
        return return_one(out);
      case 5:
        return end_one(out);
      case 6:
        return publish(out);
      case 7:
      case 8:
      case 9:
        return connect(out);
      case 10:
        return cancel();
      case 11:
        return watch(out);
      case 12:
        return stir(out);
      case 13:
        if (roll(5) == 0) core_.reset({}, now_, out);
        return;
      case 14:
        return quick_checkout(out);
      case 15:
        if (roll(60) == 0) drain(out);
        return;
      default:
        return pass_time(out);
    }
  }

  void checkout(pool_actions& out) {
    const ticket t = ++tickets_;
    checkout_options o;
    if (roll(3) == 0) o.deadline = now_ + roll(3000) * 1ms;
    for (int i = roll(3); i > 0; --i) o.tried.push_back({dice_() % (last_id_ + 1), now_});
    if (roll(2) == 0) o.key = roll(8);
    if (pool_slot* s = core_.take_idle(o.tried, o.key)) {
      leased_.insert(s);
      return;
    }
    if (core_.enqueue(t, o, now_, out)) return;
    waiting_.insert(t);
    if (options_.chooser == nullptr && core_.table().choice().guides(o.key) && o.tried.empty()) {
      keys_[t] = o.key.value();
    }
    if (o.tried.empty() && !core_.table().choice().guides(o.key)) plain_.insert(t);
  }
  doom_reason maybe_dead(int sides) {
    return roll(sides) != 0 ? doom_reason{} : close_reason::peer_closed;
  }
  // What is found dead was not lent.
  void quick_checkout(pool_actions& out) {
    pool_slot* s = core_.take_idle();
    if (s == nullptr) return;
    if (roll(6) == 0) {
      if (roll(3) == 0) publish(out);  // while it is asked
      if (roll(50) == 0) core_.close(now_, out);
      return core_.drop_dead(*s, close_reason::peer_closed, now_, out);
    }
    leased_.insert(s);
    core_.feed_starved(now_, out);
    if (core_.is_short_of_spares(*s)) core_.refill(now_, out);
  }
  void drain(pool_actions& out) {
    drain_plan plan;
    plan.refuses = roll(2) == 0;
    if (roll(2) == 0) plan.by = now_ + roll(5000) * 1ms;
    core_.drain(plan, now_, out);
  }
  pool_slot* any_lease() {
    if (leased_.empty()) return nullptr;
    return *std::next(leased_.begin(), roll(static_cast<int>(leased_.size())));
  }
  void return_one(pool_actions& out) {
    if (pool_slot* s = any_lease()) {
      last_id_ = s->home->id;
      leased_.erase(s);
      if (!core_.give_back(*s)) core_.end_lease(*s, lease_end::returned, {}, now_, out);
    }
  }
  void end_one(pool_actions& out) {
    if (pool_slot* s = any_lease()) {
      leased_.erase(s);
      const error_code why = roll(12) == 0 ? error_code(errc::identity_mismatch) : error_code{};
      core_.end_lease(*s, static_cast<lease_end>(1 + roll(7)), why, now_, out);
    }
  }
  void publish(pool_actions& out) {
    snapshot s;
    s.generation = ++generation_;
    s.state = freshness::fresh;
    if (roll(12) == 0) {
      s.error = errc::name_gone;
      s.definite = roll(2) == 0;
    }
    for (int i = 0; i < 6 && !s.error; ++i) {
      if (roll(2) == 0) continue;
      snapshot_entry e;
      const std::string text =
          i < 4 ? "10.0.0." + std::to_string(i + 1) : "fe00::" + std::to_string(i);
      e.where = endpoint(boost::asio::ip::make_address(text), 80);
      e.life = static_cast<std::uint64_t>(generation_ / 3);
      e.where.priority = static_cast<std::uint16_t>(roll(tiers_));
      e.where.weight = static_cast<std::uint16_t>(roll(weights_));
      if (roll(4) == 0) e.presence = presence::absent;
      e.doubted = e.presence == presence::absent && roll(2) == 0;
      s.endpoints.push_back(e);
    }
    core_.apply(s, now_, out);
  }
  void connect(pool_actions& out) {
    if (openings_.empty()) return;
    auto it = std::next(openings_.begin(), roll(static_cast<int>(openings_.size())));
    const auto o = it->second;
    openings_.erase(it);
    if (o.slot->number != o.number || o.slot->state != slot_state::opening) return;  // late
    switch (roll(5)) {
      case 4:
        if (roll(3) == 0) return core_.open_failed(*o.slot, errc::identity_mismatch, now_, out);
        return core_.check_failed(*o.slot,
                                  std::make_shared<dummy_connection>(open_),
                                  errc::unavailable_status,
                                  now_,
                                  out);
      case 0:
        return core_.open_failed(*o.slot, boost::asio::error::connection_refused, now_, out);
      case 1:
        if (roll(2) == 0) {
          const auto local = make_error_code(boost::system::errc::too_many_files_open);
          return core_.open_failed(*o.slot, local, now_, out);
        }
        [[fallthrough]];
      default:
        o.slot->watcher = std::make_shared<dummy_observer>();
        if (o.checked && roll(5) == 0) o.slot->doom = close_reason::spent;
        return core_.opened(*o.slot, std::make_shared<dummy_connection>(open_), now_, out);
    }
  }
  void cancel() {
    if (waiting_.empty()) return;
    const ticket t = *std::next(waiting_.begin(), roll(static_cast<int>(waiting_.size())));
    EXPECT_TRUE(core_.cancel(t));
    EXPECT_FALSE(core_.cancel(t));
    waiting_.erase(t);
  }
  void watch(pool_actions& out) {
    if (watches_.empty()) return;
    const auto w = watches_.back();
    watches_.pop_back();
    if (w.slot->number != w.number || w.slot->state != slot_state::checking) return;
    w.slot->watch = roll(4) == 0 ? watching::no : watching::yes;
    if (w.slot->watch == watching::no) w.slot->armed = false;
    core_.checked(*w.slot, maybe_dead(4), now_, out);
  }
  void stir(pool_actions& out) {
    for (pool_slot& s : core_.slots()) {
      if (s.state == slot_state::vacant || !s.armed || roll(3) != 0) continue;
      if (core_.stirred(s)) return core_.checked(s, maybe_dead(2), now_, out);
    }
  }
  // As a scheduler would: through every instant that the machine asks for.
  void pass_time(pool_actions& out) {
    const time_point end = now_ + (roll(10) == 0 ? 40s : roll(2000) * 1ms);
    for (int turns = 0; core_.due() <= end; ++turns) {
      ASSERT_LT(turns, 100'000) << "runs in circles";
      now_ = std::max(now_, core_.due());
      core_.on_time(now_, out);
      core_.follow_drain(now_, out);
      ASSERT_GT(core_.due(), now_) << "asks for the same instant again";
    }
    now_ = end;
  }

  void take(pool_actions& out) {
    for (const auto& w : out.waits_over) {
      EXPECT_EQ(waiting_.erase(w.who), 1U) << "answered, and not waiting";
      EXPECT_NE(static_cast<bool>(w.error), w.slot != nullptr);
      if (w.slot != nullptr) {
        EXPECT_TRUE(leased_.insert(w.slot).second) << "lent twice";
      }
    }
    for (const auto& o : out.openings) openings_[o.number] = o;
    watches_.insert(watches_.end(), out.watches.begin(), out.watches.end());
    for (auto& w : watches_) w.connection.reset();
  }

  void check() {
    std::map<slot_state, std::size_t> states;
    std::map<const endpoint_entry*, std::map<slot_state, std::uint32_t>> by_home;
    for (pool_slot& s : core_.slots()) {
      ++states[s.state];
      if (s.state == slot_state::vacant) continue;
      ASSERT_NE(s.home, nullptr);
      ++by_home[s.home][s.state];
      const bool lent = s.state == slot_state::leased || s.state == slot_state::draining;
      EXPECT_EQ(lent, leased_.contains(&s));
      if (s.state == slot_state::idle) {
        EXPECT_TRUE(s.home->is_usable());
      }
      if (lent && s.home->presence == standing::drained) {
        EXPECT_EQ(s.state, slot_state::draining);
      }
      EXPECT_EQ(s.connection != nullptr, s.state != slot_state::opening);
    }
    const auto g = core_.gauges();
    EXPECT_EQ(g.connecting, states[slot_state::opening]);
    EXPECT_EQ(g.idle, states[slot_state::idle] + states[slot_state::checking]);
    EXPECT_EQ(g.leased, states[slot_state::leased]);
    EXPECT_EQ(g.draining, states[slot_state::draining]);
    EXPECT_EQ(g.waiting, waiting_.size());
    EXPECT_LE(g.waiting, options_.queue_limit);
    EXPECT_LE(g.connecting, options_.max_connecting);
    EXPECT_LE(g.connecting + g.idle + g.leased + g.draining, options_.max_total_connections);
    check_tiers();
    std::size_t offered = 0;  // to anybody
    for (const endpoint_entry* e : core_.table().choice().usable()) {
      if (e->is_serving()) offered += e->idle;
    }
    if (offered > 0) {
      for (const ticket t : waiting_)
        EXPECT_FALSE(plain_.contains(t)) << "waits beside an idle one";
    }
    check_keys();
    const auto c = core_.counters();
    EXPECT_LE(c.closed, c.opened);
    EXPECT_EQ(std::accumulate(c.closed_by.begin(), c.closed_by.end(), std::uint64_t{0}), c.closed);
    EXPECT_LE(c.retained_leases, c.checkouts);
    for (auto& [home, of] : by_home) check_home(*home, of);
    for (const auto* list : {&core_.table().current(), &core_.table().departed()}) {
      for (const endpoint_entry* e : *list) {
        if (!by_home.contains(e)) {
          EXPECT_EQ(e->connections, 0U);
        }
        const bool kept = e->presence != standing::drained || e->connections > 0;
        EXPECT_TRUE(kept) << "a drained endpoint without connections is not forgotten";
        const bool panic = core_.table().is_panicking() && e->state == health::ejected;
        EXPECT_EQ(e->is_usable(),
                  (e->state == health::active || panic) && e->presence != standing::drained);
        EXPECT_TRUE(e->state != health::quarantined ||
                    e->leases == by_home[e][slot_state::draining])
            << "leased, and somebody else answers there";
        EXPECT_TRUE(e->state != health::ejected || !e->has_departed() ||
                    e->presence == standing::drained);
        if (options_.exclusive && e->has_departed()) {
          EXPECT_FALSE(e->is_usable());
        }
      }
    }
  }
  /// Exactly the best tier that can serves, or all when none can; before anybody serves, perhaps
  /// nobody, and only as long as a better tier has something to try for the first time.
  void check_tiers() {
    const selector& choice = core_.table().choice();
    std::set<std::uint16_t> up;
    for (const endpoint_entry* e : choice.usable()) {
      EXPECT_EQ(e->counted_up, !is_down(*e));
      if (!is_down(*e)) up.insert(e->priority);
      const bool inside = choice.range() && choice.range()->contains(e->priority);
      EXPECT_EQ(e->is_serving(), inside);
    }
    if (choice.usable().empty()) {
      EXPECT_FALSE(choice.range());
    } else if (choice.range() && !up.empty()) {
      EXPECT_EQ(choice.range()->best, *up.begin());
      EXPECT_EQ(choice.range()->worst, *up.begin());
    } else if (!choice.range()) {
      const auto& all = core_.table().current();
      EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const endpoint_entry* e) {
        return e->state == health::warming && e->failures == 0 && core_.table().may_connect(*e) &&
               (up.empty() || e->priority < *up.begin());
      })) << "nobody serves, and there is nothing to wait for";
    }
  }
  /// Nobody waits beside an idle connection of the endpoint that their key belongs to.
  void check_keys() {
    const selector& choice = core_.table().choice();
    if (weights_ > 1 || !choice.range() || choice.range()->best != choice.range()->worst) return;
    for (const auto& [t, key] : keys_) {
      if (!waiting_.contains(t)) continue;
      const endpoint_entry* home = nullptr;
      for (const endpoint_entry* e : choice.usable()) {
        if (!e->is_serving() || !choice.can_serve(*e)) continue;
        if (home == nullptr || mix(e->hash ^ key) > mix(home->hash ^ key)) home = e;
      }
      EXPECT_TRUE(home == nullptr || home->idle == 0);
    }
  }
  void check_home(const endpoint_entry& e, std::map<slot_state, std::uint32_t>& of) {
    EXPECT_EQ(e.opening, of[slot_state::opening]);
    EXPECT_EQ(e.idle, of[slot_state::idle]);
    EXPECT_EQ(e.leases, of[slot_state::leased] + of[slot_state::draining]);
    EXPECT_EQ(e.connections, e.opening + e.idle + e.leases + of[slot_state::checking]);
    EXPECT_LE(e.connections, options_.max_connections);
    EXPECT_TRUE(e.idle == 0 || e.maybe_idle_at != endpoint_entry::nowhere);
    std::uint32_t listed = 0;
    for (const pool_slot* s = e.idle_top; s != nullptr; s = s->below) ++listed;
    EXPECT_EQ(listed, e.idle);
  }

  void finish() {
    pool_actions out;
    core_.close(now_, out);
    take(out);
    out = {};
    EXPECT_TRUE(waiting_.empty());
    EXPECT_EQ(core_.due(), pool_core::never);
    EXPECT_EQ(core_.take_idle(), nullptr);
    check();
    for (pool_slot* s : std::set<pool_slot*>(leased_)) {
      leased_.erase(s);
      core_.end_lease(*s, lease_end::returned, {}, now_, out);
    }
    while (!watches_.empty()) watch(out);
    out = {};
    for (pool_slot& s : core_.slots()) EXPECT_EQ(s.state, slot_state::vacant);
    EXPECT_EQ(core_.counters().opened, core_.counters().closed);
    EXPECT_TRUE(core_.table().departed().empty());
    EXPECT_EQ(open_, 0);
  }

  std::mt19937_64 dice_;
  pool_options options_;
  int tiers_ = 1;
  int weights_ = 1;
  int open_ = 0;
  pool_core core_;
  time_point now_ = time_point{} + 1h;
  std::uint64_t generation_ = 0;
  std::uint64_t last_id_ = 1;
  ticket tickets_ = 0;
  std::set<ticket> waiting_;
  std::set<ticket> plain_;  // takes any connection
  std::map<ticket, std::uint64_t> keys_;
  std::set<pool_slot*> leased_;
  std::map<std::uint64_t, pool_actions::opening> openings_;
  std::vector<pool_actions::watch> watches_;
};

TEST(PoolCore, EveryHistoryKeepsItsCounts) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    history(seed).run(250);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
