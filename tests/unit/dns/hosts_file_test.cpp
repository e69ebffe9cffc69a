// SPDX-License-Identifier: Apache-2.0
#include "dns/hosts_file.hpp"

#include <redial/testing/simulation.hpp>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;
using redial::testing::leftovers;
using redial::testing::simulation;

struct HostsFile : ::testing::Test {
  simulation sim;
  std::filesystem::path where;
  std::vector<names> told;
  std::optional<hosts_file> file;

  void SetUp() override {
    auto name = (std::filesystem::temp_directory_path() / "redial-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    where = name;
    make();
  }
  void TearDown() override {
    file.reset();
    EXPECT_EQ(sim.left_over(), leftovers{});
    std::filesystem::remove_all(where);
  }
  void make() {
    file.emplace(sim.executor(), sim.time(), path(), [this](const names& changed) {
      told.push_back(changed);
    });
  }
  std::string path() const { return (where / "hosts").string(); }
  // Atomically, as good writers do; a new inode, so that stat sees every one of them.
  void write(std::string_view text) const {
    std::ofstream(where / "new", std::ios::binary) << text;
    std::filesystem::rename(where / "new", where / "hosts");
  }
  std::string at(std::string_view name) const {
    const auto* const hit = file->find(name);
    if (hit == nullptr) return "-";
    std::string all;
    for (const address& a : *hit) all += (all.empty() ? "" : " ") + a.to_string();
    return all;
  }
};

TEST_F(HostsFile, KnowsTheFileOnceStarted) {
  write("10.0.0.1 a\n");
  EXPECT_EQ(at("a"), "-");
  file->start();
  EXPECT_EQ(at("a"), "10.0.0.1");
  sim.advance(1min);
  EXPECT_TRUE(told.empty());
}

TEST_F(HostsFile, AChangeCountsWithin1200Ms) {
  write("10.0.0.1 a\n");
  file->start();
  for (int i = 0; i < 20; ++i) {
    sim.advance(1s + 70ms);  // at any moment between two polls
    const std::string name = "b" + std::to_string(i);
    write("10.0.0.1 a " + name + "\n");
    const auto written = sim.now();
    ASSERT_TRUE(sim.run_until([&] { return !told.empty(); }, 1min));
    EXPECT_GE(sim.now() - written, 200ms);
    EXPECT_LE(sim.now() - written, 1200ms);
    EXPECT_EQ(at(name), "10.0.0.1");
    EXPECT_EQ(std::exchange(told, {}), std::vector<names>{{name}});
    sim.advance(10s);  // the one before goes
    told.clear();
  }
}

TEST_F(HostsFile, ARoleThatMoves) {
  write("10.0.0.1 calc\n");
  file->start();
  sim.advance(10s);
  write("10.0.0.2 calc\n");
  ASSERT_TRUE(sim.run_until([&] { return !told.empty(); }, 1min));
  EXPECT_EQ(at("calc"), "10.0.0.1 10.0.0.2");
  sim.advance(4990ms);
  EXPECT_EQ(at("calc"), "10.0.0.1 10.0.0.2");
  sim.advance(10ms);
  EXPECT_EQ(at("calc"), "10.0.0.2");
  EXPECT_EQ(told, (std::vector<names>{{"calc"}, {"calc"}}));
}

TEST_F(HostsFile, WhatIsBackButNotYetSettledDoesNotGo) {
  write("10.0.0.1 a b\n");
  file->start();
  sim.advance(1s);
  write("10.0.0.1 a\n10.0.0.2 c\n");
  ASSERT_TRUE(sim.run_until([&] { return !told.empty(); }, 1min));
  sim.advance(4990ms);
  write("10.0.0.1 a b\n10.0.0.2 c\n");
  sim.advance(1min);
  EXPECT_EQ(at("b"), "10.0.0.1");
  EXPECT_EQ(told, std::vector<names>{{"c"}});
}

TEST_F(HostsFile, NothingGoesWhileAWriterIsAtWork) {
  write("10.0.0.1 a b\n");
  file->start();
  sim.advance(1s);
  write("10.0.0.1 a\n10.0.0.2 c\n");
  ASSERT_TRUE(sim.run_until([&] { return !told.empty(); }, 1min));
  for (int i = 0; i < 200; ++i) {
    write("10.0.0.1 a\n10.0.0.2 c\n#" + std::to_string(i));
    sim.advance(100ms);
  }
  EXPECT_EQ(at("b"), "10.0.0.1");
  sim.advance(200ms);
  EXPECT_EQ(at("b"), "-");
}

TEST_F(HostsFile, Fault74_TornEmptyMissingGarbageNeverRemoves) {
  const std::string good = "10.0.0.1 a\n10.0.0.2 b\n";
  write(good);
  file->start();
  const auto damage = std::vector<std::function<void()>>{
      [&] { write(""); },
      [&] { write("10.0."); },
      [&] { write(std::string(4096, '\0')); },
      [&] {
        write(
            "\x7F"
            "ELF\x02\x01\x01\x00\n\xFF\xFE\n");
      },
      [&] { std::filesystem::remove(where / "hosts"); },
      [&] { std::filesystem::create_directory(where / "hosts"); },
  };
  for (const auto& harm : damage) {
    harm();
    sim.advance(1min);
    EXPECT_EQ(at("a"), "10.0.0.1");
    EXPECT_EQ(at("b"), "10.0.0.2");
  }
  std::filesystem::remove(where / "hosts");
  // Torn between two lines it looks whole: then only the 5 s help.
  write("10.0.0.1 a\n");
  sim.advance(3s);
  write(good);
  sim.advance(1min);
  EXPECT_EQ(at("b"), "10.0.0.2");
  EXPECT_TRUE(told.empty());
}

TEST_F(HostsFile, Fault74_EmptiedAndSlowlyFilledAgain) {
  std::string good;
  for (int i = 0; i < 20; ++i)
    good += "10.0.0." + std::to_string(i) + " n" + std::to_string(i) + "\n";
  write(good);
  file->start();
  sim.advance(10s);
  for (std::size_t size = 0; size < good.size(); size += 2) {
    std::ofstream(path(), std::ios::binary) << good.substr(0, size);
    sim.advance(25ms);
  }
  std::ofstream(path(), std::ios::binary) << good;
  sim.advance(1min);
  EXPECT_TRUE(told.empty());
}

TEST_F(HostsFile, AFileThatComesLater) {
  file->start();
  EXPECT_EQ(at("a"), "-");
  sim.advance(1min);
  write("10.0.0.1 a\n");
  sim.advance(1200ms);
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_EQ(told, std::vector<names>{{"a"}});
}

TEST_F(HostsFile, OneTimerAndNoneOnceStopped) {
  write("10.0.0.1 a\n");
  file->start();
  file->start();
  EXPECT_EQ(sim.time()->armed_timers(), 1U);
  file->stop();
  file->stop();
  EXPECT_EQ(sim.left_over(), leftovers{});
  write("10.0.0.2 a\n");
  sim.advance(1min);
  EXPECT_EQ(at("a"), "10.0.0.1");
  EXPECT_TRUE(told.empty());
}

TEST_F(HostsFile, StartingTwiceSkipsNoRule) {
  write("10.0.0.1 a\n");
  file->start();
  sim.advance(1s);
  write("10.0.0.1 a b\n");
  file->start();
  EXPECT_EQ(at("b"), "-");
}

TEST_F(HostsFile, TheHandlerMayStopIt) {
  write("10.0.0.1 a\n");
  file.emplace(sim.executor(), sim.time(), path(), [this](const names& changed) {
    told.push_back(changed);
    file->stop();
  });
  file->start();
  write("10.0.0.1 a b\n");
  sim.advance(1min);
  EXPECT_EQ(told, std::vector<names>{{"b"}});
  EXPECT_EQ(sim.left_over(), leftovers{});
}

TEST_F(HostsFile, ARestartReadsAgain) {
  write("10.0.0.1 a b\n");
  file->start();
  sim.advance(10s);
  file->stop();
  write("10.0.0.1 b\n10.0.0.2 c\n");
  sim.advance(1min);
  file->start();
  EXPECT_EQ(at("c"), "10.0.0.2");
  EXPECT_TRUE(told.empty());  // not from inside
  sim.settle();
  EXPECT_EQ(told, std::vector<names>{{"c"}});
  EXPECT_EQ(at("a"), "10.0.0.1");
  sim.advance(5s - 10ms);
  EXPECT_EQ(at("a"), "10.0.0.1");
  sim.advance(10ms);
  EXPECT_EQ(at("a"), "-");
  EXPECT_EQ(told, (std::vector<names>{{"c"}, {"a"}}));
}

TEST_F(HostsFile, ARemovalDoesNotGoOnWhileStopped) {
  write("10.0.0.1 a b\n");
  file->start();
  write("10.0.0.1 b\n");
  sim.advance(5s);  // all but done
  file->stop();
  sim.advance(1min);
  file->start();
  EXPECT_EQ(at("a"), "10.0.0.1");
  sim.advance(5s);
  EXPECT_EQ(at("a"), "-");
}

TEST_F(HostsFile, WhatAStartFoundIsToldOnceStartedAgain) {
  write("10.0.0.1 a\n");
  file->start();
  file->stop();
  write("10.0.0.1 a b\n");
  file->start();
  file->stop();
  sim.settle();
  EXPECT_TRUE(told.empty());
  write("10.0.0.1 a b c\n");
  file->start();
  sim.settle();
  EXPECT_EQ(told, (std::vector<names>{{"b", "c"}}));
}

TEST_F(HostsFile, TheHandlerMayDestroyIt) {
  write("10.0.0.1 a\n");
  file.emplace(sim.executor(), sim.time(), path(), [this](const names& changed) {
    told.push_back(changed);
    file.reset();
  });
  file->start();
  write("10.0.0.1 b\n");
  sim.advance(1min);
  EXPECT_EQ(told, std::vector<names>{{"b"}});
  EXPECT_FALSE(file);
}

TEST_F(HostsFile, TheHandlerMayStopAndStart) {
  write("10.0.0.1 a\n");
  file.emplace(sim.executor(), sim.time(), path(), [this](const names& changed) {
    told.push_back(changed);
    file->stop();
    file->start();
  });
  file->start();
  sim.advance(1s);
  write("10.0.0.1 a b\n");
  sim.advance(1min);
  EXPECT_EQ(told, std::vector<names>{{"b"}});
}

TEST_F(HostsFile, WithoutAHandler) {
  write("10.0.0.1 a\n");
  file.emplace(sim.executor(), sim.time(), path(), nullptr);
  file->start();
  write("10.0.0.1 a b\n");
  sim.advance(2s);
  EXPECT_EQ(at("b"), "10.0.0.1");
}

TEST_F(HostsFile, DestroyedWithEverythingPending) {
  write("10.0.0.1 a\n");
  file->start();
  file->stop();
  write("10.0.0.2 a\n");
  file->start();  // has posted
  sim.after(1s, [this] { file.reset(); });
  sim.advance(500ms);
  write("10.0.0.3 a\n");
  sim.advance(1min);
  EXPECT_EQ(told, std::vector<names>{{"a"}});
  make();
  file->start();
  file.reset();
  EXPECT_EQ(sim.left_over(), leftovers{});
}

TEST(HostsFileEnd, MayOutliveItsContext) {
  std::optional<simulation> sim{std::in_place};
  const auto time = sim->time();
  hosts_file file{sim->executor(), time, "/nonexistent/hosts", nullptr};
  file.start();
  EXPECT_EQ(time->armed_timers(), 1U);
  sim.reset();
  EXPECT_EQ(time->armed_timers(), 0U);
  EXPECT_EQ(file.find("a"), nullptr);
  file.stop();
  file.start();
  EXPECT_EQ(time->armed_timers(), 0U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
