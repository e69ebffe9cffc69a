// SPDX-License-Identifier: Apache-2.0

// Sources of the user's above the hosts file and DNS, in simulated time.

#include <redial/discovery/endpoint_source.hpp>

#include "discovery_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

sourced_endpoint at_port(const char* where, std::uint16_t port, bool healthy = true) {
  sourced_endpoint e(endpoint(parse_address(where).value(), port));
  e.healthy = healthy;
  return e;
}

/// Keeps what it is asked, for the test to answer.
class slow_source final : public endpoint_source {
 public:
  std::string label() const override {
    ++labelled;
    return "slow";
  }
  bool serves(const target&) const override { return true; }
  void fetch(const target&, answer_handler done) override { fetches.push_back(std::move(done)); }

  mutable int labelled = 0;
  std::vector<answer_handler> fetches;
};

struct sources_world : discovery_world {
  sources_world() {
    options.watch.ipv6 = false;
    options.sources = {source};
    dns.set("calc.local", {"10.9.9.9"}, 5s);
  }
  const target calc{"tcp://calc.local:9000"};
  std::shared_ptr<pushed_source> source = std::make_shared<pushed_source>("registry");
};

TEST(DiscoverySources, ServeInPlaceOfDnsAndAreFollowed) {
  sources_world w;
  w.source->set(w.calc, {at_port("10.0.0.1", 9001), at_port("10.0.0.2", 0)});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(10ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:9001", "10.0.0.2:9000"));
  EXPECT_EQ(w.dns.times_asked("calc.local"), 0U);

  w.sim.advance(2s);
  w.source->set(w.calc, {at_port("10.0.0.3", 9003)});
  w.sim.advance(10ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.3:9003"));
}

TEST(DiscoverySources, OthersGoToDns) {
  sources_world w;
  w.dns.set("other.local", {"10.0.0.7"});
  const auto d = w.make();
  reader r(*d, "tcp://other.local:1", w.sim.executor());
  w.sim.advance(10ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.7:1"));
}

TEST(DiscoverySources, DnsServesWhileTheSourceHasNothingAndStopsWhenItHas) {
  sources_world w;
  w.source->fail(w.calc, errc::dns_timeout);
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:9000"));

  w.source->set(w.calc, {at_port("10.0.0.1", 9000)});
  w.sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:9000"));
  const auto asked = w.dns.times_asked("calc.local");
  w.sim.advance(60s);
  EXPECT_EQ(w.dns.times_asked("calc.local"), asked);
}

TEST(DiscoverySources, AFailureAfterSuccessKeepsTheLastGoodOnes) {
  sources_world w;
  w.source->set(w.calc, {at_port("10.0.0.1", 9000)});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(1s);
  w.source->fail(w.calc, errc::dns_timeout);
  w.sim.advance(60s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:9000"));
  EXPECT_EQ(r.got.back()->state, freshness::stale);
  EXPECT_EQ(r.got.back()->error, errc::dns_timeout);

  // An empty answer is kept too, unless it is to be believed.
  w.source->set(w.calc, {});
  w.sim.advance(20s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:9000"));
}

TEST(DiscoverySources, AnEmptyAnswerThatIsBelievedHandsOverToDns) {
  sources_world w;
  w.options.watch.on_empty_source = on_failure::believe;
  w.source->set(w.calc, {at_port("10.0.0.1", 9000)});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(2s);
  w.source->set(w.calc, {});
  w.sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:9000"));
}

TEST(DiscoverySources, UnhealthyOnesAreLeftOutUnlessAllAre) {
  sources_world w;
  w.source->set(w.calc, {at_port("10.0.0.1", 1, false), at_port("10.0.0.2", 1)});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.2:1"));
  w.source->set(w.calc, {at_port("10.0.0.1", 1, false), at_port("10.0.0.2", 1, false)});
  w.sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:1", "10.0.0.2:1"));
}

TEST(DiscoverySources, MetadataTravelsWithTheEndpoint) {
  sources_world w;
  auto e = at_port("10.0.0.1", 1);
  e.metadata["zone"] = "a";
  w.source->set(w.calc, {e});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(2s);
  ASSERT_TRUE(r.got.back()->endpoints[0].metadata);
  EXPECT_EQ(r.got.back()->endpoints[0].metadata->at("zone"), "a");
}

TEST(DiscoverySources, OneThatNeverAnswersTimesOut) {
  sources_world w;
  const auto slow = std::make_shared<slow_source>();
  w.options.sources = {slow};
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(4s);
  ASSERT_THAT(slow->fetches, SizeIs(1));
  EXPECT_THAT(r.got, IsEmpty());
  w.sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:9000")) << "DNS, after query_timeout";

  // Its answer to a fetch that is over counts for nothing.
  source_answer late;
  late.endpoints = {at_port("10.0.0.66", 1)};
  slow->fetches[0](late);
  w.sim.advance(100ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:9000"));
  slow->fetches.back()(late);
  slow->fetches.back()(late);
  w.sim.advance(100ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.66:1"));
}

TEST(DiscoverySources, OneThatNeverAnswersIsForgottenAllTheSame) {
  sources_world w;
  const auto slow = std::make_shared<slow_source>();
  w.options.sources = {slow};
  const auto d = w.make();
  {
    const reader r(*d, "tcp://calc.local:9000", w.sim.executor());
    w.sim.advance(1s);
  }
  w.sim.advance(1min);
  const reader other(*d, "tcp://other.local:9000", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(slow->labelled, 2);
  const reader again(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_EQ(slow->labelled, 3) << "made anew";
}

TEST(DiscoverySources, TheFirstInOrderServes) {
  sources_world w;
  const auto second = std::make_shared<pushed_source>("second");
  w.options.sources = {w.source, second};
  w.source->set(w.calc, {at_port("10.0.0.1", 1)});
  second->set(w.calc, {at_port("10.0.0.2", 2)});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(1s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:1"));
}

TEST(DiscoverySources, AnAnswerOfOneThatIsNotNeededAnyMoreWakesNobody) {
  sources_world w;
  const auto second = std::make_shared<slow_source>();
  w.options.sources = {w.source, second};
  w.source->set(w.calc, {});
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  w.sim.advance(1500ms);
  ASSERT_THAT(second->fetches, SizeIs(1));
  w.source->set(w.calc, {at_port("10.0.0.1", 1)});
  w.sim.advance(100ms);
  source_answer late;
  late.endpoints = {at_port("10.0.0.2", 2)};
  late.ttl = std::chrono::seconds{5};
  second->fetches[0](late);
  w.sim.advance(1min);  // past the end of its TTL
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:1"));
  EXPECT_THAT(second->fetches, SizeIs(1));
}

TEST(DiscoverySources, AnswersAfterTheEndAreHarmless) {
  const auto slow = std::make_shared<slow_source>();
  {
    sources_world w;
    w.options.sources = {slow};
    const auto d = w.make();
    reader r(*d, "tcp://calc.local:9000", w.sim.executor());
    w.sim.advance(1s);
  }
  ASSERT_THAT(slow->fetches, SizeIs(1));
  slow->fetches[0]({});
}

/// Serves everything, when asked; throws the second time.
class throwing_source final : public endpoint_source {
 public:
  std::string label() const override { return "throws"; }
  bool serves(const target&) const override {
    if (++asked_ == 2) throw std::runtime_error("theirs");
    return true;
  }
  void fetch(const target&, answer_handler) override {}

 private:
  mutable int asked_ = 0;
};

TEST(DiscoverySources, Fault130_OneThatThrowsLeavesNothingHalfMade) {
  sources_world w;
  w.options.sources = {std::make_shared<throwing_source>()};
  const auto d = w.make();
  reader r(*d, "tcp://calc.local:9000", w.sim.executor());
  EXPECT_THROW(w.sim.advance(1s), std::runtime_error);
  reader other(*d, "tcp://other.local:9000", w.sim.executor());
  w.sim.advance(1s);
  d->close();
  w.sim.settle();
  EXPECT_THAT(other.got, SizeIs(1)) << "closed";
}

TEST(DiscoverySources, ANullSourceIsRefused) {
  sources_world w;
  w.options.sources.push_back(nullptr);
  try {
    (void)w.make();
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr("sources"));
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
