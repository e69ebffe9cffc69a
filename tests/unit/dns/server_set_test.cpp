// SPDX-License-Identifier: Apache-2.0
//
// resolv.conf on disk, time simulated.
#include "dns/server_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ServerSet : public ::testing::Test {
 protected:
  ServerSet() {
    auto name = (std::filesystem::temp_directory_path() / "redial-resolv-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    dir_ = name;
    options.resolv_conf = dir_ / "resolv.conf";
  }
  ~ServerSet() override { std::filesystem::remove_all(dir_); }

  // In place, as a careless program does.
  void write(const std::string& text) const { std::ofstream(options.resolv_conf) << text; }
  void remove() const { std::filesystem::remove(options.resolv_conf); }

  // Looks as often as questions come, every 10 ms. True when that brought a change.
  bool follow(server_set& set, duration length) {
    bool changed = false;
    for (const auto end = now + length; now < end; now += 10ms) {
      if (set.look(now)) changed = true;
    }
    return changed;
  }

  static std::vector<std::string> servers(server_set& set) {
    std::vector<std::string> out;
    for (const auto& s : set.next_channel().servers) out.push_back(to_string(s));
    return out;
  }

  cares_options options;
  time_point now = time_point{} + 1h;

 private:
  std::filesystem::path dir_;
};

TEST_F(ServerSet, GivenOnesNeedNoFile) {
  write("nameserver 10.0.0.9\noptions use-vc\n");
  options.nameservers = {"10.0.0.1", "10.0.0.2:5353"};
  server_set set{options};
  EXPECT_FALSE(follow(set, 5s));
  EXPECT_TRUE(set.is_fixed());
  EXPECT_THAT(servers(set), ElementsAre("10.0.0.1:53", "10.0.0.2:5353"));
  EXPECT_FALSE(set.next_channel().tcp_only);
  EXPECT_EQ(set.next_look(), time_point::max());
}

TEST_F(ServerSet, NoFileNoServers_Fault76) {
  server_set set{options};
  EXPECT_FALSE(follow(set, 5s));
  EXPECT_TRUE(set.is_empty());
  write("");
  EXPECT_FALSE(follow(set, 5s));
  EXPECT_TRUE(set.is_empty());
  write("nameserver 10.0.0.1\n");
  EXPECT_TRUE(set.look(now));  // while there are none, at once
  EXPECT_THAT(servers(set), ElementsAre("10.0.0.1:53"));
}

TEST_F(ServerSet, AChangeIsPickedUpAfterTwoReads_Fault78) {
  write("nameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  EXPECT_FALSE(follow(set, 2s));
  write("nameserver 10.0.0.2\nnameserver 10.0.0.3\n");
  const auto written = now;
  while (!set.look(now)) {
    ASSERT_LT(now, written + server_set::look_interval + 2 * stable_file::apart);
    now += 10ms;
  }
  EXPECT_GE(now, written + stable_file::apart);
  EXPECT_THAT(servers(set), ElementsAre("10.0.0.2:53", "10.0.0.3:53"));
  EXPECT_FALSE(follow(set, 5s));
}

TEST_F(ServerSet, AtMostOneLookASecondUntilThereIsSomethingToConfirm) {
  write("nameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  EXPECT_FALSE(follow(set, 3s));
  EXPECT_EQ(set.next_look(), time_point::max());
  write("nameserver 10.0.0.2\n");
  const auto from = now;
  while (set.next_look() == time_point::max() && now < from + 2s) {
    EXPECT_FALSE(set.look(now));
    now += 10ms;
  }
  EXPECT_LE(set.next_look(), now + stable_file::apart);
  now = set.next_look();
  EXPECT_TRUE(set.look(now));
  EXPECT_EQ(set.next_look(), time_point::max());
}

TEST_F(ServerSet, WhatNamesNoServerChangesNothing_Fault77And79) {
  write("nameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  const auto stays = [&](const char* what) {
    EXPECT_FALSE(follow(set, 5s)) << what;
    EXPECT_THAT(servers(set), ElementsAre("10.0.0.1:53")) << what;
  };
  write("");
  stays("empty");
  write("namese");
  stays("half written");
  write("search test\noptions rotate use-vc timeout:9\nnameserver dns.test\n");
  stays("no server");
  EXPECT_FALSE(set.next_channel().tcp_only);
  write("nameserver 10.0.0.2\n" + std::string(70'000, '#'));
  stays("too long");
  remove();
  stays("gone");
  write("nameserver 10.0.0.2\n");
  EXPECT_TRUE(follow(set, 5s));
  EXPECT_THAT(servers(set), ElementsAre("10.0.0.2:53"));
}

TEST_F(ServerSet, AFileThatKeepsChangingWaits_Fault79) {
  write("nameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  for (int i = 0; i < 20; ++i) {
    write("nameserver 10.0.1." + std::to_string(i) + "\n");
    EXPECT_FALSE(follow(set, 150ms));
  }
  EXPECT_TRUE(follow(set, 2s));
  EXPECT_THAT(servers(set), ElementsAre("10.0.1.19:53"));
}

TEST_F(ServerSet, TheSameServersInOtherWordsAreNoChange_Fault78) {
  write("nameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  write("# rewritten\nsearch other.test\nnameserver   10.0.0.1\n");
  EXPECT_FALSE(follow(set, 5s));
  write("nameserver 10.0.0.1\noptions timeout:1\n");
  EXPECT_TRUE(follow(set, 5s));
}

TEST_F(ServerSet, OptionsReachTheChannel) {
  write("nameserver 10.0.0.1\noptions timeout:2 attempts:4 use-vc\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  const auto setup = set.next_channel();
  EXPECT_EQ(setup.try_timeout, 2s);
  EXPECT_EQ(setup.attempts, 4);
  EXPECT_TRUE(setup.tcp_only);
}

TEST_F(ServerSet, FailoverSticks_Fault80) {
  options.nameservers = {"10.0.0.1", "10.0.0.2"};
  server_set set{options};
  EXPECT_TRUE(set.on_answer(1, now));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(servers(set), ElementsAre("10.0.0.2:53", "10.0.0.1:53"));
}

TEST_F(ServerSet, RotateStartsEachChannelElsewhereButFailoverSticks_Fault80) {
  write("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions rotate\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  std::set<std::string> first;
  for (int i = 0; i < 50; ++i) first.insert(servers(set).front());
  EXPECT_THAT(first, ElementsAre("10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"));
  const auto before = servers(set);
  EXPECT_TRUE(set.on_answer(1, now));
  EXPECT_THAT(servers(set), ElementsAre(before[1], before[2], before[0]));
}

TEST_F(ServerSet, ServersWithAZoneAreDroppedWhereTheyCannotBeUsed_Fault85) {
  write("nameserver fe80::1%1\nnameserver 10.0.0.1\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  EXPECT_THAT(servers(set), ElementsAre(HasSubstr("fe80::1"), "10.0.0.1:53"));
  EXPECT_TRUE(set.drop_zoned());
  EXPECT_THAT(servers(set), ElementsAre("10.0.0.1:53"));
  EXPECT_FALSE(set.drop_zoned());
  EXPECT_FALSE(follow(set, 3s));
}

TEST(TryTimeout, LeavesRoomForAnotherServer_Fault80) {
  EXPECT_EQ(try_timeout_for(5s, 0s, 1), 1s);
  EXPECT_EQ(try_timeout_for(2s, 0s, 1), 500ms);
  EXPECT_EQ(try_timeout_for(10ms, 0s, 1), 50ms);
  EXPECT_EQ(try_timeout_for(5s, 1s, 2), 1s);
  EXPECT_EQ(try_timeout_for(5s, 2s, 2), 2s);
  EXPECT_EQ(try_timeout_for(5s, 30s, 1), 2500ms);
  EXPECT_EQ(try_timeout_for(5s, 30s, 2), 2500ms);
  EXPECT_EQ(try_timeout_for(1min, 30s, 2), 30s);
  EXPECT_EQ(try_timeout_for(10ms, 30s, 2), 50ms);
}

TEST(TryTimeout, TheLastServerIsAskedBeforeTheDeadline_Fault80) {
  for (const duration said : {0s, 1s, 3s, 30s}) {
    for (std::size_t servers = 1; servers <= resolv_conf::most_servers; ++servers) {
      const auto one = try_timeout_for(5s, said, servers);
      EXPECT_LE(one * static_cast<int>(servers), 5s) << servers << " servers";
    }
  }
}

TEST_F(ServerSet, ThreeServersAndALongTimeout_Fault80) {
  write("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions timeout:5\n");
  server_set set{options};
  EXPECT_TRUE(set.look(now));
  EXPECT_LE(3 * set.next_channel().try_timeout, options.query_timeout);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
