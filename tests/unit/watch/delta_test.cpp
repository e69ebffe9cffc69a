// SPDX-License-Identifier: Apache-2.0

#include <redial/watch/delta.hpp>

#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace redial {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::v4;

snapshot_entry entry_of(unsigned n, std::uint64_t life = 1) {
  snapshot_entry e;
  e.where = endpoint{v4(n), 80};
  e.life = life;
  return e;
}

snapshot_ptr of(std::vector<snapshot_entry> entries) {
  auto s = std::make_shared<snapshot>();
  s->endpoints = std::move(entries);
  return s;
}

std::vector<std::string> names(const std::vector<snapshot_entry>& list) {
  std::vector<std::string> all;
  for (const auto& e : list) all.push_back(e.where.addr.to_string());
  return all;
}

TEST(Delta, BeforeTheFirstEverythingIsNew) {
  const endpoint_delta d = delta_between(nullptr, *of({entry_of(1), entry_of(2)}));
  EXPECT_THAT(names(d.added), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(d.removed, IsEmpty());
  EXPECT_FALSE(d.empty());
  EXPECT_TRUE(delta_between(nullptr, *of({})).empty());
}

TEST(Delta, EqualOnesDoNotDiffer) {
  const auto s = of({entry_of(1), entry_of(2)});
  EXPECT_TRUE(delta_between(s, *s).empty());
}

TEST(Delta, AddedRemovedAndBothEnds) {
  const auto d = delta_between(of({entry_of(1), entry_of(3), entry_of(5), entry_of(6)}),
                               *of({entry_of(2), entry_of(3), entry_of(4)}));
  EXPECT_THAT(names(d.added), ElementsAre("10.0.0.2", "10.0.0.4"));
  EXPECT_THAT(names(d.removed), ElementsAre("10.0.0.1", "10.0.0.5", "10.0.0.6"));
  EXPECT_THAT(d.changed, IsEmpty());
}

TEST(Delta, ANewLifeIsARemovalAndAnAddition) {
  const auto d = delta_between(of({entry_of(1, 1)}), *of({entry_of(1, 2)}));
  ASSERT_EQ(d.removed.size(), 1U);
  ASSERT_EQ(d.added.size(), 1U);
  EXPECT_EQ(d.removed[0].life, 1U);
  EXPECT_EQ(d.added[0].life, 2U);
}

TEST(Delta, WhateverElseDiffersIsAChange) {
  const auto changed = [](auto change) {
    snapshot_entry e = entry_of(1);
    change(e);
    const auto d = delta_between(of({entry_of(1)}), *of({e}));
    return d.changed.size() == 1 && d.added.empty() && d.removed.empty();
  };
  EXPECT_TRUE(changed([](snapshot_entry& e) { e.presence = presence::absent; }));
  EXPECT_TRUE(changed([](snapshot_entry& e) { e.doubted = true; }));
  EXPECT_TRUE(changed([](snapshot_entry& e) { e.where.priority = 1; }));
  EXPECT_TRUE(changed([](snapshot_entry& e) { e.where.weight = 1; }));
  EXPECT_TRUE(
      changed([](snapshot_entry& e) { e.metadata = std::make_shared<const endpoint_metadata>(); }));
}

TEST(Delta, AnotherPortIsAnotherEndpoint) {
  snapshot_entry e = entry_of(1);
  e.where.port = 81;
  const auto d = delta_between(of({entry_of(1)}), *of({e}));
  EXPECT_EQ(d.added.size(), 1U);
  EXPECT_EQ(d.removed.size(), 1U);
}

}  // namespace
}  // namespace redial
