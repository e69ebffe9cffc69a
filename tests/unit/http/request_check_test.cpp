// SPDX-License-Identifier: Apache-2.0
#include "http/request_check.hpp"

#include "http/grammar.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::string_literals;

http_request with_field(std::string name, std::string value) {
  http_request r;
  r.fields.add(std::move(name), std::move(value));
  return r;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= ' ' && c <= '~' ? std::string(1, c) : "<ctl>";
  return out;
}

TEST(RequestCheck, OrdinaryRequestsPass) {
  EXPECT_FALSE(check_request(http_request()));
  for (const char* method :
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "M-SEARCH", "get"}) {
    EXPECT_FALSE(check_request(http_request(method, "/a/b?c=d&e=%20f"))) << method;
  }
  EXPECT_FALSE(check_request(http_request("OPTIONS", "*")));
  EXPECT_FALSE(check_request(with_field("X-Trace", "a b\tc; q=\"\xc3\xa4\"")));
  EXPECT_FALSE(check_request(with_field("x", "")));
}

TEST(RequestCheck, Fault157_NothingThatEndsALineOrAStringPassesAnywhere) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool control = byte < 0x20 || byte == 0x7f;
    const std::string text = "a"s + c + "b";
    if (control) {
      EXPECT_TRUE(check_request(http_request(text, "/"))) << byte;
      EXPECT_TRUE(check_request(http_request("GET", "/" + text))) << byte;
      EXPECT_TRUE(check_request(with_field(text, "v"))) << byte;
      EXPECT_EQ(check_request(with_field("n", text)).failed(), c != '\t') << byte;
    } else {
      EXPECT_FALSE(check_request(with_field("n", text))) << byte;
    }
    if (byte >= 0x80) {
      EXPECT_TRUE(check_request(http_request("GET", "/" + text))) << byte;
      EXPECT_TRUE(check_request(with_field(text, "v"))) << byte;
    }
  }
  EXPECT_EQ(check_request(http_request("GET", "/ HTTP/1.1\r\nX: y")), errc::invalid_request);
}

TEST(RequestCheck, Fault157_NamesAndMethodsAreTokens) {
  for (const char* bad : {"", " ", "a b", "a:", "a,b", "(a)", "a/b", "\"a\"", "[a]", "a@b", "{}"}) {
    EXPECT_TRUE(check_request(with_field(bad, "v"))) << bad;
    EXPECT_TRUE(check_request(http_request(bad, "/"))) << bad;
  }
  EXPECT_TRUE(check_request(http_request(std::string(65, 'A'), "/")));
  EXPECT_TRUE(check_request(http_request("CONNECT", "/")));
}

TEST(RequestCheck, Fault158_TargetsAreInOriginForm) {
  for (const std::string bad :
       {"", "a", "http://a.test/", "a.test:80", "?q", "*", " /", "/a b", "/#part"}) {
    EXPECT_EQ(check_request(http_request("GET", bad)), errc::invalid_request) << shown(bad);
  }
  EXPECT_FALSE(check_request(http_request("GET", "//a")));
}

TEST(RequestCheck, Fault159_OneHostAtMostAndAPlausibleOne) {
  EXPECT_FALSE(check_request(with_field("host", "a.test:8080")));
  EXPECT_FALSE(check_request(with_field("Host", "[::1]:80")));
  for (const char* bad : {"", " ", "a b", "a/b", "user@a", "a,b", "a?b"}) {
    EXPECT_TRUE(check_request(with_field("Host", bad))) << bad;
  }
  http_request two = with_field("Host", "a.test");
  two.fields.add("HOST", "a.test");
  EXPECT_EQ(check_request(two), errc::invalid_request);
}

TEST(RequestCheck, Fault160_FieldsThatFrameTheMessageAreOurs) {
  for (const char* name : {"Content-Length",
                           "content-length",
                           "Transfer-Encoding",
                           "Connection",
                           "Keep-Alive",
                           "Proxy-Connection",
                           "TE",
                           "Trailer",
                           "Upgrade"}) {
    EXPECT_EQ(check_request(with_field(name, "1")), errc::invalid_request) << name;
  }
}

TEST(RequestCheck, TraceHasNoBody) {
  http_request r("TRACE", "/");
  EXPECT_FALSE(check_request(r));
  r.body = "x";
  EXPECT_TRUE(check_request(r));
}

TEST(RequestCheck, IdempotencyComesFromTheMethodUnlessSaidOtherwise) {
  for (const char* yes : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(is_idempotent(http_request(yes, "/"))) << yes;
  }
  for (const char* no : {"POST", "PATCH", "get", "LOCK"}) {
    EXPECT_FALSE(is_idempotent(http_request(no, "/"))) << no;
  }
  http_request r("POST", "/");
  r.idempotent = true;
  EXPECT_TRUE(is_idempotent(r));
  r = http_request("GET", "/");
  r.idempotent = false;
  EXPECT_FALSE(is_idempotent(r));
}

TEST(RequestCheck, TheRequestsOwnWordWinsOverTheCallsOverTheMethods) {
  const http_request get("GET", "/");
  const http_request post("POST", "/");
  EXPECT_FALSE(is_idempotent(get, false));
  EXPECT_TRUE(is_idempotent(post, true));
  for (const bool said : {false, true}) {
    http_request r = get;
    r.idempotent = said;
    EXPECT_EQ(is_idempotent(r, !said), said);
  }
}

TEST(HttpFields, CompareNamesWithoutCaseAndKeepOrder) {
  http_fields f;
  EXPECT_EQ(f.get("a"), "");
  EXPECT_FALSE(f.contains("a"));
  f.add("Set-Cookie", "1");
  f.add("set-cookie", "2");
  f.add("ETag", "x");
  EXPECT_EQ(f.get("SET-COOKIE"), "1");
  EXPECT_EQ(f.size(), 3U);
  f.set("SET-cookie", "3");
  EXPECT_EQ(f.size(), 2U);
  EXPECT_EQ(f.get("set-cookie"), "3");
  EXPECT_EQ(f.begin()->first, "ETag");
  EXPECT_FALSE(same_name("a", "ab"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
