// SPDX-License-Identifier: Apache-2.0

// The hosts file above DNS: a real file, simulated time.

#include "discovery_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using ::testing::ElementsAre;

class DiscoveryHosts : public ::testing::Test, protected discovery_world {
 protected:
  DiscoveryHosts() {
    std::string made = (std::filesystem::temp_directory_path() / "redial-hosts-XXXXXX").string();
    if (::mkdtemp(made.data()) != nullptr) folder_ = made;
    options.hosts_path = (folder_ / "hosts").string();
    dns.set("api.test", {"10.9.9.9", "fd00::9"}, 5s);
  }
  ~DiscoveryHosts() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) {
    const auto next = folder_ / "next";
    std::ofstream(next) << text;
    std::filesystem::rename(next, *options.hosts_path);
  }

  std::filesystem::path folder_;
};

TEST_F(DiscoveryHosts, AHitInOneFamilyReplacesDnsForBoth) {
  write("127.0.0.1 localhost\n10.0.0.1 api.test\n");
  const auto d = make();
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(100ms);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80"));
  sim.advance(60s);
  EXPECT_EQ(dns.times_asked("api.test"), 0U);
  EXPECT_EQ(r.got.back()->state, freshness::fresh);
}

TEST_F(DiscoveryHosts, ChangesAreFollowedAndRemovalsGoBackToDns) {
  write("10.0.0.1 api.test\n10.0.0.3 other.test\n");
  const auto d = make();
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(5s);
  write("10.0.0.2 api.test\n10.0.0.3 other.test\n");
  sim.advance(3s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
  sim.advance(10s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.2:80"));
  write("10.0.0.3 other.test\n");
  sim.advance(10s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:80", "[fd00::9]:80"));
}

TEST_F(DiscoveryHosts, Fault74_AMissingEmptyOrGarbledFileRemovesNothing) {
  write("10.0.0.1 api.test\n");
  const auto d = make();
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(5s);
  for (const std::string& text :
       {std::string{}, std::string("\0\0\0\0", 4), std::string("nonsense")}) {
    write(text);
    sim.advance(30s);
    EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80"));
  }
  std::filesystem::remove(*options.hosts_path);
  sim.advance(30s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80"));
  EXPECT_EQ(dns.times_asked("api.test"), 0U);
}

TEST_F(DiscoveryHosts, AnAdditionTakesOverFromDns) {
  write("127.0.0.1 localhost\n");
  const auto d = make();
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(3s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:80", "[fd00::9]:80"));
  write("127.0.0.1 localhost\n10.9.9.9 api.test\n");
  const auto life = r.got.back()->endpoints[0].life;
  sim.advance(3s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:80"));
  EXPECT_EQ(r.got.back()->endpoints[0].life, life) << "the same address: its connections stay";
}

TEST_F(DiscoveryHosts, SrvTargetsAreLookedUpThereToo) {
  write("10.0.0.1 n1.test\n");
  dns.set_srv("calc.test", {{"n1.test", 80}}, 10s);
  const auto d = make();
  reader r(*d, "srv://calc.test", sim.executor());
  sim.advance(1s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80 (n1.test)"));
}

TEST_F(DiscoveryHosts, OffMeansOff) {
  write("10.0.0.1 api.test\n");
  options.hosts_path = "";
  const auto d = make();
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(1s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.9.9.9:80", "[fd00::9]:80"));
}

TEST_F(DiscoveryHosts, TheFileIsReadAgainForTheNextSubscriber) {
  write("10.0.0.1 api.test\n");
  const auto d = make();
  {
    reader r(*d, "http://api.test", sim.executor());
    sim.advance(1s);
  }
  write("10.0.0.1 api.test\n10.0.0.2 api.test\n");
  sim.advance(60s);
  reader r(*d, "http://api.test", sim.executor());
  sim.advance(2s);
  EXPECT_THAT(r.endpoints(), ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
}

// The hosts file is ours, but an answer of DNS led there.
TEST_F(DiscoveryHosts, Fault156_AServicesTargetInItIsJudgedByTheDeniedAddresses) {
  write("10.0.0.1 db.test\n8.8.8.8 web.test\n");
  options.denied_addresses = {"10.0.0.0/8"};
  dns.set_srv("evil.test", {{"db.test", 80}, {"web.test", 80}}, 5s);
  const auto d = make();
  reader service(*d, "srv://evil.test", sim.executor());
  reader own(*d, "tcp://db.test:80", sim.executor());
  sim.advance(10s);
  ASSERT_EQ(service.endpoints().size(), 1U);
  EXPECT_NE(service.endpoints().front().find("8.8.8.8:80"), std::string::npos);
  EXPECT_THAT(own.endpoints(), ElementsAre("10.0.0.1:80")) << "its name is in the target";
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
