// SPDX-License-Identifier: Apache-2.0
// Every planned request is accounted for, whatever the client does.

#include "churn/load_generator.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;

// Does with each request what it is told to.
class scripted_contestant final : public contestant {
 public:
  std::function<void(std::uint64_t, time_point, handler)> on_get;

  const std::string& id() const noexcept override { return id_; }
  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    on_get(request, deadline, std::move(done));
  }
  std::uint64_t connections() const override { return 0; }
  void close() override {}

 private:
  std::string id_ = "scripted";
};

reply answer(std::string backend) {
  reply r;
  r.ok = true;
  r.backend = std::move(backend);
  return r;
}

class LoadGenerator : public ::testing::Test {
 protected:
  LoadGenerator() {
    settings_.rate = 1000;
    settings_.length = 20ms;
  }

  // Runs to the end, which comes by itself, and returns the records.
  std::vector<request_record> play() {
    load_generator load(io_, client_, settings_);
    bool finished = false;
    load.run(clock::now(), [&] { finished = true; });
    io_.run();
    EXPECT_TRUE(finished);
    EXPECT_EQ(load.live().sent, 20U);
    EXPECT_EQ(load.live().ok + load.live().failed, 20U);
    answered_by_c_ = load.live().by_backend[2];
    auto records = load.take_records();
    EXPECT_EQ(records.size(), 20U);
    return records;
  }

  boost::asio::io_context io_{1};
  scripted_contestant client_;
  load_settings settings_;
  std::uint64_t answered_by_c_ = 0;
};

TEST_F(LoadGenerator, RecordsAnswersAgainstThePlan) {
  client_.on_get = [](std::uint64_t, time_point, const contestant::handler& done) {
    done(answer("C"));
  };
  const auto records = play();
  EXPECT_EQ(answered_by_c_, 20U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& r = records[i];
    EXPECT_TRUE(r.ok);
    EXPECT_EQ(r.id, i);
    EXPECT_EQ(r.backend, 2);
    EXPECT_EQ(r.planned, i * 1ms);
    EXPECT_GE(r.sent, r.planned);
    EXPECT_GE(r.done, r.sent);
  }
}

TEST_F(LoadGenerator, CountsTheDeadlineFromThePlan) {
  std::vector<time_point> deadlines;
  client_.on_get = [&](std::uint64_t, time_point deadline, const contestant::handler& done) {
    deadlines.push_back(deadline);
    done(answer("A"));
  };
  (void)play();
  ASSERT_EQ(deadlines.size(), 20U);
  EXPECT_EQ(deadlines[19] - deadlines[0], 19ms);
}

TEST_F(LoadGenerator, AnAnswerAfterTheDeadlineIsAFailure) {
  settings_.deadline = -1ms;  // passed when the request is sent
  client_.on_get = [](std::uint64_t, time_point, const contestant::handler& done) {
    done(answer("A"));
  };
  for (const auto& r : play()) {
    EXPECT_FALSE(r.ok);
    EXPECT_EQ(r.error, "answered after the deadline");
    EXPECT_EQ(r.backend, -1);
  }
}

TEST_F(LoadGenerator, FailsUnsentOverTheLimit) {
  settings_.in_flight_limit = 3;
  std::vector<contestant::handler> waiting;
  client_.on_get = [&](std::uint64_t request, time_point, contestant::handler done) {
    EXPECT_LT(request, 3U);
    waiting.push_back(std::move(done));
  };
  settings_.deadline = 1ms;
  const auto records = play();
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].error, i < 3 ? "never completed" : "not sent: too many in flight");
  }
}

TEST_F(LoadGenerator, EndsAlsoWhenRequestsAreLost) {
  settings_.deadline = 1ms;
  client_.on_get = [](std::uint64_t request, time_point, const contestant::handler& done) {
    if (request % 2 == 0) done(answer("A"));
  };
  const auto records = play();
  EXPECT_EQ(records[1].error, "never completed");
  EXPECT_TRUE(records[0].ok || records[0].error == "answered after the deadline");
}

TEST_F(LoadGenerator, AnswersTwiceCountOnce) {
  client_.on_get = [](std::uint64_t, time_point, const contestant::handler& done) {
    done(answer("C"));
    done(answer("C"));
  };
  (void)play();
  EXPECT_EQ(answered_by_c_, 20U);
}

}  // namespace
}  // namespace redial::churn
