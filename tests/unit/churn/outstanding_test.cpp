// SPDX-License-Identifier: Apache-2.0
// A request is answered once, whatever the client under test says.

#include "churn/outstanding.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Outstanding : public ::testing::Test {
 protected:
  void add(std::uint64_t request, time_point deadline) {
    asked_->add(request, deadline, [this, request](const reply& r) {
      heard_.push_back(std::to_string(request) + (r.ok ? " ok " + r.backend : " " + r.error));
    });
  }
  static time_point far() { return clock::now() + 1h; }

  boost::asio::io_context io_;
  std::shared_ptr<outstanding> asked_ = std::make_shared<outstanding>(io_.get_executor());
  std::vector<std::string> heard_;
};

TEST_F(Outstanding, AnswersOnce) {
  add(1, far());
  asked_->answer(1, answered(200, "A"));
  asked_->answer(1, answered(200, "B"));
  EXPECT_THAT(heard_, ElementsAre("1 ok A"));
}

TEST_F(Outstanding, KnowsNothingOfARequestThatWasNotMade) {
  asked_->answer(1, answered(200, "A"));
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(Outstanding, AnswersFromAnotherThreadOnItsOwn) {
  add(1, far());
  asked_->answer_from_thread(1, answered(503, "busy"));
  EXPECT_THAT(heard_, IsEmpty());
  io_.poll();
  EXPECT_THAT(heard_, ElementsAre("1 status 503"));
}

TEST_F(Outstanding, GivesUpThoseWhoseDeadlineHasPassed) {
  add(3, far());
  add(2, clock::now());
  add(1, clock::now() - 1s);  // due first, though it came last
  // Runs out of handlers once all are answered.
  while (heard_.size() < 2) ASSERT_EQ(io_.run_one(), 1U);
  EXPECT_THAT(heard_, ElementsAre("1 no answer by the deadline", "2 no answer by the deadline"));
  asked_->answer(3, answered(200, "A"));
  EXPECT_EQ(heard_.back(), "3 ok A");
}

TEST_F(Outstanding, GivesUpWhatIsAskedLater) {
  add(1, far());
  asked_->answer(1, answered(200, "A"));
  add(2, clock::now());
  while (heard_.size() < 2) ASSERT_EQ(io_.run_one(), 1U);
  EXPECT_EQ(heard_.back(), "2 no answer by the deadline");
}

TEST_F(Outstanding, FailsAllWithOneReason) {
  add(1, far());
  add(2, far());
  asked_->fail_all("lost");
  asked_->answer(1, answered(200, "A"));
  EXPECT_THAT(heard_, UnorderedElementsAre("1 lost", "2 lost"));
}

TEST_F(Outstanding, FailsOnlyWhatWasAskedBefore) {
  asked_->add(1, far(), [this](const reply&) { add(2, far()); });
  asked_->fail_all("lost");
  EXPECT_THAT(heard_, IsEmpty());
  asked_->answer(2, answered(200, "A"));
  EXPECT_THAT(heard_, ElementsAre("2 ok A"));
}

TEST_F(Outstanding, ClosedItFailsTheRestAndLeavesNoWork) {
  add(1, far());
  add(2, far());
  asked_->close();
  asked_.reset();
  EXPECT_THAT(heard_, IsEmpty());
  io_.run();
  EXPECT_THAT(heard_, UnorderedElementsAre("1 closed", "2 closed"));
}

TEST(TimeLeft, IsWholeMillisecondsRoundedUp) {
  const time_point now{1h};
  EXPECT_EQ(time_left(now + 1500us, now), 2ms);
  EXPECT_EQ(time_left(now + 2ms, now), 2ms);
}

TEST(TimeLeft, IsNeverZeroWhichManyClientsTakeForNoLimit) {
  const time_point now{1h};
  EXPECT_EQ(time_left(now, now), 1ms);
  EXPECT_EQ(time_left(now - 1s, now), 1ms);
}

}  // namespace
}  // namespace redial::churn
