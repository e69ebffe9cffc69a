// SPDX-License-Identifier: Apache-2.0
// Turns, keys and choosers. Shares of keys are checked against five standard deviations of the
// binomial (n keys, each going to one endpoint with probability p): a right implementation misses
// one in two million such checks; keys and seeds are fixed all the same.

#include "endpoints/balancer.hpp"

#include "endpoints/endpoint_hash.hpp"
#include "endpoints/selector.hpp"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

const auto anybody = [](const endpoint_entry&) { return true; };

void expect_share(int seen, int of, double share) {
  EXPECT_NEAR(seen, of * share, 5 * std::sqrt(of * share * (1 - share)));
}

endpoint numbered(std::uint32_t n) { return {boost::asio::ip::address_v4(0x0A000000 + n), 80}; }

struct Policy : ::testing::Test {
  explicit Policy(balancing b = balancing::least_loaded) { rules.balance = b; }

  void start(std::uint64_t seed = 5) {
    rules.max_connections = 64;
    choice.emplace(seed, rules);
  }
  endpoint_entry& make(std::uint16_t weight = 0) {
    if (!choice) start();
    endpoint_entry& e = entries.emplace_back();
    e.id = entries.size();
    e.where = numbered(static_cast<std::uint32_t>(e.id));
    e.hash = hash_of(e.where);
    e.weight = weight;
    e.idle = e.connections = 10;
    choice->admit(e);
    return e;
  }
  void make_many(int n) {
    for (int i = 0; i < n; ++i) make();
  }
  std::map<std::uint64_t, int> turns(int times) {
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < times; ++i) ++seen[choice->pick_idle()->id];
    return seen;
  }
  std::vector<std::uint64_t> homes(int keys) {
    std::vector<std::uint64_t> all;
    for (int k = 0; k < keys; ++k) all.push_back(choice->pick_home(k, anybody)->id);
    return all;
  }
  static void empty(endpoint_entry& e, std::uint32_t leases) {
    e.idle = 0;
    e.leases = e.connections = leases;
  }

  endpoint_rules rules;
  std::deque<endpoint_entry> entries;
  std::optional<selector> choice;
};

struct RoundRobin : Policy {
  RoundRobin() : Policy(balancing::round_robin) {}

  static int spread(const std::map<std::uint64_t, int>& seen) {
    const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto [low, high] = std::minmax_element(seen.begin(), seen.end(), less);
    return high->second - low->second;
  }
};

TEST_F(RoundRobin, EverybodyInTurn) {
  make_many(7);
  for (const int times : {7, 8, 13, 7000, 7001}) {
    const auto seen = turns(times);
    EXPECT_EQ(seen.size(), 7U);
    EXPECT_LE(spread(seen), 1) << times;
  }
}

TEST_F(RoundRobin, StaysEvenWhileOthersComeAndGo) {
  make_many(8);
  std::map<std::uint64_t, int> seen;
  for (int i = 0; i < 400; ++i) {
    // Four stay, the others are taken out and put back, one of them after every third turn.
    endpoint_entry& e = entries[4 + static_cast<std::size_t>(i) % 4];
    e.is_usable() ? choice->remove(e) : choice->admit(e);
    for (int n = 0; n < 3; ++n) ++seen[choice->pick_idle()->id];
  }
  std::map<std::uint64_t, int> stayed;
  for (std::uint64_t id = 1; id <= 4; ++id) stayed[id] = seen[id];
  EXPECT_LE(spread(stayed), 1);
  EXPECT_GT(stayed[1], 400 * 3 / 8);
  for (std::uint64_t id = 5; id <= 8; ++id) EXPECT_LE(seen[id], stayed[1] + 1) << id;
}

TEST_F(RoundRobin, ANewcomerDoesNotCatchUp) {
  make_many(3);
  (void)turns(3000);
  make();
  EXPECT_LE(spread(turns(400)), 1);
}

TEST_F(RoundRobin, PoolsBeginElsewhere) {
  std::map<std::uint64_t, int> first;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    entries.clear();
    start(seed);
    make_many(4);
    ++first[choice->pick_idle()->id];
  }
  for (std::uint64_t id = 1; id <= 4; ++id) expect_share(first[id], 400, 0.25);
}

TEST_F(RoundRobin, FollowsWeights) {
  make(100);
  make(300);
  make(0);  // one part in 401 (RFC 2782)
  const auto seen = turns(4010);
  EXPECT_NEAR(seen.at(1), 1000, 2);
  EXPECT_NEAR(seen.at(2), 3000, 2);
  EXPECT_NEAR(seen.at(3), 10, 2);
}

TEST_F(RoundRobin, WithoutAnIdleConnectionATurnIsLostAndOneIsAskedFor) {
  make_many(3);
  empty(entries[1], 1);
  EXPECT_EQ(turns(300).count(2), 0U);
  EXPECT_EQ(choice->take_starved(), &entries[1]);
  entries[1].idle = 5;
  choice->gained_idle(entries[1]);
  EXPECT_LE(spread(turns(300)), 1);  // and what it has lost is lost
}

TEST_F(RoundRobin, NobodyIdleIsNoChoiceAndNoTurn) {
  make_many(2);
  for (auto& e : entries) empty(e, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(choice->pick_idle(), nullptr);
  for (auto& e : entries) e.idle = 1;
  EXPECT_LE(spread(turns(2)), 0);
}

TEST_F(RoundRobin, ConnectsAreEvenToo) {
  make_many(4);
  for (auto& e : entries) empty(e, 0);
  for (int i = 0; i < 40; ++i) {
    endpoint_entry* e = choice->pick(anybody);
    ++e->opening;
    ++e->connections;
  }
  for (const auto& e : entries) EXPECT_EQ(e.opening, 10U);
}

TEST_F(RoundRobin, WhatWaitersGotCountsButIsForgiven) {
  make_many(3);
  for (int i = 0; i < 1000; ++i) choice->lent_directly(entries[0]);
  auto seen = turns(30);
  EXPECT_LT(seen[1], 10);
  EXPECT_GE(seen[1], 7);
  seen = turns(30);
  EXPECT_EQ(seen[1], 10);
}

TEST_F(RoundRobin, MakingRoomTakesNobodysTurn) {
  make_many(2);
  const auto* first = choice->pick_idle();
  for (int i = 0; i < 5; ++i) EXPECT_NE(choice->pick_spare(anybody), nullptr);
  EXPECT_NE(choice->pick_idle(), first);
}

struct ByKey : Policy {
  ByKey() : Policy(balancing::consistent_hash) {}
};

TEST_F(ByKey, WithoutAKeyTheDefaultDecides) {
  make_many(4);
  EXPECT_FALSE(choice->guides({}));
  EXPECT_TRUE(choice->guides(0));
  for (const auto& [id, times] : turns(4000)) expect_share(times, 4000, 0.25);
}

TEST_F(ByKey, AKeyMeansNothingToOtherPolicies) {
  rules.balance = balancing::least_loaded;
  start();
  EXPECT_FALSE(choice->guides("abc"));
}

TEST_F(ByKey, TheSameKeyTheSameEndpointInAnyOrderAndWithAnySeed) {
  make_many(20);
  const auto before = homes(1000);
  EXPECT_EQ(homes(1000), before);
  start(99);
  for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
    it->usable_at = it->serving_at = endpoint_entry::nowhere;
    choice->admit(*it);
  }
  EXPECT_EQ(homes(1000), before);
}

// What is compiled today must agree with what was released before. The numbers were computed by
// another program from the description in endpoint_hash.hpp.
TEST_F(ByKey, HashesAreTheOnesOfEveryVersion) {
  EXPECT_EQ(endpoint_key("").value(), 0xF52A15E9A9B5E89BU);
  EXPECT_EQ(endpoint_key(std::string("customer-17")).value(), 0x5996DCBC2083D0A8U);
  EXPECT_EQ(endpoint_key(7).value(), 7U);
  EXPECT_EQ(endpoint_key(-1).value(), 0xFFFFFFFFFFFFFFFFU);
  EXPECT_EQ(hash_of(numbered(1)), 0x1861FBF7D07DEA9U);
  endpoint e(boost::asio::ip::make_address("2001:db8::1"), 443);
  e.srv_target = "node1.example";
  EXPECT_EQ(hash_of(e), 0xB432B5F11464478CU);
  make_many(5);
  EXPECT_EQ(homes(10), (std::vector<std::uint64_t>{2, 5, 5, 1, 1, 1, 5, 5, 5, 5}));
}

TEST_F(ByKey, KeysAreSharedEvenly) {
  make_many(10);
  std::map<std::uint64_t, int> seen;
  for (const auto id : homes(20'000)) ++seen[id];
  for (std::uint64_t id = 1; id <= 10; ++id) expect_share(seen[id], 20'000, 0.1);
}

TEST_F(ByKey, WhoLeavesTakesOnlyItsOwnKeysAlong) {
  make_many(10);
  const auto before = homes(20'000);
  choice->remove(entries[3]);
  const auto after = homes(20'000);
  std::map<std::uint64_t, int> heirs;
  int moved = 0;
  for (std::size_t k = 0; k < before.size(); ++k) {
    if (before[k] != 4) {
      ASSERT_EQ(after[k], before[k]) << k;
    } else {
      ++moved;
      ++heirs[after[k]];
    }
  }
  expect_share(moved, 20'000, 0.1);
  EXPECT_EQ(heirs.size(), 9U);
  for (const auto& [id, keys] : heirs) expect_share(keys, moved, 1.0 / 9);
  choice->admit(entries[3]);
  EXPECT_EQ(homes(20'000), before);
}

TEST_F(ByKey, WhoComesGetsItsShareAndNothingElseMoves) {
  make_many(9);
  const auto before = homes(20'000);
  make();
  const auto after = homes(20'000);
  int moved = 0;
  for (std::size_t k = 0; k < before.size(); ++k) {
    if (after[k] == before[k]) continue;
    ASSERT_EQ(after[k], 10U);
    ++moved;
  }
  expect_share(moved, 20'000, 0.1);
}

TEST_F(ByKey, SharesOfKeysAreTheWeights) {
  make(100);
  make(1);
  make(49);
  make(50);
  std::map<std::uint64_t, int> seen;
  const auto before = homes(20'000);
  for (const auto id : before) ++seen[id];
  expect_share(seen[1], 20'000, 0.5);
  expect_share(seen[2], 20'000, 0.005);
  expect_share(seen[3], 20'000, 0.245);
  expect_share(seen[4], 20'000, 0.25);
  choice->change(entries[0], 0, 50);  // keys leave it, and no others move
  const auto after = homes(20'000);
  for (std::size_t k = 0; k < before.size(); ++k) {
    if (before[k] != 1) {
      ASSERT_EQ(after[k], before[k]);
    }
  }
}

TEST_F(ByKey, InPlaceOfOneThatCannotServeTheNextOfTheSameKey) {
  make_many(5);
  const auto first = homes(2000);
  endpoint_entry& full = entries[2];
  empty(full, 64);
  const auto second = homes(2000);
  const auto all_but = [](const endpoint_entry& e) { return e.id != 3; };
  for (int k = 0; k < 2000; ++k) {
    const auto at = static_cast<std::size_t>(k);
    EXPECT_EQ(second[at], choice->pick_home(k, all_but)->id);
    if (first[at] != 3) {
      EXPECT_EQ(second[at], first[at]);
    }
  }
  EXPECT_EQ(choice->take_starved(), nullptr);  // there is no room for another connection
  full.leases = 63;
  full.opening = 1;
  EXPECT_EQ(homes(2000), first);  // on its way is good enough
  full.overdue = 1;
  EXPECT_EQ(homes(2000), second);
}

TEST_F(ByKey, OneThatFailedIsPassedOverAndAskedForAgain) {
  make_many(3);
  const int key = 17;
  endpoint_entry* home = choice->pick_home(key, anybody);
  empty(*home, 0);
  EXPECT_EQ(choice->pick_home(key, anybody), home);  // it will be connected to
  home->failures = 1;
  EXPECT_NE(choice->pick_home(key, anybody), home);
  EXPECT_EQ(choice->take_starved(), home);
  EXPECT_EQ(choice->pick_home(key, anybody, home), home);  // its connection is at hand
}

TEST_F(ByKey, NobodyWhoCanServeIsNoHome) {
  make_many(3);
  for (auto& e : entries) empty(e, 64);
  EXPECT_EQ(choice->pick_home(1, anybody), nullptr);
}

TEST_F(ByKey, OnlyTheServingTierHasKeys) {
  make_many(3);
  choice->change(entries[0], 1, 0);
  for (const auto id : homes(200)) EXPECT_NE(id, 1U);
}

TEST(EndpointKey, IsANumberOrATextAndNoSlip) {
  static_assert(!std::is_constructible_v<endpoint_key, bool>);
  static_assert(!std::is_constructible_v<endpoint_key, char>);
  static_assert(!std::is_constructible_v<endpoint_key, char8_t>);
  static_assert(!std::is_constructible_v<endpoint_key, std::nullptr_t>);
  static_assert(!std::is_constructible_v<endpoint_key, double>);
  static_assert(std::is_convertible_v<std::uint8_t, endpoint_key>);
  static_assert(std::is_convertible_v<std::string_view, endpoint_key>);
  static_assert(std::is_convertible_v<std::string, endpoint_key>);
  const char* none = nullptr;
  EXPECT_FALSE(endpoint_key(none));
  EXPECT_EQ(endpoint_key(none), endpoint_key());
  EXPECT_EQ(endpoint_key("a"), endpoint_key(std::string("a")));
  EXPECT_EQ(endpoint_key("a"), endpoint_key(std::string_view("a")));
  EXPECT_NE(endpoint_key("a"), endpoint_key("b"));
  EXPECT_NE(endpoint_key(0), endpoint_key()) << "zero is a key";
}

struct scripted_chooser final : endpoint_chooser {
  std::size_t choose(const choice_request& r) noexcept override {
    seen.assign(r.among.begin(), r.among.end());
    keys.push_back(r.key.value());
    randoms.push_back(r.random);
    for (std::size_t i = 0; i < r.among.size(); ++i) {
      if (r.among[i].id == wanted) return i;
    }
    return otherwise;
  }
  std::uint64_t wanted = 0;
  std::size_t otherwise = none;
  std::vector<candidate> seen;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint64_t> randoms;
};

struct Chooser : Policy {
  Chooser() { rules.chooser = own; }
  std::shared_ptr<scripted_chooser> own = std::make_shared<scripted_chooser>();
};

TEST_F(Chooser, DecidesForEveryCaller) {
  make_many(4);
  own->wanted = 3;
  EXPECT_EQ(turns(100), (std::map<std::uint64_t, int>{{3, 100}}));
  EXPECT_TRUE(choice->guides({}));
  EXPECT_EQ(choice->pick_home("a", anybody)->id, 3U);
  EXPECT_EQ(own->keys.back(), endpoint_key("a").value());
  std::sort(own->randoms.begin(), own->randoms.end());
  EXPECT_EQ(std::unique(own->randoms.begin(), own->randoms.end()), own->randoms.end());
}

TEST_F(Chooser, SeesWhoCanServe) {
  make_many(5);
  entries[0].leases = 3;
  empty(entries[1], 64);  // full
  empty(entries[2], 0);
  entries[2].failures = 1;
  empty(entries[3], 0);
  own->wanted = 4;
  EXPECT_EQ(choice->pick_idle(), nullptr);  // it has room, but nothing to lend
  ASSERT_EQ(own->seen.size(), 3U);
  const candidate& c = own->seen[0];
  EXPECT_EQ(c.id, 1U);
  EXPECT_EQ(*c.where, numbered(1));
  EXPECT_EQ(c.leases, 3U);
  EXPECT_EQ(c.idle, 10U);
  EXPECT_EQ(own->seen[1].id, 4U);
  bool asked_again = false;
  for (int i = 0; i < 100; ++i) {
    (void)choice->pick_home({}, anybody);
    asked_again = asked_again || choice->take_starved() == &entries[2];
  }
  EXPECT_TRUE(asked_again);  // what failed is not offered, but not forgotten
}

TEST_F(Chooser, NoneLeavesItToTheDefault) {
  make_many(4);
  EXPECT_EQ(choice->pick_home({}, anybody), nullptr);
  for (const auto& [id, times] : turns(4000)) expect_share(times, 4000, 0.25);
}

TEST_F(Chooser, AnIndexOutOfRangeBreaksTheContract) {
  make_many(2);
  own->otherwise = 2;
#ifdef NDEBUG
  EXPECT_NE(choice->pick_idle(), nullptr);
#else
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)choice->pick_idle(), "no such candidate");
#endif
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
