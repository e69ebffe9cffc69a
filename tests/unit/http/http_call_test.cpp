// SPDX-License-Identifier: Apache-2.0
#include "http/http_call.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

http_response status(std::uint16_t s) {
  http_response r;
  r.status = s;
  return r;
}

TEST(HttpCall, ALaterAttemptsResponseReplacesAnEarlierOnes) {
  http_call call({});
  call.keep(1, status(503), false);
  call.keep(2, status(502), false);
  call.keep(1, status(504), false);
  EXPECT_EQ(call.take()->status, 502);
  call.keep(3, status(200), true);
  EXPECT_FALSE(call.take()) << "who has taken it wants no other";
}

// Two attempts at once: the one that began later is told 503, the earlier one succeeds.
TEST(HttpCall, AResponseThatEndsTheCallIsNotReplacedByOneThatDoesNot) {
  http_call call({});
  call.keep(2, status(503), false);
  call.keep(1, status(200), true);
  call.keep(2, status(502), false);
  EXPECT_EQ(call.take()->status, 200);
}

// The call is over then, but its caller has not been called yet.
TEST(HttpCall, TheFirstOfTwoResponsesThatEndTheCallIsTheCalls) {
  http_call call({});
  call.keep(1, status(200), true);
  call.keep(2, status(404), true);
  EXPECT_EQ(call.take()->status, 200);
}

std::string sent_by(http_request request, std::string_view agent = "redial") {
  http_call call(std::move(request));
  call.prepare("a.test:80", agent, true);
  std::string all;
  for (const auto& b : call.bytes()) all.append(static_cast<const char*>(b.data()), b.size());
  return all;
}

std::string sent_the_usual_way(http_request request, std::string_view agent) {
  http_call call(std::move(request));
  EXPECT_TRUE(call.prepare_usual(usual_rest_of_head("a.test:80", agent), true));
  std::string all;
  for (const auto& b : call.bytes()) all.append(static_cast<const char*>(b.data()), b.size());
  return all;
}

TEST(HttpCall, TheUsualHeadIsTheSame) {
  const std::string long_target = "/" + std::string(600, 'x');
  for (const char* method : {"GET", "DELETE", "HEAD", "FETCH-IT"}) {
    for (const std::string& target : {std::string("/"), std::string("/x?y=z"), long_target}) {
      for (const char* agent : {"redial", ""}) {
        const http_request r(method, target);
        EXPECT_EQ(sent_the_usual_way(r, agent), sent_by(r, agent));
      }
    }
  }
}

TEST(HttpCall, ARequestWithMoreToSayIsNotUsual) {
  const auto rest = usual_rest_of_head("a.test:80", "redial");
  http_request with_field("GET", "/");
  with_field.fields.add("A", "1");
  EXPECT_FALSE(http_call(with_field).prepare_usual(rest, true));
  http_request with_body("GET", "/");
  with_body.body = "b";
  EXPECT_FALSE(http_call(with_body).prepare_usual(rest, true));
  EXPECT_FALSE(http_call(http_request("POST", "/")).prepare_usual(rest, true));
}

TEST(HttpCall, SendsHostFirstAndTheUsersFieldsInTheirOrder) {
  http_request r("GET", "/x?y=z");
  r.fields.add("B", "2");
  r.fields.add("A", "1");
  EXPECT_EQ(sent_by(r),
            "GET /x?y=z HTTP/1.1\r\nHost: a.test:80\r\nUser-Agent: redial\r\nB: 2\r\nA: 1\r\n\r\n");
  r.fields.add("Host", "b.test");
  r.fields.add("user-agent", "mine");
  EXPECT_EQ(sent_by(r),
            "GET /x?y=z HTTP/1.1\r\nHost: b.test\r\nB: 2\r\nA: 1\r\nuser-agent: mine\r\n\r\n");
  EXPECT_EQ(sent_by({"BREW", "/"}, ""), "BREW / HTTP/1.1\r\nHost: a.test:80\r\n\r\n");
}

TEST(HttpCall, SendsTheLengthOfABodyAlsoOfOneThatIsExpectedAndEmpty) {
  http_request r("POST", "/");
  EXPECT_EQ(sent_by(r, ""), "POST / HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 0\r\n\r\n");
  r.body = "hello";
  EXPECT_EQ(sent_by(r, ""), "POST / HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(HttpCall, AHeadOfAnyLengthIsSent) {
  http_request r("GET", "/" + std::string(3000, 'p'));
  r.fields.add("X", std::string(3000, 'v'));
  EXPECT_EQ(sent_by(r, ""),
            "GET " + r.target + " HTTP/1.1\r\nHost: a.test:80\r\nX: " + std::string(3000, 'v') +
                "\r\n\r\n");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
