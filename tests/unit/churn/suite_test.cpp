// SPDX-License-Identifier: Apache-2.0
// Which scenarios and clients are asked for, which can be played, and the table of them.

#include "churn/suite.hpp"

#include "churn/entrants.hpp"
#include "synthetic_run.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace redial::churn {
namespace {

TEST(ScenariosNamed, AreInTheOrderOfTheCatalogue) {
  const auto all = all_scenarios(true);
  const auto found = scenarios_named({all[3].name, all[1].name, all[3].name}, true);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, all[1].name);
  EXPECT_EQ(found[1].name, all[3].name);
  EXPECT_EQ(scenarios_named({"all"}, true).size(), all.size());
  EXPECT_THROW((void)scenarios_named({"all", "no_such"}, true), std::invalid_argument);
}

TEST(EntrantsNamed, AreAllOrThoseAskedFor) {
  EXPECT_EQ(entrants_named({}).size(), all_entrants().size());
  const auto two = entrants_named({"plain", "redial"});
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].id, "redial");
  EXPECT_EQ(two[1].id, "plain");
  EXPECT_THROW((void)entrants_named({"nobody"}), std::invalid_argument);
}

TEST(WhyNotPlayed, NamesWhatIsMissing) {
  stage_means bare;
  bare.place.why_not = "no luck";
  scenario s;
  EXPECT_EQ(why_not_played(s, bare), "");
  s.filters_packets = true;
  EXPECT_EQ(why_not_played(s, bare), "needs a packet filter (no luck)");
  bare.place.packet_filter = true;
  EXPECT_EQ(why_not_played(s, bare), "");
  s.in_hosts_file = true;
  EXPECT_NE(why_not_played(s, bare), "");
  bare.place.system_names = true;
  EXPECT_EQ(why_not_played(s, bare), "");
  s.dns_faults = true;
  EXPECT_EQ(why_not_played(s, bare), "");
  bare.names = authority::knot;
  EXPECT_NE(why_not_played(s, bare), "");
}

}  // namespace
}  // namespace redial::churn
