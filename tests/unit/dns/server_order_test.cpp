// SPDX-License-Identifier: Apache-2.0
#include "dns/server_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr time_point start = time_point{} + 1h;

server_order make_order(int count) {
  std::vector<nameserver> servers;
  for (int i = 0; i < count; ++i) {
    servers.push_back(*parse_nameserver("10.0.0." + std::to_string(i + 1)));
  }
  return server_order(std::move(servers));
}

// The last number of each address.
std::vector<int> numbers(const server_order& order) {
  std::vector<int> out;
  for (const auto& s : order.servers()) out.push_back(s.where.to_v4().to_bytes()[3]);
  return out;
}

TEST(ServerOrder, TheOneThatAnsweredGoesFirst_Fault80) {
  auto order = make_order(3);
  EXPECT_FALSE(order.on_answer(0, start));
  EXPECT_THAT(numbers(order), ElementsAre(1, 2, 3));
  EXPECT_TRUE(order.on_answer(1, start));
  EXPECT_THAT(numbers(order), ElementsAre(2, 3, 1));
  EXPECT_TRUE(order.on_answer(2, start + 1min));
  EXPECT_THAT(numbers(order), ElementsAre(1, 2, 3));
}

TEST(ServerOrder, ItStaysFirstForAsLongAsItAnswers_Fault80) {
  auto order = make_order(2);
  EXPECT_TRUE(order.on_answer(1, start));
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(order.on_answer(0, start + i * 1s));
  EXPECT_THAT(numbers(order), ElementsAre(2, 1));
}

// The first one answered in its second round: a lost datagram.
TEST(ServerOrder, AWholeRoundChangesNothing_Fault80) {
  auto order = make_order(2);
  EXPECT_FALSE(order.on_answer(2, start));
  EXPECT_FALSE(order.on_answer(4, start));
  EXPECT_TRUE(order.on_answer(3, start));
  EXPECT_THAT(numbers(order), ElementsAre(2, 1));
}

TEST(ServerOrder, OneServerOrNoneHasNoOrder) {
  auto one = make_order(1);
  EXPECT_FALSE(one.on_answer(1, start));
  server_order none;
  EXPECT_FALSE(none.on_answer(1, start));
  EXPECT_FALSE(none.on_answer(-1, start));
}

TEST(ServerOrder, ChangesThatFollowEachOtherComeEverMoreRarely_Fault81) {
  auto order = make_order(2);
  std::vector<int> changed_at;
  // Whoever is first falls silent at once: every question pays and wants a change.
  for (int tenth = 0; tenth < 600; ++tenth) {
    if (order.on_answer(1, start + tenth * 100ms)) changed_at.push_back(tenth / 10);
  }
  EXPECT_THAT(changed_at, ElementsAre(0, 1, 3, 7, 15, 25, 35, 45, 55));
}

TEST(ServerOrder, AServerThatFlapsEverySecond_Fault81) {
  auto order = make_order(2);
  int changes = 0;
  for (int tenth = 0; tenth < 6000; ++tenth) {
    const bool first_is_silent = (tenth / 10) % 2 == 0;  // number 1; number 2 is silent otherwise
    const bool pays = (order.servers()[0].where.to_v4().to_bytes()[3] == 1) == first_is_silent;
    if (order.on_answer(pays ? 1 : 0, start + tenth * 100ms)) ++changes;
  }
  EXPECT_GE(changes, 10);
  EXPECT_LE(changes, 64);  // one in 10 s for 10 min, and those until then
}

TEST(ServerOrder, AfterACalmTimeItIsQuickAgain_Fault81) {
  auto order = make_order(2);
  EXPECT_TRUE(order.on_answer(1, start));
  EXPECT_TRUE(order.on_answer(1, start + 1s));  // flaps: 2 s until the next
  EXPECT_FALSE(order.on_answer(1, start + 3s - 1ns));
  const auto calm = start + 3s + server_order::calm;
  EXPECT_TRUE(order.on_answer(1, calm));
  EXPECT_FALSE(order.on_answer(1, calm + 1s - 1ns));
  EXPECT_TRUE(order.on_answer(1, calm + 1s));
}

TEST(ServerOrder, ShufflesBySeed) {
  std::set<int> first;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto order = make_order(3);
    order.shuffle(seed);
    EXPECT_THAT(numbers(order), UnorderedElementsAre(1, 2, 3));
    first.insert(numbers(order)[0]);
    auto same = make_order(3);
    same.shuffle(seed);
    EXPECT_EQ(numbers(same), numbers(order));
  }
  EXPECT_THAT(first, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
