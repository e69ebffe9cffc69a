// SPDX-License-Identifier: Apache-2.0

// endpoint_watcher, explain() and environment targets.

#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/discovery/environment.hpp>

#include "discovery_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct mirror {
  explicit mirror(discovery_world& w,
                  std::shared_ptr<discovery> d,
                  const char* text = "http://api.test")
      : watcher(w.sim.executor(),
                std::move(d),
                target(text),
                [this](const endpoint_delta& delta, const snapshot_ptr& now) {
                  for (const auto& e : delta.removed) EXPECT_EQ(list.erase(to_string(e.where)), 1U);
                  for (const auto& e : delta.added)
                    EXPECT_TRUE(list.insert(to_string(e.where)).second);
                  changed += delta.changed.size();
                  ++calls;
                  last = now;
                }) {}

  std::set<std::string> list;
  std::size_t changed = 0;
  int calls = 0;
  snapshot_ptr last;
  endpoint_watcher watcher;
};

TEST(EndpointWatcher, AddingAndRemovingEndsUpWithTheList) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
  const auto d = w.make();
  mirror m(w, d);
  EXPECT_FALSE(m.watcher.current());
  w.sim.advance(1s);
  EXPECT_THAT(m.list, ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
  w.dns.set("api.test", {"10.0.0.2", "10.0.0.3"}, 5s);
  w.sim.advance(6s);
  EXPECT_THAT(m.list, ElementsAre("10.0.0.2:80", "10.0.0.3:80"));
  EXPECT_EQ(m.watcher.current(), m.last);
}

TEST(EndpointWatcher, ErrorsAndFreshnessComeWithAnEmptyDelta) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  const auto d = w.make();
  mirror m(w, d);
  w.sim.advance(1s);
  w.dns.fail("api.test", answer_outcome::server_failure);
  w.sim.advance(10s);
  EXPECT_EQ(m.last->state, freshness::stale);
  EXPECT_TRUE(m.last->error);
  EXPECT_THAT(m.list, SizeIs(1));
  EXPECT_EQ(m.changed, 0U);
}

TEST(EndpointWatcher, AbsenceIsAChange) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.membership = membership::sampled;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
  const auto d = w.make();
  mirror m(w, d);
  w.sim.advance(1s);
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  w.sim.advance(6s);
  EXPECT_EQ(m.changed, 1U);
  m.watcher.report(m.last->endpoints[1].where, endpoint_outcome::connect_refused);
  w.sim.advance(100ms);
  EXPECT_THAT(m.list, ElementsAre("10.0.0.1:80"));
}

TEST(EndpointWatcher, ClosedMeansSilence) {
  discovery_world w;
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  const auto d = w.make();
  mirror m(w, d);
  m.watcher.close();
  w.sim.advance(10s);
  EXPECT_EQ(m.calls, 0);
  m.watcher.refresh();
  m.watcher.report({}, endpoint_outcome::timed_out);
  w.sim.advance(1s);
}

TEST(EndpointWatcher, RefusesNothingToCall) {
  discovery_world w;
  const auto d = w.make();
  EXPECT_THROW(endpoint_watcher(w.sim.executor(), d, target("http://a.test"), nullptr),
               std::invalid_argument);
  EXPECT_THROW(
      endpoint_watcher(w.sim.executor(), nullptr, target("http://a.test"), [](auto&&...) {}),
      std::invalid_argument);
  EXPECT_THROW(endpoint_watcher({}, d, target("http://a.test"), [](auto&&...) {}),
               std::invalid_argument);
}

explanation explained(discovery_world& w, discovery& d, const char* text) {
  explanation got;
  bool done = false;
  d.async_explain(target(text), [&](explanation e) {
    got = std::move(e);
    done = true;
  });
  EXPECT_FALSE(done) << "never inline";
  w.sim.advance(1ms);
  EXPECT_TRUE(done);
  return got;
}

TEST(Explain, SaysWhereEachEndpointIsFromAndWhatIsNext) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.options.watch.membership = membership::sampled;
  w.dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
  const auto d = w.make();
  reader r(*d, "http://api.test", w.sim.executor());
  w.sim.advance(1s);
  w.dns.set("api.test", {"10.0.0.1"}, 5s);
  w.sim.advance(6s);
  const explanation e = explained(w, *d, "http://api.test");
  EXPECT_EQ(e.subscribers, 1U);
  ASSERT_THAT(e.sets, SizeIs(1));
  EXPECT_EQ(e.sets[0].what, "A api.test");
  EXPECT_TRUE(e.sets[0].rotating);
  EXPECT_EQ(e.sets[0].why_rotating, rotation_reason::option);
  EXPECT_THAT(e.sets[0].last_answers, SizeIs(2));
  ASSERT_THAT(e.endpoints, SizeIs(2));
  EXPECT_EQ(e.endpoints[0].seen_in, 2U);
  EXPECT_EQ(e.endpoints[0].origin, endpoint_origin::dns);
  EXPECT_EQ(e.endpoints[1].presence, presence::absent);
  EXPECT_EQ(e.endpoints[1].missed, 1U);
  EXPECT_EQ(e.endpoints[1].where.port, 80);
  EXPECT_GT(e.endpoints[1].next_at, e.now);
  const std::string text = to_string(e);
  EXPECT_THAT(text, HasSubstr("10.0.0.2:80 from DNS: absent"));
  EXPECT_THAT(text, HasSubstr("A api.test: fresh"));
}

TEST(Explain, UnknownFixedAndClosed) {
  discovery_world w;
  const auto d = w.make();
  EXPECT_THAT(explained(w, *d, "http://nobody.test").sets, IsEmpty());
  EXPECT_THAT(explained(w, *d, "http://10.0.0.1").endpoints, SizeIs(1));
  d->close();
  w.sim.advance(1ms);
  EXPECT_THAT(explained(w, *d, "http://nobody.test").endpoints, IsEmpty());
}

TEST(Explain, AnSrvNameShowsItsTargetsToo) {
  discovery_world w;
  w.options.watch.ipv6 = false;
  w.dns.set_srv("calc.local", {{"n1.local", 8001}}, 10s);
  w.dns.set("n1.local", {"10.0.0.1"});
  const auto d = w.make();
  reader r(*d, "srv://calc.local", w.sim.executor());
  w.sim.advance(1s);
  const explanation e = explained(w, *d, "srv://calc.local");
  ASSERT_THAT(e.sets, SizeIs(2));
  EXPECT_EQ(e.sets[0].what, "SRV calc.local");
  EXPECT_EQ(e.sets[1].what, "A n1.local");
  ASSERT_THAT(e.endpoints, SizeIs(1));
  EXPECT_EQ(to_string(e.endpoints[0].where), "10.0.0.1:8001 (n1.local)");
}

TEST(Environment, ServicePortNamesBecomeTargets) {
  const char* const environment[] = {"PATH=/bin",
                                     "SERVICE_8080_NAME=calc.local",
                                     "SERVICE_80_NAME=api.local",
                                     "SERVICE_NAME=x",
                                     "SERVICE_0_NAME=x",
                                     "SERVICE_70000_NAME=x",
                                     "SERVICE_8a_NAME=x",
                                     "SERVICE_81_NAMES=x",
                                     "SERVICE_82_NAME",
                                     nullptr};
  const auto targets = targets_in_environment(environment, "http");
  ASSERT_THAT(targets, SizeIs(2));
  EXPECT_EQ(targets[0].text(), "http://api.local:80");
  EXPECT_EQ(targets[1].text(), "http://calc.local:8080");
  EXPECT_THAT(targets_in_environment(nullptr), IsEmpty());
}

TEST(Environment, ABadValueIsNamed) {
  const char* const environment[] = {"SERVICE_80_NAME=a b", nullptr};
  try {
    (void)targets_in_environment(environment);
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr("SERVICE_80_NAME"));
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
