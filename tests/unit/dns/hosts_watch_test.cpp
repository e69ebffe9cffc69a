// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_watch.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

struct HostsWatch : ::testing::Test {
  time_point now{1h};
  hosts_watch watch;

  names reads(const std::optional<std::string>& text) { return watch.on_text(text, now).changed; }
  names wait(duration d) {
    now += d;
    return watch.on_time(now).changed;
  }
  // "10.0.0.1 10.0.0.2", or "-".
  std::string at(std::string_view name) const {
    const auto* const hit = watch.find(name);
    if (hit == nullptr) return "-";
    std::string all;
    for (const address& a : *hit) all += (all.empty() ? "" : " ") + a.to_string();
    return all;
  }
};

TEST_F(HostsWatch, NothingIsKnownBeforeTheFirstText) {
  EXPECT_EQ(at("a"), "-");
  EXPECT_EQ(watch.next_time(), time_point::max());
  EXPECT_FALSE(watch.is_credible());
}

TEST_F(HostsWatch, AdditionsCountAtOnce) {
  EXPECT_EQ(reads("10.0.0.1 a\n"), names{"a"});
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_EQ(reads("10.0.0.1 a b\n10.0.0.2 a\n"), (names{"a", "b"}));
  EXPECT_EQ(at("a"), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(at("b"), "10.0.0.1");
  EXPECT_EQ(watch.next_time(), time_point::max());
  EXPECT_EQ(reads("# other words\n10.0.0.1 b a\n10.0.0.2 a\n"), names{});
}

TEST_F(HostsWatch, ARemovalCountsAfterFiveSeconds) {
  reads("10.0.0.1 a b\n");
  EXPECT_EQ(reads("10.0.0.1 b\n"), names{});
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_EQ(watch.next_time(), now + 5s);
  EXPECT_EQ(wait(5s - 1ms), names{});
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_EQ(wait(1ms), names{"a"});
  EXPECT_EQ(at("a"), "-");
  EXPECT_EQ(at("b"), "10.0.0.1");
  EXPECT_EQ(watch.next_time(), time_point::max());
}

TEST_F(HostsWatch, ARoleThatMovesHasBothAddressesForFiveSeconds) {
  reads("10.0.0.1 calc\n");
  EXPECT_EQ(reads("10.0.0.2 calc\n"), names{"calc"});
  EXPECT_EQ(at("calc"), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(wait(5s), names{"calc"});
  EXPECT_EQ(at("calc"), "10.0.0.2");
}

TEST_F(HostsWatch, WhatComesBackInTimeIsNotRemoved) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  EXPECT_EQ(wait(4s), names{});
  EXPECT_EQ(reads("10.0.0.1 a b\n"), names{});
  EXPECT_EQ(watch.next_time(), time_point::max());
  EXPECT_EQ(wait(10s), names{});
  EXPECT_EQ(at("a"), "10.0.0.1");
}

TEST_F(HostsWatch, WhatComesBackAtTheLastInstantIsNotRemoved) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  now += 6s;  // the timer is late
  EXPECT_EQ(reads("10.0.0.1 a b\n"), names{});
  EXPECT_EQ(at("a"), "10.0.0.1");
}

TEST_F(HostsWatch, ATextThatComesAfterItsTimeRemoves) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  now += 6s;
  EXPECT_EQ(reads("10.0.0.1 b\n10.0.0.2 a\n"), names{"a"});
  EXPECT_EQ(at("a"), "10.0.0.2");
}

TEST_F(HostsWatch, ATextThatOnlyFindsThatTimeHasPassedReportsIt) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  now += 6s;
  EXPECT_EQ(reads("10.0.0.1 b\n10.0.0.2 c\n"), (names{"a", "c"}));
}

TEST_F(HostsWatch, EachRemovalHasItsOwnFiveSeconds) {
  reads("10.0.0.1 a b c\n10.0.0.2 a\n");
  reads("10.0.0.1 a c\n10.0.0.2 a\n");
  const auto first = now;
  now += 2s;
  reads("10.0.0.1 c\n10.0.0.2 a\n");
  EXPECT_EQ(watch.next_time(), first + 5s);
  EXPECT_EQ(wait(3s), names{"b"});
  EXPECT_EQ(at("a"), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(watch.next_time(), first + 7s);
  EXPECT_EQ(wait(2s), names{"a"});
  EXPECT_EQ(at("a"), "10.0.0.2");
}

TEST_F(HostsWatch, RewritesDoNotPutARemovalOff) {
  reads("10.0.0.1 a b\n");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(reads("10.0.0.1 b\n#" + std::to_string(i)), names{});
    EXPECT_EQ(wait(1s), i == 4 ? names{"a"} : names{});
  }
}

TEST_F(HostsWatch, TheLastNameOfAFileCanGo) {
  reads("127.0.0.1 localhost\n10.0.0.1 a\n");
  reads("127.0.0.1 localhost\n");
  EXPECT_EQ(wait(5s), names{"a"});
}

TEST_F(HostsWatch, Fault74_AnIncredibleTextRemovesNothing) {
  const std::string good = "10.0.0.1 a\n10.0.0.2 b\n";
  const std::vector<std::optional<std::string>> torn = {
      std::nullopt,
      "",
      "\n# empty\n",
      "10.0.",
      "10.0.0.1",
      "<html>404</html>",
      std::string(100, '\0'),
      std::string("10.0.0.1 a\n") + std::string(12, '\0'),
  };
  reads(good);
  for (const auto& text : torn) {
    EXPECT_EQ(reads(text), names{});
    EXPECT_FALSE(watch.is_credible());
    EXPECT_EQ(watch.next_time(), time_point::max());
    EXPECT_EQ(wait(1h), names{});
    EXPECT_EQ(at("a"), "10.0.0.1");
    EXPECT_EQ(at("b"), "10.0.0.2");
  }
  EXPECT_EQ(reads(good), names{});
  EXPECT_TRUE(watch.is_credible());
}

TEST_F(HostsWatch, Fault74_ATornTextThatHealsInTimeRemovesNothing) {
  const std::string good = "10.0.0.1 a\n10.0.0.2 b\n10.0.0.3 calculator\n";
  reads(good);
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    reads(good.substr(0, cut));
    wait(4s);
    EXPECT_EQ(at("a"), "10.0.0.1") << cut;
    EXPECT_EQ(at("b"), "10.0.0.2") << cut;
    EXPECT_EQ(at("calculator"), "10.0.0.3") << cut;
    reads(good);
  }
}

TEST_F(HostsWatch, Fault74_GarbageMayStillAdd) {
  reads("10.0.0.1 a\n");
  EXPECT_EQ(reads(std::string("10.0.0.2 b\n\0\n", 13)), names{"b"});
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_EQ(at("b"), "10.0.0.2");
}

TEST_F(HostsWatch, Fault74_WhatIsAboutToGoWaitsForACredibleText) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  wait(4s);
  reads(std::nullopt);
  EXPECT_EQ(watch.next_time(), time_point::max());
  EXPECT_EQ(wait(1min), names{});
  EXPECT_EQ(at("a"), "10.0.0.1");
  reads("10.0.0.1 b\n");
  EXPECT_EQ(watch.next_time(), now + 5s);
  EXPECT_EQ(wait(5s), names{"a"});
}

TEST_F(HostsWatch, NothingGoesWhileNobodyLooks) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  wait(4s);
  watch.hold();
  EXPECT_EQ(watch.next_time(), time_point::max());
  EXPECT_EQ(wait(1min), names{});
  EXPECT_EQ(reads("10.0.0.1 b\n"), names{});
  EXPECT_EQ(wait(5s), names{"a"});
}

TEST_F(HostsWatch, ANameThatIsGoneCanReturn) {
  reads("10.0.0.1 a b\n");
  reads("10.0.0.1 b\n");
  wait(5s);
  EXPECT_EQ(reads("10.0.0.3 a\n10.0.0.1 b\n"), names{"a"});
  EXPECT_EQ(at("a"), "10.0.0.3");
  EXPECT_EQ(wait(1min), names{});
}

TEST_F(HostsWatch, NamesStayInOrder) {
  reads("10.0.0.1 b d f\n");
  EXPECT_EQ(reads("10.0.0.2 a c e g\n"), (names{"a", "c", "e", "g"}));
  for (const char* name : {"b", "d", "f"}) EXPECT_EQ(at(name), "10.0.0.1");
  for (const char* name : {"a", "c", "e", "g"}) EXPECT_EQ(at(name), "10.0.0.2");
  EXPECT_EQ(wait(5s), (names{"b", "d", "f"}));
  for (const char* name : {"a", "c", "e", "g"}) EXPECT_EQ(at(name), "10.0.0.2");
}

TEST_F(HostsWatch, CountsAreOfTheLastText) {
  reads("10.0.0.1 a\nbad\n");
  EXPECT_EQ(watch.counts().bad_lines, 1U);
  reads(std::nullopt);
  EXPECT_EQ(watch.counts().bad_lines, 0U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
