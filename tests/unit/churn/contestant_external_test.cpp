// SPDX-License-Identifier: Apache-2.0
// External clients, good and bad, as shell scripts.

#include "churn/contestant_external.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace redial::churn {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto patience = 30s;

class ExternalClient : public ::testing::Test {
 protected:
  void start(const std::string& script) {
    where_.host = "api.test";
    where_.port = 4711;
    where_.ttl_cap = 10s;
    where_.seed = 7;
    client_ = make_external(io_.get_executor(), where_, {"fake", script, {}});
  }

  void ask(std::uint64_t request, duration limit = 1h) {
    client_->async_get(request, clock::now() + limit, [this, request](reply r) {
      EXPECT_TRUE(heard_.emplace(request, std::move(r)).second) << request << " answered again";
    });
    EXPECT_EQ(heard_.count(request), 0U) << "answered at once";
  }

  // Until so many are answered; fails when that takes too long.
  void wait_for(std::size_t answers) {
    const auto until = clock::now() + patience;
    while (heard_.size() < answers && clock::now() < until) io_.run_one_until(until);
    ASSERT_EQ(heard_.size(), answers);
  }

  // What the client said in the place of a backend's name.
  std::string answer_to(std::uint64_t request) {
    ask(request);
    wait_for(heard_.size() + 1);
    return heard_[request].backend;
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{
      io_.get_executor()};
  service_address where_;
  std::unique_ptr<contestant> client_;
  std::map<std::uint64_t, reply> heard_;
};

TEST_F(ExternalClient, AnswersAndFails) {
  start(R"(while read get id left; do
    case $id in 2) echo "fail $id no way";; *) echo "ok $id A";; esac; done)");
  ask(1);
  ask(2);
  wait_for(2);
  EXPECT_TRUE(heard_[1].ok);
  EXPECT_EQ(heard_[1].backend, "A");
  EXPECT_FALSE(heard_[2].ok);
  EXPECT_EQ(heard_[2].error, "no way");
}

TEST_F(ExternalClient, IsToldTheTimeThatIsLeft) {
  start(R"(while read get id left; do echo "ok $id $left"; done)");
  const auto left = std::stoll(answer_to(1));
  EXPECT_GT(left, 3'000'000'000);
  EXPECT_LE(left, 3'600'000'000);
}

TEST_F(ExternalClient, IsToldItsServiceByItsEnvironment) {
  where_.tls = true;
  where_.ca_file = "/some/ca.pem";
  start(R"(read get id left
    echo "ok $id $CHURN_URL $CHURN_CA_FILE $CHURN_TTL_CAP_MS $CHURN_SEED"; cat)");
  EXPECT_EQ(answer_to(1), "https://api.test:4711/fake/ /some/ca.pem 10000 7");
}

TEST_F(ExternalClient, MayAnswerInAnyOrderAndWriteInPieces) {
  start(R"(read get a left; read get b left
    printf 'o'; printf 'k '; printf "$b B\nok $a"; printf ' A\n'; cat)");
  ask(1);
  ask(2);
  wait_for(2);
  EXPECT_EQ(heard_[1].backend, "A");
  EXPECT_EQ(heard_[2].backend, "B");
}

TEST_F(ExternalClient, MayTalkNonsense) {
  start(R"(read get id left
    echo; echo "hello, world"; echo "ok"; echo "ok 999 A"; echo "fail 998 x"; echo "ok one A"
    echo "ok $id A"; echo "ok $id B"; echo "fail $id late"
    read get id left; echo "ok $id C"; cat)");
  EXPECT_EQ(answer_to(1), "A");
  EXPECT_EQ(answer_to(2), "C");
}

TEST_F(ExternalClient, SaysHowManyConnectionsItOpened) {
  start(R"(read get id left; echo "connections 1"; echo "connections 3"; echo "ok $id A"; cat)");
  EXPECT_EQ(client_->connections(), 0U);
  answer_to(1);
  EXPECT_EQ(client_->connections(), 3U);
}

TEST_F(ExternalClient, ThatNeverAnswersFailsByTheDeadline) {
  start("exec cat >/dev/null");
  ask(1, 20ms);
  wait_for(1);
  EXPECT_EQ(heard_[1].error, "no answer by the deadline");
}

TEST_F(ExternalClient, ThatNeverReadsFailsByTheDeadline) {
  start("exec sleep 1000");
  // More than any buffer on the way holds.
  for (std::uint64_t i = 0; i < 20'000; ++i) ask(i, 20ms);
  wait_for(20'000);
  EXPECT_EQ(heard_[19'999].error, "no answer by the deadline");
}

TEST_F(ExternalClient, ThatDiesFailsWhatItOwesAndWhatComesLater) {
  start("read get id left; exit 3");
  ask(1);
  wait_for(1);
  EXPECT_EQ(heard_[1].error, "the client ended: exit status 3");
  ask(2);
  wait_for(2);
  EXPECT_EQ(heard_[2].error, "the client ended: exit status 3");
}

TEST_F(ExternalClient, ThatIsNoProgramFailsEverything) {
  start("/no/such/program 2>/dev/null");
  ask(1);
  wait_for(1);
  EXPECT_EQ(heard_[1].error, "the client ended: exit status 127");
}

TEST_F(ExternalClient, ThatClosesItsOutputIsEnded) {
  start("read get id left; exec >&- <&-; exec sleep 1000");
  ask(1);
  wait_for(1);
  EXPECT_EQ(heard_[1].error, "the client ended: signal 9");
}

TEST_F(ExternalClient, ThatSaysALineWithoutEndIsEnded) {
  start("read get id left; exec tr '\\0' x </dev/zero");
  ask(1);
  wait_for(1);
  EXPECT_THAT(heard_[1].error, HasSubstr("line of more than 4096 bytes"));
}

TEST_F(ExternalClient, EndsWhenItsInputDoes) {
  // It says whether it was left to end by itself.
  const auto file = ::testing::TempDir() + "redial-external-" + std::to_string(::getpid());
  start("while read get id left; do :; done; echo done >'" + file + "'");
  ask(1);
  client_->close();
  EXPECT_EQ(::access(file.c_str(), F_OK), 0);
  ::unlink(file.c_str());
  wait_for(1);
  EXPECT_EQ(heard_[1].error, "closed");
}

TEST_F(ExternalClient, ThatDoesNotEndIsKilledWithItsChildren) {
  start(R"(trap '' HUP TERM; sleep 1000 & read get id left; echo "ok $id $!"; wait; sleep 1000)");
  const auto child = static_cast<pid_t>(std::stol(answer_to(1)));
  ASSERT_EQ(::kill(child, 0), 0);
  client_->close();
  // An orphan, it is reaped by init or by a reaper above us; until then it is a zombie.
  const auto state_of_child = [&] {
    std::ifstream in("/proc/" + std::to_string(child) + "/stat");
    std::string pid, name, state;
    return in >> pid >> name >> state ? state : "gone";
  };
  for (int i = 0; i < 1000 && state_of_child() != "gone" && state_of_child() != "Z"; ++i) {
    ::usleep(10'000);
  }
  EXPECT_THAT((std::vector<std::string>{"gone", "Z"}), Contains(state_of_child()));
}

TEST_F(ExternalClient, InheritsNothingButItsSocket) {
  // By the shell itself: for a command in $() it has a pipe open. To list is to have one more, 3.
  start(R"(read get id left; set -- /proc/$$/fd/*; echo "ok $id $*"; cat)");
  const auto open = answer_to(1);
  EXPECT_THAT(open, HasSubstr("/fd/0"));
  for (const auto* socket : {"/fd/4", "/fd/5", "/fd/6", "/fd/7", "/fd/8"}) {
    EXPECT_THAT(open, Not(HasSubstr(socket)));
  }
}

TEST(ExternalEntrant, HasANameAndACommand) {
  const auto e = external_entrant("mine=./client --fast=yes");
  EXPECT_EQ(e.id, "mine");
  EXPECT_EQ(e.title, "mine");
}

TEST(ExternalEntrant, CannotFollowServices) {
  service_address where;
  EXPECT_EQ(external_entrant("mine=./client").refuses(where), "");
  where.srv = "_http._tcp.api.test";
  EXPECT_THAT(external_entrant("mine=./client").refuses(where), HasSubstr("SRV"));
}

TEST(ExternalEntrant, IsRefusedInAnotherForm) {
  for (const auto* text : {"", "mine", "mine=", "=./client", "My=./client", "a b=./client"}) {
    EXPECT_THROW((void)external_entrant(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace redial::churn
