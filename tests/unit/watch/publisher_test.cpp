// SPDX-License-Identifier: Apache-2.0

#include "watch/publisher.hpp"

#include "watch_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::v4;

snapshot_entry entry_of(unsigned n, presence p = presence::present, bool doubted = false) {
  snapshot_entry e;
  e.where = endpoint{v4(n), 80};
  e.presence = p;
  e.doubted = doubted;
  return e;
}

snapshot of(std::vector<snapshot_entry> entries, freshness state = freshness::fresh) {
  snapshot s;
  s.name = "n.test";
  s.state = state;
  s.endpoints = std::move(entries);
  return s;
}

class Publisher : public ::testing::Test {
 protected:
  std::vector<std::string> publish(snapshot s) {
    last_ = publisher_.publish(std::move(s));
    if (!last_) return {"nothing"};
    std::vector<std::string> all;
    for (const presence_change& c : last_->changes) {
      all.push_back(c.where.addr.to_string() + " " + to_string(c.change));
    }
    return all;
  }
  [[nodiscard]] std::uint64_t life(std::size_t n) const {
    return publisher_.current()->endpoints.at(n).life;
  }
  publisher publisher_;
  std::optional<publication> last_;
};

TEST_F(Publisher, TheFirstSnapshotAddsAll) {
  EXPECT_EQ(publisher_.current(), nullptr);
  EXPECT_THAT(publish(of({entry_of(1), entry_of(2)})),
              ElementsAre("10.0.0.1 added", "10.0.0.2 added"));
  EXPECT_EQ(last_->added, 2U);
  EXPECT_EQ(last_->departed, 0U);
  EXPECT_EQ(last_->what, publisher_.current());
  EXPECT_EQ(publisher_.current()->generation, 1U);
  EXPECT_NE(life(0), life(1));
}

TEST_F(Publisher, AnEmptyFirstOneIsPublished) {
  EXPECT_THAT(publish(of({}, freshness::unresolved)), IsEmpty());
  EXPECT_EQ(publisher_.current()->generation, 1U);
}

TEST_F(Publisher, WhatTellsNothingNewIsNotPublished) {
  publish(of({entry_of(1)}));
  snapshot later = of({entry_of(1)});
  later.fresh_until = at(duration{1});
  EXPECT_THAT(publish(later), ElementsAre("nothing"));
  EXPECT_EQ(publisher_.current()->generation, 1U);
}

TEST_F(Publisher, EverythingASubscriberSeesCounts) {
  const auto differs = [](auto change) {
    publisher p;
    snapshot s = of({entry_of(1)});
    (void)p.publish(s);
    change(s);
    return p.publish(s).has_value() && p.current()->generation == 2;
  };
  EXPECT_FALSE(differs([](snapshot&) {}));
  EXPECT_TRUE(differs([](snapshot& s) { s.state = freshness::stale; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.rotating = true; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.error = errc::dns_timeout; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.definite = true; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints[0].presence = presence::absent; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints[0].doubted = true; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints[0].where.priority = 1; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints[0].where.weight = 1; }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints[0].where.port = 81; }));
  EXPECT_TRUE(differs(
      [](snapshot& s) { s.endpoints[0].metadata = std::make_shared<const endpoint_metadata>(); }));
  EXPECT_TRUE(differs([](snapshot& s) { s.endpoints.clear(); }));
}

TEST_F(Publisher, ALifeLastsWhileEverySnapshotHasTheEndpoint) {
  publish(of({entry_of(2)}));
  const auto first = life(0);
  publish(of({entry_of(1), entry_of(2, presence::absent), entry_of(3)}));
  EXPECT_EQ(life(1), first);
  publish(of({entry_of(2, presence::absent, true)}));
  EXPECT_EQ(life(0), first);
  publish(of({}));
  EXPECT_THAT(publish(of({entry_of(2)})), ElementsAre("10.0.0.2 added"));
  EXPECT_GT(life(0), first);
}

TEST_F(Publisher, NoLifeIsEverGivenTwice) {
  publish(of({entry_of(1)}));
  const auto one = life(0);
  publish(of({entry_of(2)}));
  const auto two = life(0);
  publish(of({entry_of(1)}));
  EXPECT_LT(one, two);
  EXPECT_LT(two, life(0));
}

TEST_F(Publisher, ChangesAreNamedOnceEach) {
  publish(of({entry_of(1), entry_of(2), entry_of(3), entry_of(5)}));
  EXPECT_THAT(
      publish(of({entry_of(2, presence::absent),
                  entry_of(3, presence::absent, true),
                  entry_of(4),
                  entry_of(5)})),
      ElementsAre("10.0.0.1 departed", "10.0.0.2 absent", "10.0.0.3 doubted", "10.0.0.4 added"));
  EXPECT_EQ(last_->added, 1U);
  EXPECT_EQ(last_->departed, 1U);
  EXPECT_THAT(
      publish(of({entry_of(2, presence::absent, true), entry_of(3)})),
      ElementsAre(
          "10.0.0.2 doubted", "10.0.0.3 returned", "10.0.0.4 departed", "10.0.0.5 departed"));
  EXPECT_THAT(publish(of({entry_of(2), entry_of(3)})), ElementsAre("10.0.0.2 returned"));
}

TEST(SortUnique, TheFirstOfEqualOnesStays) {
  std::vector<snapshot_entry> list{entry_of(2), entry_of(1, presence::absent), entry_of(1)};
  sort_unique(list);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].where.addr, v4(1));
  EXPECT_EQ(list[0].presence, presence::absent);
}

TEST(Freshness, TheWorseOfTwo) {
  EXPECT_EQ(worse(freshness::fresh, freshness::stale), freshness::stale);
  EXPECT_EQ(worse(freshness::expired, freshness::stale), freshness::expired);
  EXPECT_EQ(worse(freshness::expired, freshness::unresolved), freshness::unresolved);
  EXPECT_EQ(worse(freshness::fresh, freshness::fresh), freshness::fresh);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
