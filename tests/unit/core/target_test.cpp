// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>
#include <redial/core/target.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using redial::errc;
using redial::error_code;
using redial::target;
using redial::target_scheme;
using namespace std::string_literals;

// A value like others, except that there is no empty one.
static_assert(std::copyable<target> && std::equality_comparable<target>);
static_assert(std::is_nothrow_move_constructible_v<target>);
static_assert(!std::is_convertible_v<const char*, target>);

error_code error_of(std::string_view text) {
  const auto parsed = target::parse(text);
  return parsed ? error_code{} : parsed.error();
}

std::string message_of(std::string_view text) {
  try {
    (void)target(text);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(Target, NamesHaveTheirSchemesDefaultPort) {
  const target http("http://API.internal");
  EXPECT_EQ(http.scheme(), target_scheme::http);
  EXPECT_EQ(http.port(), 80);
  EXPECT_EQ(http.text(), "http://api.internal:80");
  EXPECT_FALSE(http.is_tls());
  EXPECT_TRUE(http.fixed_endpoints().empty());

  const target https("https://api.internal/");
  EXPECT_EQ(https.scheme(), target_scheme::https);
  EXPECT_EQ(https.text(), "https://api.internal:443");
  EXPECT_TRUE(https.is_tls());

  const target tcp("tcp://db.internal:5432");
  EXPECT_EQ(tcp.scheme(), target_scheme::tcp);
  EXPECT_EQ(tcp.text(), "tcp://db.internal:5432");
  EXPECT_FALSE(tcp.is_tls());

  const target tls("TLS://db.internal.:5433");
  EXPECT_EQ(tls.scheme(), target_scheme::tls);
  EXPECT_EQ(tls.text(), "tls://db.internal:5433");
  EXPECT_TRUE(tls.is_tls());
}

TEST(Target, AuthorityLeavesOutTheDefaultPort) {
  EXPECT_EQ(target("http://a.test:80").authority(), "a.test");
  EXPECT_EQ(target("http://a.test:443").authority(), "a.test:443");
  EXPECT_EQ(target("https://a.test").authority(), "a.test");
  EXPECT_EQ(target("https://[2001:db8::1]:8443").authority(), "[2001:db8::1]:8443");
  EXPECT_EQ(target("tcp://a.test:80").authority(), "a.test:80");
  EXPECT_EQ(target("static://[::1]:80").authority(), "[::1]:80");
}

TEST(Target, AddressesAreFixedEndpoints) {
  const target v4("http://10.0.0.1:8080");
  ASSERT_EQ(v4.fixed_endpoints().size(), 1U);
  EXPECT_EQ(to_string(v4.fixed_endpoints()[0]), "10.0.0.1:8080");
  const target v6("https://[::1]");
  ASSERT_EQ(v6.fixed_endpoints().size(), 1U);
  EXPECT_EQ(to_string(v6.fixed_endpoints()[0]), "[::1]:443");
  EXPECT_EQ(v6.text(), "https://[::1]:443");
  const target local("tcp://localhost:6379");
  ASSERT_EQ(local.fixed_endpoints().size(), 2U);
  EXPECT_EQ(to_string(local.fixed_endpoints()[0]), "127.0.0.1:6379");
  EXPECT_EQ(to_string(local.fixed_endpoints()[1]), "[::1]:6379");
  EXPECT_EQ(local.text(), "tcp://localhost:6379");
}

TEST(Target, AZoneStaysOutOfTheAuthority) {
  const auto zoned = target::parse("http://[fe80::1%1]:8080");
  if (!zoned) {  // only a machine without any interface has no first one
    EXPECT_EQ(zoned.error(), errc::bad_address);
    return;
  }
  EXPECT_EQ(zoned->authority(), "[fe80::1]:8080");
  EXPECT_NE(zoned->text().find('%'), std::string::npos);
}

TEST(Target, AStaticListKeepsItsOrderAndDropsRepetitions) {
  const target list("static://10.0.0.2:80,10.0.0.1:80,[::1]:443,10.0.0.2:80,[::ffff:10.0.0.1]:80");
  EXPECT_EQ(list.scheme(), target_scheme::static_list);
  EXPECT_EQ(list.text(), "static://10.0.0.2:80,10.0.0.1:80,[::1]:443");
  EXPECT_EQ(list.fixed_endpoints().size(), 3U);
  EXPECT_EQ(list.host().text(), "10.0.0.2");
  EXPECT_EQ(list.port(), 80);
  EXPECT_FALSE(list.is_tls());
}

TEST(Target, AStaticListHoldsAddressesOnly) {
  EXPECT_EQ(error_of("static://"), errc::bad_target);
  EXPECT_EQ(error_of("static://10.0.0.1:80,"), errc::bad_target);
  EXPECT_EQ(error_of("static://,10.0.0.1:80"), errc::bad_target);
  EXPECT_EQ(error_of("static://a.test:80"), errc::bad_address);
  EXPECT_EQ(error_of("static://localhost:80"), errc::bad_address);
  EXPECT_EQ(error_of("static://::1:80"), errc::bad_address);
  EXPECT_EQ(error_of("static://0.0.0.0:80"), errc::bad_address);
  EXPECT_EQ(error_of("static://10.0.0.1"), errc::bad_port);
  EXPECT_EQ(error_of("static://10.0.0.1:80,10.0.0.2:0"), errc::bad_port);
  EXPECT_EQ(error_of("static://10.0.0.1:80 ,10.0.0.2:80"), errc::bad_port);
}

TEST(Target, ALongStaticListIsRead) {
  std::string text = "static://";
  for (int i = 0; i < 5000; ++i) {
    if (i != 0) text += ',';
    text += "10.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ":80";
  }
  EXPECT_EQ(target(text).fixed_endpoints().size(), 5000U);
  EXPECT_EQ(target(text).text(), text);
}

TEST(Target, Fault92_UnknownSchemesAreRefused) {
  for (const char* text : {"",
                           "a.test",
                           "a.test:80",
                           "ftp://a.test",
                           "://a.test",
                           " http://a.test",
                           "http:/a.test",
                           "http:a.test",
                           "srvx://a.test",
                           "httpss://a.test",
                           "ht\xc3\xbctp://a.test"}) {
    EXPECT_EQ(error_of(text), errc::bad_scheme) << text;
  }
  EXPECT_EQ(error_of("ht\0tp://a.test"s), errc::bad_scheme);
}

TEST(Target, Fault92_PortsAreFrom1To65535) {
  for (const char* text : {"http://a.test:0",
                           "http://a.test:65536",
                           "http://a.test:",
                           "http://a.test:x",
                           "http://a.test:+80",
                           "http://a.test:-1",
                           "http://a.test:8 0",
                           "http://a.test:80 ",
                           "http://a.test:99999999999999999999",
                           "http://a.test:0x50",
                           "tcp://a.test",
                           "tls://a.test",
                           "tcp://[::1]",
                           "tcp://10.0.0.1",
                           "http://[::1]:"}) {
    EXPECT_EQ(error_of(text), errc::bad_port) << text;
  }
  EXPECT_EQ(error_of("http://a.test:80\0"s), errc::bad_port);
  EXPECT_EQ(target("http://a.test:65535").port(), 65535);
  EXPECT_EQ(target("http://a.test:0080").text(), "http://a.test:80");
}

TEST(Target, Fault92_AHostIsNeeded) {
  for (const char* text : {"http://", "http:///", "http://:80", "tcp://:80"}) {
    EXPECT_EQ(error_of(text), errc::bad_target) << text;
  }
}

TEST(Target, NamesAServiceAndNotAResource) {
  for (const char* text : {"http://a.test/path",
                           "http://a.test//",
                           "http://a.test?q",
                           "http://a.test/#f",
                           "http://user@a.test",
                           "http://u:p@a.test:80",
                           "http://a.test:80/x",
                           "https://good.test#@evil.test"}) {
    EXPECT_EQ(error_of(text), errc::bad_target) << text;
  }
}

TEST(Target, ErrorsOfTheHostAreKept) {
  EXPECT_EQ(error_of("http://."), errc::bad_name);
  EXPECT_EQ(error_of("http://a b"), errc::bad_name);
  EXPECT_EQ(error_of("http://a\\b"), errc::bad_name);
  EXPECT_EQ(error_of("http://m\xc3\xbcller.test"), errc::name_not_ascii);
  EXPECT_EQ(error_of("http://127.1"), errc::bad_address);
  EXPECT_EQ(error_of("http://::1"), errc::bad_address);
  EXPECT_EQ(error_of("http://[::1"), errc::bad_address);
  EXPECT_EQ(error_of("http://[::1]x:80"), errc::bad_address);
  EXPECT_EQ(error_of("http://[::1%nosuch]"), errc::bad_address);
  EXPECT_EQ(error_of("http://abc.onion"), errc::name_not_found);
  EXPECT_EQ(error_of("http://http://a.test"), errc::bad_target);
}

TEST(Target, EqualWhenTheyMeanTheSame) {
  EXPECT_EQ(target("HTTP://A.test."), target("http://a.test:80/"));
  EXPECT_NE(target("http://a.test"), target("https://a.test:80"));
  target copy("http://a.test");
  copy = target("https://b.test");
  EXPECT_EQ(copy.text(), "https://b.test:443");
}

TEST(Target, TheExceptionNamesTheTextTheReasonAndWhatIsAccepted) {
  const std::string what = message_of("ftp://a.test");
  EXPECT_NE(what.find("\"ftp://a.test\""), std::string::npos) << what;
  EXPECT_NE(what.find("unknown scheme"), std::string::npos) << what;
  EXPECT_NE(what.find("https://host[:port]"), std::string::npos) << what;
  EXPECT_NE(what.find("static://address:port"), std::string::npos) << what;
}

TEST(Target, Fault168_TheExceptionEscapesAndCuts) {
  const std::string what = message_of("http://a\n\x1b[31m\"" + std::string(100'000, 'x'));
  EXPECT_LT(what.size(), 600U);
  EXPECT_NE(what.find("http://a\\x0a\\x1b[31m\\\"xxx"), std::string::npos) << what;
  EXPECT_NE(what.find("xxx...\""), std::string::npos) << what;
  EXPECT_EQ(what.find('\n'), std::string::npos);
}

TEST(Target, SurvivesAnyBytes) {
  std::mt19937 rng(2);
  const std::string tempting = "a0.:[],/@?#%1f-\0\xff"s;
  const std::vector<std::string> starts = {"http://", "https://", "tcp://", "static://", ""};
  for (int i = 0; i < 20'000; ++i) {
    std::string text = starts[rng() % starts.size()];
    for (std::size_t n = rng() % 30; n > 0; --n) {
      text += rng() % 8 != 0 ? tempting[rng() % tempting.size()] : static_cast<char>(rng());
    }
    const auto parsed = target::parse(text);
    if (!parsed) continue;
    // What was accepted is canonical: it is accepted again, as itself.
    const auto again = target::parse(parsed->text());
    ASSERT_TRUE(again) << parsed->text();
    ASSERT_EQ(again->text(), parsed->text());
    ASSERT_EQ(again->fixed_endpoints(), parsed->fixed_endpoints());
  }
}

TEST(Target, SrvNamesHaveNoPortOfTheirOwn) {
  const target plain("srv://Calc.local.");
  EXPECT_TRUE(plain.is_srv());
  EXPECT_EQ(plain.scheme(), target_scheme::tcp);
  EXPECT_EQ(plain.text(), "srv://calc.local");
  EXPECT_EQ(plain.port(), 0);
  EXPECT_TRUE(plain.fixed_endpoints().empty());
  EXPECT_EQ(target("srv+tcp://calc.local"), plain);

  const target https("SRV+HTTPS://calc.local/");
  EXPECT_TRUE(https.is_srv());
  EXPECT_TRUE(https.is_tls());
  EXPECT_EQ(https.scheme(), target_scheme::https);
  EXPECT_EQ(https.text(), "srv+https://calc.local");
  EXPECT_FALSE(target("https://calc.local").is_srv());
}

TEST(Target, AnSrvNamesIdentityIsTheDomainWithoutTheServiceLabels) {
  const target t("srv+https://_http._tcp.api.internal");
  EXPECT_EQ(t.host().text(), "_http._tcp.api.internal");
  EXPECT_EQ(t.identity().text(), "api.internal");
  EXPECT_EQ(t.authority(), "api.internal");
  EXPECT_EQ(target("srv+https://calc.local").identity().text(), "calc.local");
  EXPECT_EQ(target("srv://_only").identity().text(), "_only");
  EXPECT_EQ(target("https://_a.b.test").identity().text(), "_a.b.test");
}

TEST(Target, SrvRefusesWhatTheRecordsSayAndWhatHasNone) {
  EXPECT_EQ(error_of("srv://calc.local:80"), errc::bad_port);
  EXPECT_EQ(error_of("srv://10.0.0.1"), errc::bad_target);
  EXPECT_EQ(error_of("srv://localhost"), errc::bad_target);
  EXPECT_EQ(error_of("srv+static://10.0.0.1:80"), errc::bad_scheme);
  EXPECT_EQ(error_of("srv+ftp://calc.local"), errc::bad_scheme);
  EXPECT_EQ(error_of("srv+://calc.local"), errc::bad_scheme);
  EXPECT_EQ(error_of("srvhttps://calc.local"), errc::bad_scheme);
}

}  // namespace
