// SPDX-License-Identifier: Apache-2.0
#include "dns/answer_batch.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AnswerBatch : public ::testing::Test {
 protected:
  void add(int number, bool throws = false) {
    batch->add(
        [this, number, throws, kept = owned](const answer&) {
          called.push_back(number);
          if (throws) throw std::runtime_error("from a handler");
        },
        answer{});
  }

  boost::asio::io_context io{1};
  boost::asio::any_io_executor strand{io.get_executor()};
  std::shared_ptr<answer_batch> batch = std::make_shared<answer_batch>();
  std::shared_ptr<int> owned = std::make_shared<int>();
  std::vector<int> called;
};

TEST_F(AnswerBatch, CallsEachInOrderOnce) {
  for (int i = 0; i < 3; ++i) add(i);
  EXPECT_TRUE(batch->is_open());
  answer_batch::post(batch, strand);
  EXPECT_THAT(called, IsEmpty());
  answer_batch::run(batch, strand);
  EXPECT_THAT(called, ElementsAre(0, 1, 2));
  EXPECT_FALSE(batch->is_open());
  EXPECT_EQ(owned.use_count(), 1);
  io.poll();
  EXPECT_THAT(called, ElementsAre(0, 1, 2));
}

TEST_F(AnswerBatch, Fault130_EachThatThrowsCostsNobodyElse) {
  for (int i = 0; i < 5; ++i) add(i, i == 1 || i == 2 || i == 4);
  EXPECT_THROW(answer_batch::run(batch, strand), std::runtime_error);
  EXPECT_THAT(called, ElementsAre(0, 1));
  EXPECT_THROW(io.poll(), std::runtime_error);
  EXPECT_THAT(called, ElementsAre(0, 1, 2));
  EXPECT_THROW(io.poll(), std::runtime_error);
  EXPECT_THAT(called, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(io.poll(), 0u);
}

TEST_F(AnswerBatch, Fault127_TheContextMayEndFirst) {
  for (int i = 0; i < 3; ++i) add(i);
  {
    boost::asio::io_context other{1};
    answer_batch::post(batch, other.get_executor());
    batch.reset();
  }
  EXPECT_THAT(called, IsEmpty());
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(AnswerBatch, IsUsedAgainAndGivesBackTheMemoryOfNames) {
  const std::string name(100, 'a');
  answer a;
  a.asked.name = name;
  batch->add([](const answer&) {}, std::move(a));
  add(1);
  answer_batch::run(batch, strand);
  std::vector<std::string> names;
  names.reserve(1);
  batch->reopen(names);
  ASSERT_EQ(names.size(), 1U);  // no more than there is room for
  EXPECT_GE(names.front().capacity(), name.size());
  EXPECT_TRUE(batch->is_open());
  add(2);
  answer_batch::run(batch, strand);
  EXPECT_THAT(called, ElementsAre(1, 2));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
