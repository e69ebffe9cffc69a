// SPDX-License-Identifier: Apache-2.0
//
// Several views of the names, and what search domains make of them, by the public options.
#include "discovery/dns_setup.hpp"
#include "support/dns_client.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class DnsSourceViews : public ::testing::Test {
 protected:
  DnsSourceViews() {
    outer.set("api.corp.test", record_type::a, {"127.0.0.1"});
    outer.set("api.test", record_type::a, {"127.0.0.1"});
    inner.set("api.corp.test", record_type::a, {"127.0.0.2"});
    inner.set("api.test", record_type::a, {"127.0.0.2"});
    options.nameservers = {outer.address()};
    options.zones = {{"Corp.test.", {inner.address()}}};
  }
  ~DnsSourceViews() override {
    if (source) source->close();
    io.restart();
    io.poll();
  }

  std::string ask(const std::string& name) {
    if (!source) source = redial::detail::make_dns_source(strand, options, scheduler_of(strand));
    std::string got;
    boost::asio::post(strand, [&] {
      source->ask(make_question(name), [&, name](const answer& a) {
        EXPECT_EQ(a.asked.name, name);
        got = a.addresses.empty() ? to_string(a.outcome) : a.addresses[0].to_string();
      });
    });
    EXPECT_TRUE(run_until(io, [&] { return !got.empty(); }));
    return got;
  }

  dns_server outer;
  dns_server inner;
  discovery_options options;
  boost::asio::io_context io{1};
  boost::asio::any_io_executor strand{boost::asio::make_strand(io)};
  std::unique_ptr<dns_source> source;
};

TEST_F(DnsSourceViews, Fault85And86_EachNameIsAskedInItsOwnViewOnly) {
  EXPECT_EQ(ask("api.corp.test"), "127.0.0.2");
  EXPECT_EQ(ask("api.test"), "127.0.0.1");
  EXPECT_EQ(inner.queries("api.test"), 0u);
  inner.remove("api.corp.test");
  EXPECT_EQ(ask("api.corp.test"), "name_not_found");
  inner.stop();
  EXPECT_NE(ask("api.corp.test"), "127.0.0.1");
  EXPECT_EQ(ask("api.test"), "127.0.0.1");
  EXPECT_EQ(outer.queries("api.corp.test"), 0u);
}

TEST_F(DnsSourceViews, Fault76_AZoneNeedsNoResolvConf) {
  temp_dir dir;
  options.nameservers.clear();
  options.resolv_conf = dir.write("resolv.conf", "");
  EXPECT_EQ(ask("api.corp.test"), "127.0.0.2");
  EXPECT_EQ(ask("api.test"), "local_fault");
  dir.write("resolv.conf", "nameserver " + outer.address() + "\n");
  EXPECT_EQ(ask("api.test"), "127.0.0.1");
}

TEST_F(DnsSourceViews, Fault72_NamesAreAbsoluteByDefault) {
  EXPECT_EQ(ask("api"), "name_not_found");
  EXPECT_EQ(outer.queries(), 1u);
}

TEST_F(DnsSourceViews, Fault72_SearchDomainsAreAskedInTheirViews) {
  options.search = {"prod.test", "corp.test", "test"};
  EXPECT_EQ(ask("api"), "127.0.0.2");
  EXPECT_EQ(outer.queries("api.prod.test"), 1u);
  EXPECT_EQ(outer.queries("api.test"), 0u);
  inner.fail("api.corp.test", rcode::servfail);
  EXPECT_NE(ask("api"), "127.0.0.1");
  EXPECT_EQ(outer.queries("api.test"), 0u);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
