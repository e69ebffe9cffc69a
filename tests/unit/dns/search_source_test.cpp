// SPDX-License-Identifier: Apache-2.0
#include "dns/search_source.hpp"

#include "fake_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum answer_outcome;

class SearchSource : public ::testing::Test {
 protected:
  answer ask(const std::string& name, record_type type = record_type::a) {
    std::vector<answer> got;
    book->asked.clear();
    source->ask({name, type}, [&](const answer& a) { got.push_back(a); });
    EXPECT_THAT(got, IsEmpty());
    book->run();
    EXPECT_THAT(got, SizeIs(1));
    EXPECT_EQ(got.at(0).asked, (question{name, type}));
    return got.at(0);
  }

  std::shared_ptr<fake_book> book = std::make_shared<fake_book>();
  std::unique_ptr<search_source> source = std::make_unique<search_source>(
      std::make_unique<fake_source>(book), std::vector<std::string>{"one.test", "two.test"});
};

TEST_F(SearchSource, OnlyNamesOfOneLabel_Fault72) {
  book->set("api.prod", record_type::a, records);
  EXPECT_EQ(ask("api.prod").outcome, records);
  EXPECT_THAT(book->names(), ElementsAre("api.prod"));
  EXPECT_EQ(ask("none.prod").outcome, name_not_found);
  EXPECT_THAT(book->names(), ElementsAre("none.prod"));
}

TEST_F(SearchSource, TheFirstCandidateWithRecordsAnswers_Fault72) {
  book->set("api", record_type::a, records);
  EXPECT_EQ(ask("api").outcome, records);
  EXPECT_THAT(book->names(), ElementsAre("api.one.test", "api.two.test", "api"));
  book->set("api.two.test", record_type::a, records, 7);
  EXPECT_EQ(ask("api").ttl, 7s);
  EXPECT_THAT(book->names(), ElementsAre("api.one.test", "api.two.test"));
  book->set("api.one.test", record_type::a, records, 5);
  EXPECT_EQ(ask("api").ttl, 5s);
  EXPECT_THAT(book->names(), ElementsAre("api.one.test"));
}

TEST_F(SearchSource, WhenNoneIsThereTheLastAnswerIsDelivered_Fault72) {
  book->set("api.one.test", record_type::srv, no_data);
  book->set("api", record_type::srv, no_data, 9);
  const auto got = ask("api", record_type::srv);
  EXPECT_EQ(got.outcome, no_data);
  EXPECT_EQ(got.ttl, 9s);
  EXPECT_THAT(book->asked, SizeIs(3));
}

TEST_F(SearchSource, AFailureEndsTheSearch_Fault72And86) {
  book->set("api.two.test", record_type::a, records);
  for (const auto outcome : {timeout, server_failure, refused, malformed, local_fault}) {
    book->set("api.one.test", record_type::a, outcome);
    EXPECT_EQ(ask("api").outcome, outcome);
    EXPECT_THAT(book->names(), ElementsAre("api.one.test"));
  }
}

// IPv4 from one host and IPv6 from another would be a merge of two views.
TEST_F(SearchSource, TheOtherFamilyHoldsACandidate_Fault86) {
  book->set("api.one.test", record_type::a, records);
  book->set("api.one.test", record_type::aaaa, no_data, 3);
  book->set("api.two.test", record_type::aaaa, records);
  const auto got = ask("api", record_type::aaaa);
  EXPECT_EQ(got.outcome, no_data);
  EXPECT_EQ(got.ttl, 3s);
  EXPECT_THAT(book->names(), ElementsAre("api.one.test AAAA", "api.one.test"));
  // And the other way round.
  book->set("api.one.test", record_type::a, no_data);
  book->set("api.one.test", record_type::aaaa, records);
  book->set("api.two.test", record_type::a, records);
  EXPECT_EQ(ask("api").outcome, no_data);
}

TEST_F(SearchSource, ACandidateWithoutAnyAddressIsPassed_Fault72) {
  book->set("api.one.test", record_type::a, no_data);
  book->set("api.one.test", record_type::aaaa, no_data);
  book->set("api.two.test", record_type::a, records);
  EXPECT_EQ(ask("api").outcome, records);
  EXPECT_THAT(book->names(), ElementsAre("api.one.test", "api.one.test AAAA", "api.two.test"));
  book->set("api.one.test", record_type::aaaa, timeout);
  EXPECT_EQ(ask("api").outcome, timeout);
}

TEST_F(SearchSource, CandidatesThatAreTooLongAreLeftOut_Fault72) {
  const std::string label(63, 'a');
  const auto domain = label + "." + label + "." + label;  // 191
  source = std::make_unique<search_source>(std::make_unique<fake_source>(book),
                                           std::vector<std::string>{domain, "two.test"});
  book->closed = false;                                          // the one before is gone
  EXPECT_EQ(ask(std::string(62, 'b')).outcome, name_not_found);  // 254 and 71
  EXPECT_THAT(book->asked, SizeIs(2));
  EXPECT_EQ(ask(std::string(61, 'b')).outcome, name_not_found);
  EXPECT_THAT(book->asked, SizeIs(3));
}

TEST_F(SearchSource, ClosingAndDestroyingInTheMiddleEndItOnce) {
  for (const bool destroy : {false, true}) {
    book->closed = false;
    std::vector<answer_outcome> got;
    source->ask({"api", record_type::a}, [&](const answer& a) { got.push_back(a.outcome); });
    if (destroy) {
      source.reset();
    } else {
      source->close();
    }
    book->run();
    EXPECT_THAT(got, ElementsAre(closed));
  }
}

// A candidate that does not exist is no answer for a search that was cut short.
TEST_F(SearchSource, ANegativeAnswerAfterItsEndIsNotBelieved) {
  std::vector<answer> got;
  source->ask({"api", record_type::a}, [&](const answer& a) { got.push_back(a); });
  source.reset();
  book->closed = false;  // the source below had it already
  book->run();
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].outcome, closed);
  EXPECT_EQ(got[0].error, errc::closed);
}

TEST_F(SearchSource, CountsRebuilds) {
  book->rebuilds = 3;
  EXPECT_EQ(source->rebuilds(), 3u);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
