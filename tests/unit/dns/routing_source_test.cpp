// SPDX-License-Identifier: Apache-2.0
#include "dns/routing_source.hpp"

#include "fake_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RoutingSource : public ::testing::Test {
 protected:
  std::unique_ptr<routing_source> make() {
    std::vector<routing_source::zone> zones;
    zones.push_back({"consul", std::make_unique<fake_source>(consul)});
    zones.push_back({"dc2.consul", std::make_unique<fake_source>(dc2)});
    return std::make_unique<routing_source>(std::make_unique<fake_source>(rest), std::move(zones));
  }

  std::shared_ptr<fake_book> rest = std::make_shared<fake_book>();
  std::shared_ptr<fake_book> consul = std::make_shared<fake_book>();
  std::shared_ptr<fake_book> dc2 = std::make_shared<fake_book>();
};

TEST_F(RoutingSource, TheLongestZoneByWholeLabels_Fault86) {
  const auto source = make();
  for (const char* name : {"web.service.consul",
                           "consul",
                           "web.dc2.consul",
                           "dc2.consul",
                           "xdc2.consul",
                           "myconsul",
                           "web.myconsul",
                           "consul.test",
                           "api.test",
                           "api"}) {
    source->ask({name, record_type::a}, [](const answer&) {});
  }
  EXPECT_THAT(consul->names(), ElementsAre("web.service.consul", "consul", "xdc2.consul"));
  EXPECT_THAT(dc2->names(), ElementsAre("web.dc2.consul", "dc2.consul"));
  EXPECT_THAT(rest->names(),
              ElementsAre("myconsul", "web.myconsul", "consul.test", "api.test", "api"));
}

TEST_F(RoutingSource, AFailureIsNotAskedElsewhere_Fault86) {
  const auto source = make();
  rest->set("web.consul", record_type::a, answer_outcome::records);
  for (const auto outcome : {answer_outcome::timeout, answer_outcome::name_not_found}) {
    consul->set("web.consul", record_type::a, outcome);
    std::vector<answer_outcome> got;
    source->ask({"web.consul", record_type::a}, [&](const answer& a) { got.push_back(a.outcome); });
    consul->run();
    EXPECT_THAT(got, ElementsAre(outcome));
  }
  EXPECT_THAT(rest->asked, IsEmpty());
}

TEST_F(RoutingSource, ClosesAndCountsAll) {
  const auto source = make();
  rest->rebuilds = 1;
  consul->rebuilds = 2;
  dc2->rebuilds = 4;
  EXPECT_EQ(source->rebuilds(), 7u);
  source->close();
  EXPECT_TRUE(rest->closed && consul->closed && dc2->closed);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
